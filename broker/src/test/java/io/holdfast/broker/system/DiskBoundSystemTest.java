package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code --max-disk-bytes} and {@code --max-disk-bytes-per-topic} hold, and let go again. */
class DiskBoundSystemTest {
  private static final long MB = 1 << 20;

  /** What a topic may have beyond: blocks reserved ahead and listings (broker/README.md, Disk). */
  private static final long SLACK_PER_TOPIC = 5 * MB;

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("nsqd has no limits on its disk");
  }

  private static long diskUse(Path dir) throws IOException, InterruptedException {
    Process du = new ProcessBuilder("du", "-s", "--block-size=1", dir.toString()).start();
    String out = new String(du.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertTrue(du.waitFor(10, TimeUnit.SECONDS));
    // Files that go away meanwhile make it exit with 1; the sum is there all the same.
    return Long.parseLong(out.split("\\s", 2)[0]);
  }

  /** Publishes until refused; returns the error. */
  private static String flood(BrokerProcess broker, String topic) {
    String[] bodies = new String[40];
    Arrays.fill(bodies, "b".repeat(5000));
    try (RawNsqConnection conn = broker.connect()) {
      while (true) {
        Frame reply = conn.command("MPUB " + topic, batch(bodies)).frame();
        if (reply.type() == Frame.ERROR) {
          return reply.text();
        }
      }
    }
  }

  private static long floodAndMeasure(BrokerProcess broker, String option, String... topics)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2 * topics.length);
    long most = 0;
    try {
      List<Future<String>> floods = new ArrayList<>();
      for (int i = 0; i < 2 * topics.length; i++) {
        String topic = topics[i % topics.length];
        floods.add(threads.submit(() -> flood(broker, topic)));
      }
      for (Future<String> flood : floods) {
        while (!flood.isDone()) {
          most = Math.max(most, diskUse(broker.dataPath().resolve("topics")));
        }
        String error = flood.get();
        assertTrue(error.startsWith("E_MPUB_FAILED MPUB failed "), error);
        assertTrue(error.contains(option), error);
      }
    } finally {
      threads.shutdownNow();
    }
    return Math.max(most, diskUse(broker.dataPath().resolve("topics")));
  }

  private static int drain(BrokerProcess broker, String topic) {
    int count = 0;
    try (RawNsqConnection conn = broker.subscribe(topic, "ch")) {
      conn.line("RDY 200");
      Frame.Msg message = conn.message();
      while (message != null) {
        conn.fin(message);
        count++;
        message = conn.pollMessage(Duration.ofMillis(700));
      }
    }
    return count;
  }

  private static void awaitPublishing(BrokerProcess broker, String topic) {
    Http http = broker.http();
    Awaitility.await("publishing to " + topic + " again")
        .atMost(Duration.ofSeconds(20))
        .until(() -> http.post("/pub?topic=" + topic, "again").status() == 200);
  }

  @Test
  void shouldBoundATopic() throws Exception {
    long max = 10 * MB;
    try (BrokerProcess broker = BrokerProcess.started("--max-disk-bytes-per-topic=" + max)) {
      broker.http().post("/topic/create?topic=bound").expect(200, "");
      broker.http().post("/channel/create?topic=bound&channel=ch").expect(200, "");
      long most = floodAndMeasure(broker, "max-disk-bytes-per-topic is " + max, "bound");
      assertTrue(most <= max + SLACK_PER_TOPIC, () -> "disk use " + most);
      assertTrue(most > max / 2, () -> "disk use " + most);
      Http.Response refused = broker.http().post("/pub?topic=bound", "x".repeat(1_000_000));
      for (int i = 0; refused.status() == 200 && i < 10; i++) {
        // What was refused in the flood need not be what is over the limit now.
        refused = broker.http().post("/pub?topic=bound", "x".repeat(1_000_000));
      }
      assertEquals(503, refused.status());
      assertTrue(refused.body().contains("max-disk-bytes-per-topic"), refused.body());
      // Others do not notice.
      broker.http().get("/ping").expect(200, "OK");
      broker.http().post("/pub?topic=unbound", "x").expect(200, "OK");
      int consumed = drain(broker, "bound");
      awaitPublishing(broker, "bound");
      System.out.println(
          "max-disk-bytes-per-topic " + max + ": at most " + most + ", consumed " + consumed);
    }
  }

  @Test
  void shouldBoundTheBroker() throws Exception {
    long max = 24 * MB;
    String[] topics = {"one", "two", "three"};
    try (BrokerProcess broker = BrokerProcess.started("--max-disk-bytes=" + max)) {
      for (String topic : topics) {
        broker.http().post("/topic/create?topic=" + topic).expect(200, "");
        broker.http().post("/channel/create?topic=" + topic + "&channel=ch").expect(200, "");
      }
      long most = floodAndMeasure(broker, "max-disk-bytes is " + max, topics);
      assertTrue(most <= max + topics.length * SLACK_PER_TOPIC, () -> "disk use " + most);
      Http.Response ping = broker.http().get("/ping");
      assertEquals(500, ping.status());
      assertTrue(ping.body().contains("max-disk-bytes is " + max), ping.body());
      for (String topic : topics) {
        drain(broker, topic);
      }
      for (String topic : topics) {
        awaitPublishing(broker, topic);
      }
      long after = diskUse(broker.dataPath().resolve("topics"));
      assertTrue(after < max / 2, () -> "still used " + after);
      System.out.println("max-disk-bytes " + max + ": at most " + most + ", consumed: " + after);
    }
  }
}
