package io.holdfast.broker.stats;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.meters.E2eLatency;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class StatsdPusherTest {
  private final AtomicLong count = new AtomicLong();

  private StatsSnapshot sample() {
    StatsSnapshot.TopicStats topic =
        new StatsSnapshot.TopicStats(
            "t",
            List.of(),
            0,
            0,
            count.addAndGet(5),
            0,
            StatsSnapshot.BoundStats.NONE,
            false,
            E2eLatency.NONE);
    return new StatsSnapshot("", "OK", 0, List.of(topic), null, null, null);
  }

  @Test
  void shouldPushRepeatedlyAlsoWithAShortInterval() throws IOException {
    try (DatagramSocket statsd = statsd();
        StatsdPusher pusher = pusher(statsd, 50, 508)) {
      pusher.start();
      for (int i = 0; i < 3; i++) {
        assertTrue(receive(statsd).startsWith("p.topic.t.message_count:5|c\n"));
      }
    }
  }

  @Test
  void shouldSpreadPacketsAndSendTheRestAtOnceWhenClosed() throws IOException {
    try (DatagramSocket statsd = statsd()) {
      StatsdPusher pusher = pusher(statsd, 1400, 1);
      pusher.start();
      receive(statsd);
      long first = System.nanoTime();
      receive(statsd);
      long pauseMs = (System.nanoTime() - first) / 1_000_000;
      assertTrue(pauseMs >= 40, "next packet after " + pauseMs + " ms of 400 / 4");
      pusher.close();
      receive(statsd);
      assertTrue(receive(statsd).contains("backend_depth"));
    }
  }

  private StatsdPusher pusher(DatagramSocket statsd, long intervalMs, int packetSize) {
    return new StatsdPusher(
        new StatsdOptions(
            "127.0.0.1:" + statsd.getLocalPort(), "p.", intervalMs, true, packetSize, false),
        this::sample);
  }

  private static DatagramSocket statsd() throws IOException {
    DatagramSocket socket =
        new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    socket.setSoTimeout(10_000);
    return socket;
  }

  private static String receive(DatagramSocket statsd) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
    statsd.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
  }
}
