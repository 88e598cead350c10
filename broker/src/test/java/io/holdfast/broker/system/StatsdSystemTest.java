package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Contract §7 (statsd), §5 (/config, e2e percentiles) and options of §8 that show there. */
class StatsdSystemTest {
  private static final int PACKET_BYTES = 200;

  /** Reads packets until a line ends so; returns all lines so far. */
  private static List<String> linesUntil(DatagramSocket statsd, String end) throws IOException {
    List<String> lines = new ArrayList<>();
    statsd.setSoTimeout(15_000);
    while (lines.stream().noneMatch(l -> l.endsWith(end))) {
      DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
      statsd.receive(packet);
      assertTrue(packet.getLength() <= PACKET_BYTES, packet.getLength() + " bytes");
      String text = new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
      assertTrue(text.endsWith("\n"), text);
      lines.addAll(text.lines().toList());
    }
    return lines;
  }

  @Test
  void shouldPushToStatsd() throws IOException {
    try (DatagramSocket statsd = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        BrokerProcess broker =
            BrokerProcess.started(
                "--statsd-address=127.0.0.1:" + statsd.getLocalPort(),
                "--statsd-interval=" + (Reference.isHoldfast() ? "300ms" : "2s"),
                "--statsd-udp-packet-size=" + PACKET_BYTES,
                "--statsd-exclude-ephemeral",
                "--broadcast-address=a.b",
                "--broadcast-http-port=77",
                "--e2e-processing-latency-percentile=1.0,0.99",
                "--node-id=5",
                "--log-prefix=[mine] ",
                "--verbose",
                "--worker-id",
                "--queue-scan-worker-pool-max=2",
                "--queue-scan-selection-count=7",
                "--output-buffer-timeout=100ms",
                "--enable-experiment=unheard-of");
        RawNsqConnection conn = broker.connect()) {
      conn.line("SUB stats ch").expectOk().line("RDY 10");
      conn.mpub("stats", "ab", "cd", "ef").pub("gone#ephemeral", "x");
      for (Frame.Msg message : conn.messages(3)) {
        conn.fin(message);
      }
      conn.flushed();
      String topic = "nsq.a_b_77.topic.stats.";
      List<String> lines = linesUntil(statsd, "stats.message_count:3|c");
      lines.addAll(linesUntil(statsd, "stats.message_count:0|c"));
      lines.addAll(linesUntil(statsd, "mem.gc_runs:0|c"));
      for (String line :
          List.of(
              topic + "message_bytes:6|c",
              topic + "depth:0|g",
              topic + "backend_depth:0|g",
              topic + "channel.ch.message_count:3|c",
              topic + "channel.ch.depth:0|g",
              topic + "channel.ch.in_flight_count:0|g",
              topic + "channel.ch.deferred_count:0|g",
              topic + "channel.ch.requeue_count:0|c",
              topic + "channel.ch.timeout_count:0|c",
              topic + "channel.ch.clients:1|g")) {
        assertTrue(lines.contains(line), () -> line + " is not in " + lines);
      }
      for (String key :
          List.of("topic.stats.e2e_processing_latency_100:", "mem.heap_in_use_bytes:")) {
        assertTrue(lines.stream().anyMatch(l -> l.startsWith("nsq.a_b_77." + key)), key);
      }
      assertFalse(lines.stream().anyMatch(l -> l.contains("ephemeral")), lines::toString);
      assertEachOptionHasItsEffect(broker);
    }
  }

  private static void assertEachOptionHasItsEffect(BrokerProcess broker) {
    Http http = broker.http();
    for (JsonNode latency :
        List.of(
            http.topic("stats").path("e2e_processing_latency"),
            http.channel("stats", "ch").path("e2e_processing_latency"))) {
      assertEquals(3, latency.path("count").asInt(), latency::toString);
      assertEquals(2, latency.path("percentiles").size());
      assertEquals(1.0, latency.at("/percentiles/0/quantile").asDouble());
      assertTrue(latency.at("/percentiles/0/value").asDouble() > 0, latency::toString);
    }
    assertEquals("a.b", http.get("/info").json().path("broadcast_address").asText());
    http.get("/config/id").expect(200, "5");
    http.get("/config/no_such").expectError(400, "INVALID_OPTION");
    http.request("PUT", "/config/log_level", "loud").expectError(400, "INVALID_VALUE");
    http.request("PUT", "/config/log_level", "").expectError(413, "INVALID_VALUE");
    http.request("PUT", "/config/msg_timeout", "1").expectError(400, "INVALID_OPTION");
    http.request("PUT", "/config/log_level", "DEBUG").expect(200, "1");
    http.get("/config/log_level").expect(200, "1");
    if (Reference.isHoldfast()) {
      String log = broker.log();
      assertTrue(log.lines().allMatch(l -> l.startsWith("[mine] ")), log);
      for (String option :
          List.of(
              "verbose",
              "worker-id",
              "queue-scan-worker-pool-max",
              "queue-scan-selection-count",
              "enable-experiment")) {
        assertEquals(
            1,
            log.lines().filter(l -> l.contains(option + " has no effect: ")).count(),
            option + " in " + log);
      }
    }
  }
}
