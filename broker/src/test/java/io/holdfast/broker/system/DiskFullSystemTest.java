package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.PersistentPublisher;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.broker.system.support.SmallDisk;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk of 64 MB that fills up: nothing OK'd is lost, and consuming brings it back. */
class DiskFullSystemTest {
  private static final int DISK_MB = 64;
  private static final String NO_SPACE = "no space left on device";

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("nsqd loses what it cannot write and has no limits on its disk");
  }

  /** Publishes until refused; returns the keys of what was answered OK. */
  private static Set<String> fill(BrokerProcess broker, String topic, int bodyBytes) {
    Set<String> published = new HashSet<>();
    try (RawNsqConnection conn = broker.connect()) {
      while (true) {
        String[] bodies = new String[50];
        for (int i = 0; i < bodies.length; i++) {
          bodies[i] = PersistentPublisher.body(topic + "-" + (published.size() + i), bodyBytes);
        }
        Frame reply = conn.command("MPUB " + topic, batch(bodies)).frame();
        if (reply.type() == Frame.ERROR) {
          assertTrue(
              reply.text().startsWith("E_MPUB_FAILED MPUB failed " + NO_SPACE), reply.text());
          conn.expectClosed();
          return published;
        }
        for (String body : bodies) {
          published.add(PersistentPublisher.key(body));
        }
      }
    }
  }

  private static void expectRefused(BrokerProcess broker, String topic, String text) {
    try (RawNsqConnection conn = broker.connect()) {
      Frame reply = conn.command("PUB " + topic, "x").frame();
      assertTrue(reply.text().startsWith("E_PUB_FAILED PUB failed " + text), reply.text());
    }
    try (RawNsqConnection conn = broker.connect()) {
      Frame reply = conn.command("DPUB " + topic + " 100", "x").frame();
      assertTrue(reply.text().startsWith("E_DPUB_FAILED DPUB failed " + text), reply.text());
    }
    for (String path : new String[] {"/pub?topic=" + topic, "/mpub?topic=" + topic}) {
      Http.Response refused = broker.http().post(path, "x");
      assertEquals(503, refused.status());
      assertTrue(refused.json().path("message").asText().startsWith(text), refused.body());
    }
    Http.Response ping = broker.http().get("/ping");
    assertEquals(500, ping.status());
    assertTrue(ping.body().startsWith("NOK - " + text), ping.body());
  }

  /**
   * Takes messages until none come for a while.
   *
   * @param finish the share to finish; the rest stays unfinished
   */
  private static void consume(
      BrokerProcess broker, String topic, String channel, double finish, Tally to) {
    Random random = new Random(1);
    try (RawNsqConnection conn = broker.subscribe(topic, channel)) {
      conn.line("RDY 500");
      while (true) {
        Frame.Msg message = conn.pollMessage(Duration.ofSeconds(1));
        if (message == null) {
          conn.line("NOP");
          return;
        }
        String key = PersistentPublisher.key(message.text());
        assertTrue(PersistentPublisher.isIntact(message.text()), () -> "damaged: " + key);
        to.seen.add(key);
        if (to.finished.contains(key)) {
          to.again++;
        }
        if (random.nextDouble() < finish) {
          conn.fin(message);
          to.finished.add(key);
        } else if (random.nextInt(20) == 0 && message.attempts() < 3) {
          conn.line("REQ " + message.id() + " 0");
        } else {
          conn.line("TOUCH " + message.id());
          to.left++;
        }
        if (to.left > 300) {
          return; // they are in flight until this connection ends
        }
      }
    }
  }

  private static final class Tally {
    final Set<String> seen = new HashSet<>();
    final Set<String> finished = new HashSet<>();
    int left;
    int again;
  }

  @Test
  void shouldKeepEveryOkOnADiskThatIsReallyFull() {
    try (BrokerProcess broker = BrokerProcess.of("--disk-free-limit=0", "--mem-queue-size=100");
        SmallDisk disk = SmallDisk.mount(broker.dataPath(), DISK_MB)) {
      broker.start();
      Http http = broker.http();
      http.post("/topic/create?topic=full").expect(200, "");
      http.post("/channel/create?topic=full&channel=a").expect(200, "");
      http.post("/channel/create?topic=full&channel=b").expect(200, "");
      Set<String> published = fill(broker, "full", 700);
      assertTrue(published.size() > 50_000, () -> "only " + published.size());
      long left = disk.usableBytes();
      expectRefused(broker, "full", NO_SPACE);
      expectRefused(broker, "other", NO_SPACE);
      assertEquals(503, http.post("/topic/create?topic=new").status());
      assertTrue(http.topic("new").isMissingNode());

      // Finishes, requeues and touches go on, also past what the ledger had reserved.
      Tally a = new Tally();
      consume(broker, "full", "a", 0.999, a);
      assertTrue(broker.isAlive(), broker::stderr);
      assertEquals(500, http.get("/ping").status(), "channel b still has everything");
      broker.kill9();
      broker.startEvenIfNotOk();
      int finishedBefore = a.finished.size();
      consume(broker, "full", "a", 1, a);
      assertMissesNothing(published, a.seen, "a");
      Tally b = new Tally();
      consume(broker, "full", "b", 1, b);
      assertMissesNothing(published, b.seen, "b");
      assertEquals(0, b.again);
      // What a kill can bring back: the finishes of the last socket reads.
      assertTrue(a.again < 2000, () -> "finished again " + a.again);

      Awaitility.await("recovery without anybody's help")
          .atMost(Duration.ofSeconds(60))
          .until(() -> http.get("/ping").status() == 200);
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("full", "again").pub("new", "topic");
      }
      broker.kill9();
      broker.start();
      broker.http().awaitChannel("full", "b", c -> c.path("depth").asInt() == 1);
      Awaitility.await("the finished file to go")
          .atMost(Duration.ofSeconds(60))
          .until(() -> disk.usableBytes() > 40L << 20);
      System.out.println(
          "disk full: published "
              + published.size()
              + ", left on the disk "
              + left
              + ", finished while it was full "
              + finishedBefore
              + ", of these delivered again after kill -9 "
              + a.again);
    }
  }

  private static void assertMissesNothing(Set<String> published, Set<String> seen, String channel) {
    Set<String> lost = new TreeSet<>(published);
    lost.removeAll(seen);
    assertTrue(lost.isEmpty(), () -> channel + " lost " + lost.size() + ": " + lost);
  }

  /** Nothing but the topic, which nobody has subscribed to, is on the disk. */
  @ParameterizedTest
  @ValueSource(strings = {"SUB after kill -9", "administration", "empty", "delete"})
  void shouldDrainADiskThatATopicWithoutChannelFilled(String how) {
    try (BrokerProcess broker = BrokerProcess.of("--disk-free-limit=0", "--mem-queue-size=100");
        SmallDisk disk = SmallDisk.mount(broker.dataPath(), 8)) {
      broker.start();
      Http http = broker.http();
      http.post("/topic/create?topic=other").expect(200, "");
      http.post("/channel/create?topic=other&channel=ch").expect(200, "");
      int published = fill(broker, "lone", 7000).size();
      takeWhatIsLeft(broker);
      published += fill(broker, "lone", 7001).size();
      switch (how) {
        case "empty" -> http.post("/topic/empty?topic=lone").expect(200, "");
        case "delete" -> http.post("/topic/delete?topic=lone").expect(200, "");
        case "administration" -> {
          http.post("/topic/pause?topic=lone").expect(200, "");
          http.post("/channel/create?topic=lone&channel=a").expect(200, "");
          http.post("/topic/unpause?topic=lone").expect(200, "");
          http.post("/channel/create?topic=lone&channel=b").expect(200, "");
          http.post("/channel/pause?topic=lone&channel=b").expect(200, "");
          http.post("/channel/unpause?topic=lone&channel=b").expect(200, "");
          http.post("/channel/empty?topic=lone&channel=b").expect(200, "");
          http.post("/channel/delete?topic=other&channel=ch").expect(200, "");
          consumeAll(broker, "a", published);
        }
        default -> {
          broker.kill9();
          broker.startEvenIfNotOk();
          consumeAll(broker, "a", published);
        }
      }
      Awaitility.await("recovery")
          .atMost(Duration.ofSeconds(20))
          .until(() -> http.get("/ping").status() == 200);
      http.post("/pub?topic=lone", "again").expect(200, "OK");
    }
  }

  /** Another program's file: not a block is free any more. */
  private static void takeWhatIsLeft(BrokerProcess broker) {
    try (OutputStream filler = Files.newOutputStream(broker.home().resolve("data/filler"))) {
      byte[] block = new byte[4096];
      while (true) {
        filler.write(block);
      }
    } catch (IOException full) {
      assertTrue(full.getMessage().contains("No space left"), full.getMessage());
    }
  }

  private static void consumeAll(BrokerProcess broker, String channel, int count) {
    try (RawNsqConnection conn = broker.subscribe("lone", channel)) {
      conn.line("RDY 100");
      for (int i = 0; i < count; i++) {
        conn.fin(conn.message());
      }
      broker.http().awaitChannelCount("lone", channel, "in_flight_count", 0);
    }
  }

  @Test
  void shouldRefuseBelowTheLimitAndRecover() throws Exception {
    try (BrokerProcess broker = BrokerProcess.of("--disk-free-limit=33554432");
        SmallDisk disk = SmallDisk.mount(broker.dataPath(), DISK_MB)) {
      broker.start();
      String text = "disk is nearly full: ";
      try (RawNsqConnection consumer = broker.subscribe("limit", "ch");
          RawNsqConnection publisher = broker.connect()) {
        publisher.pub("limit", "1").pub("limit", "2");
        Files.write(broker.dataPath().resolve("filler"), new byte[40 << 20]);
        Http http = broker.http();
        Awaitility.await().until(() -> http.get("/ping").status() == 500);
        expectRefused(broker, "limit", text);
        consumer.line("RDY 1");
        Frame.Msg first = consumer.message();
        assertEquals("1", first.text());
        consumer.line("REQ " + first.id() + " 0");
        consumer.line("RDY 2");
        for (Frame.Msg message : consumer.messages(2)) {
          consumer.line("TOUCH " + message.id()).fin(message);
        }
        broker.http().awaitChannelCount("limit", "ch", "in_flight_count", 0);
        Files.delete(broker.dataPath().resolve("filler"));
        Awaitility.await().until(() -> http.get("/ping").status() == 200);
        publisher.pub("limit", "3");
        assertEquals("3", consumer.message().text());
      }
      // Beside the clients that were refused and closed for it.
      long lines = broker.log().lines().filter(l -> l.contains("is refused: " + text)).count();
      assertEquals(1, lines, "log lines about it");
      assertTrue(disk.usableBytes() > 0);
    }
  }
}
