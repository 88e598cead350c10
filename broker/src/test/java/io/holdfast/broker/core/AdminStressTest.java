package io.holdfast.broker.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.Server;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.MemoryDir;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Everything that may happen to topics and channels at once, from many threads, in a broker of this
 * process: no deadlock, no unexpected error, and a topic that nobody deletes loses nothing.
 */
class AdminStressTest {
  private static final long RUN_NS = TimeUnit.SECONDS.toNanos(4);
  private static final long JOIN_MS = 30_000;
  private static final int ADMINS = 8;
  private static final List<String> TOPICS = List.of("t", "T", "e#ephemeral");
  private static final List<String> CHANNELS = List.of("a", "b", "x#ephemeral");

  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final AtomicLong kept = new AtomicLong();
  private Server server;
  private Broker broker;
  private volatile boolean stopping;

  private void start(MemoryDir dir) throws IOException {
    server =
        Server.start(
            Options.builder()
                .set("data-path", dir.path().toString())
                .set("tcp-address", "127.0.0.1:0")
                .set("http-address", "127.0.0.1:0")
                .set("mem-queue-size", "10")
                .set("max-bytes-per-file", "1048576")
                .set("idle-close", "1s")
                .build());
    broker = server.broker();
  }

  @Test
  void shouldNeitherDeadlockNorLoseAnything() throws Exception {
    try (MemoryDir dir = MemoryDir.create()) {
      run(dir);
    }
  }

  private void run(MemoryDir dir) throws Exception {
    start(dir);
    broker.topic("kept").channel("kept");
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < ADMINS; i++) {
      Random random = new Random(i);
      threads.add(loop("admin-" + i, () -> administer(random)));
    }
    threads.add(loop("publisher", this::publishKept));
    threads.add(loop("consumer-1", () -> consume("t", "a")));
    threads.add(loop("consumer-2", () -> consume("e#ephemeral", "x#ephemeral")));
    threads.add(loop("consumer-3", () -> consume("kept", "b")));
    long startNs = System.nanoTime();
    ThreadMXBean beans = ManagementFactory.getThreadMXBean();
    while (System.nanoTime() - startNs < RUN_NS && failures.isEmpty()) {
      threads.get(0).join(100);
      assertNull(beans.findDeadlockedThreads(), AdminStressTest::dump);
    }
    stopping = true;
    for (Thread thread : threads) {
      thread.join(JOIN_MS);
      assertTrue(!thread.isAlive(), () -> thread.getName() + " hangs\n" + dump());
    }
    assertEquals(List.of(), List.copyOf(failures));
    assertNull(broker.healthError());
    broker.topic("kept").unpause();
    Channel channel = broker.topic("kept").existingChannel("kept");
    assertEquals(kept.get(), channel.figures().depth());
    server.stop();
    start(dir);
    assertEquals(kept.get(), broker.topic("kept").existingChannel("kept").figures().depth());
    server.stop();
  }

  private static String dump() {
    ThreadInfo[] all = ManagementFactory.getThreadMXBean().dumpAllThreads(true, true);
    return String.join("", Arrays.stream(all).map(ThreadInfo::toString).toList());
  }

  private interface Round {
    void run() throws Exception;
  }

  private Thread loop(String name, Round round) {
    Thread thread =
        new Thread(
            () -> {
              while (!stopping) {
                try {
                  round.run();
                } catch (BrokerException | ClosedByBroker e) {
                  continue; // deleted under its hands: what happens here
                } catch (UncheckedIOException e) {
                  if (!(e.getCause() instanceof java.net.SocketException)) {
                    failures.add(e);
                  }
                } catch (Exception | Error e) {
                  failures.add(e);
                }
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static <T> T any(List<T> of, Random random) {
    return of.get(random.nextInt(of.size()));
  }

  private static void publish(Topic topic, int bytes, long deferMs) throws BrokerException {
    ByteBuf section = Unpooled.buffer().writeInt(bytes).writeZero(bytes);
    topic.putMessages(section.nioBuffer(), 1, deferMs, 0, null);
    section.release();
  }

  private void publishKept() throws Exception {
    publish(broker.topic("kept"), 500, 0);
    kept.incrementAndGet();
  }

  private void administer(Random random) throws Exception {
    String name = any(TOPICS, random);
    String channelName = any(CHANNELS, random);
    switch (random.nextInt(14)) {
      case 0 -> broker.deleteTopic(name);
      case 1, 2 -> broker.topic(name).deleteChannel(channelName);
      case 3 -> broker.topic("kept").channel("b");
      case 4 -> broker.topic("kept").deleteChannel("b");
      case 5 -> pause(broker.topic(random.nextBoolean() ? "kept" : name));
      case 6 -> {
        Topic topic = broker.topic(name);
        topic.empty();
        for (Channel channel : topic.channels()) {
          channel.empty();
        }
      }
      case 7 -> {
        for (Topic topic : broker.topics()) {
          topic.housekeep(System.nanoTime() + TimeUnit.SECONDS.toNanos(random.nextInt(3)));
          topic.diskBytes();
        }
      }
      case 8 -> broker.context().persistMetadata();
      default -> {
        Topic topic = broker.topic(name);
        topic.channel(channelName);
        for (int i = random.nextInt(50); i >= 0; i--) {
          publish(topic, 1 + random.nextInt(4000), random.nextInt(4) == 0 ? 20 : 0);
        }
      }
    }
  }

  private static void pause(Topic topic) throws IOException {
    topic.pause();
    for (Channel channel : topic.channels()) {
      channel.pause();
      channel.unpause();
    }
    topic.unpause();
  }

  private void consume(String topic, String channel) {
    try (RawNsqConnection conn = RawNsqConnection.open(broker.tcpPort())) {
      conn.sendMagic().line("SUB " + topic + " " + channel);
      if (conn.frame().type() == Frame.ERROR) {
        return;
      }
      conn.line("RDY 5");
      for (int i = 0; i < 30 && !stopping; i++) {
        Frame frame = conn.pollFrame(Duration.ofMillis(20));
        if (frame != null && frame.type() == Frame.MESSAGE) {
          conn.fin(frame.message());
        }
      }
    }
  }
}
