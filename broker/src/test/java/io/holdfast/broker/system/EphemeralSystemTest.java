package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an ephemeral channel gets, what it may drop, and that it takes nothing from others. */
class EphemeralSystemTest {
  private static final Duration QUIET = Duration.ofMillis(300);
  private static final String X = "x#ephemeral";

  private static String[] bodies(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
  }

  private static void publish(BrokerProcess broker, String topic, String... bodies) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.mpub(topic, bodies);
    }
  }

  private static void awaitDepth(BrokerProcess broker, String topic, int depth) {
    broker.http().awaitTopic(topic, t -> t.path("depth").asInt(-1) == depth);
  }

  private static void awaitGone(BrokerProcess broker, String topic) {
    broker.http().awaitChannel(topic, X, JsonNode::isMissingNode);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--mem-queue-size=10", "--mem-queue-size=0"})
  void shouldCopyBacklogAndLeaveItForFirstLastingChannel(String flag) {
    try (BrokerProcess broker = BrokerProcess.started(flag)) {
      publish(broker, "t", bodies(0, 100));
      try (RawNsqConnection ephemeral = broker.subscribe("t", X)) {
        awaitDepth(broker, "t", 100);
        assertEquals(List.of(bodies(0, 100)), ephemeral.line("RDY 20").finish(100));
        ephemeral.flushed();
        publish(broker, "t", bodies(100, 110));
        assertEquals(List.of(bodies(100, 110)), ephemeral.finish(10));
        awaitDepth(broker, "t", 110);
        broker.kill9();
      }
      broker.start();
      awaitDepth(broker, "t", 110);
      try (RawNsqConnection ephemeral = broker.subscribe("t", X).line("RDY 50")) {
        ephemeral.messages(50);
      }
      awaitGone(broker, "t");
      broker.http().post("/channel/create?topic=t&channel=" + X.replace("#", "%23"));
      try (RawNsqConnection lasting = broker.subscribe("t", "ch").line("RDY 200")) {
        awaitDepth(broker, "t", 0);
        assertEquals(List.of(bodies(0, 110)), lasting.finish(110));
        lasting.expectSilence(QUIET);
      }
    }
  }

  @Test
  void shouldKeepWhatCameBeforeEphemeralChannelsOnly() {
    try (BrokerProcess broker = BrokerProcess.started()) {
      try (RawNsqConnection ephemeral = broker.subscribe("live", X).line("RDY 100")) {
        publish(broker, "live", bodies(0, 5));
        assertEquals(List.of(bodies(0, 5)), ephemeral.finish(5));
        awaitDepth(broker, "live", 0);
      }
      awaitGone(broker, "live");
      publish(broker, "live", "kept");
      awaitDepth(broker, "live", 1);
      try (RawNsqConnection ephemeral = broker.subscribe("live", X).line("RDY 100")) {
        assertEquals(List.of("kept"), ephemeral.finish(1));
        awaitDepth(broker, "live", 1);
        // Whoever wants no channel that lasts, and nothing kept for one, says so.
        broker.http().post("/topic/empty?topic=live").expect(200, "");
        publish(broker, "live", "new");
        assertEquals(List.of("new"), ephemeral.finish(1));
        awaitDepth(broker, "live", 0);
      }

      publish(broker, "p", bodies(0, 3));
      broker.http().post("/topic/pause?topic=p").expect(200, "");
      try (RawNsqConnection ephemeral = broker.subscribe("p", X).line("RDY 100")) {
        publish(broker, "p", bodies(3, 5));
        ephemeral.expectSilence(QUIET);
        broker.http().post("/topic/unpause?topic=p").expect(200, "");
        assertEquals(List.of(bodies(0, 5)), ephemeral.finish(5));
        awaitDepth(broker, "p", 5);
      }
      // Who only looks changes nothing, also where there is no backlog yet.
      try (RawNsqConnection looks = broker.connect()) {
        looks.identify("{\"feature_negotiation\":true,\"keeps_backlog\":true}");
        looks.line("SUB peek " + X).expectOk().line("RDY 100").flushed();
        publish(broker, "peek", bodies(0, 3));
        assertEquals(List.of(bodies(0, 3)), looks.finish(3));
        awaitDepth(broker, "peek", 3);
        try (RawNsqConnection lasting = broker.subscribe("peek", "ch").line("RDY 100")) {
          assertEquals(List.of(bodies(0, 3)), lasting.finish(3));
        }
        broker.http().post("/channel/delete?topic=peek&channel=ch").expect(200, "");
        publish(broker, "peek", "3");
        assertEquals(List.of("3"), looks.finish(1));
        awaitDepth(broker, "peek", 1);
      }
      // On a topic that is ephemeral itself nothing can wait for a channel that lasts.
      publish(broker, "e#ephemeral", bodies(0, 3));
      try (RawNsqConnection ephemeral = broker.subscribe("e#ephemeral", X).line("RDY 100")) {
        assertEquals(List.of(bodies(0, 3)), ephemeral.finish(3));
        awaitDepth(broker, "e#ephemeral", 0);
      }
      broker.http().awaitTopic("e#ephemeral", JsonNode::isMissingNode);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"t", "t#ephemeral"})
  void shouldHandOverToWaitingConsumerWithoutMemoryQueue(String topic) {
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=0", "--mem-queue-bytes=1");
        RawNsqConnection consumer = broker.subscribe(topic, X).line("RDY 100").flushed()) {
      publish(broker, topic, bodies(0, 100));
      List<Frame.Msg> messages = consumer.messages(100);
      consumer.line("REQ " + messages.get(3).id() + " 0");
      consumer.line("REQ " + messages.get(4).id() + " 100");
      consumer.fin(messages.get(5));
      assertEquals(
          List.of("3", "4"), List.of(consumer.message().text(), consumer.message().text()));
      publish(broker, topic, "100", "dropped");
      assertEquals("100", consumer.message().text());
      try (RawNsqConnection other = broker.subscribe(topic, X).line("RDY 200").flushed()) {
        consumer.close();
        // In flight at a connection that ended: 100 of them, none dropped.
        assertEquals(100, other.messages(100).size());
        other.expectSilence(QUIET);
      }
    }
  }

  @Test
  void shouldNotDropByBytesWhatFitsByCount() {
    try (BrokerProcess broker =
            BrokerProcess.of("--mem-queue-bytes=1000", "--msg-timeout=400ms")
                .withJvm("-Xmx256m")
                .start();
        RawNsqConnection late = broker.subscribe("big", X)) {
      String mega = "m".repeat(1_000_000);
      try (RawNsqConnection publisher = broker.connect()) {
        for (int i = 0; i < 60; i++) {
          publisher.pub("big", i + mega);
        }
      }
      Http http = broker.http();
      assertEquals(60, http.channel("big", X).path("depth").asInt());
      List<Frame.Msg> first = late.line("RDY 60").messages(60);
      assertEquals(1_000_002, first.get(59).body().length);
      // None is finished, so all time out and come again.
      assertEquals(2, late.messages(60).get(59).attempts());
      assertEquals(0, http.channel("big", X).path("dropped_count").asInt());
    }
  }

  @Test
  void shouldNeitherKeepDiskNorStopPublishersWhenItsConsumerIsLate() {
    try (BrokerProcess broker =
        BrokerProcess.started("--mem-queue-size=50", "--max-disk-bytes-per-topic=8mb")) {
      Http http = broker.http();
      String body = "b".repeat(100_000);
      try (RawNsqConnection late = broker.subscribe("t", X);
          RawNsqConnection publisher = broker.connect()) {
        // As a backlog, then message by message: 12 MB each.
        for (int i = 0; i < 240; i++) {
          Frame answer = publisher.command("PUB t", body).frame();
          if (answer.type() == Frame.ERROR) {
            publisher.expectClosed();
            http.awaitTopic("t", t -> http.post("/pub?topic=t", "x").status() == 200);
            break;
          }
        }
        http.awaitChannel("t", X, c -> c.path("dropped_count").asInt() > 0);
        http.awaitTopic("t", t -> http.post("/pub?topic=t", body).status() == 200);
        late.line("RDY 10").messages(1);
      }
    }
  }
}
