package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What policies do to deliveries of the real broker, also when it is killed. */
class PolicyDeliverySystemTest {
  private static final Duration QUIET = Duration.ofMillis(300);

  private BrokerProcess broker;
  private Http http;

  @BeforeEach
  void start() {
    broker = BrokerProcess.started();
    http = broker.http();
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  private void restart() {
    broker.kill9();
    broker.start();
    http = broker.http();
  }

  private void channel(String topic, String channel, String policy) {
    http.post("/topic/create?topic=" + topic).expect(200, "");
    http.post("/channel/create?topic=" + topic + "&channel=" + channel).expect(200, "");
    Http.Response response =
        http.post("/channel/policy?topic=" + topic + "&channel=" + channel, policy);
    assertEquals(200, response.status(), response.body());
  }

  private void publish(String topic, String... bodies) {
    try (RawNsqConnection publisher = broker.connect()) {
      for (String body : bodies) {
        publisher.pub(topic, body);
      }
    }
  }

  private static List<String> texts(List<Frame.Msg> messages) {
    return messages.stream().map(Frame.Msg::text).toList();
  }

  @Test
  void aKillInTheLastAttemptLeavesADeadLetter() {
    channel("t", "c", "{\"max_attempts\":1}");
    publish("t", "a", "b", "c");
    try (RawNsqConnection consumer = broker.subscribe("t", "c")) {
      consumer.line("RDY 2");
      consumer.messages(2);
      http.awaitChannelCount("t", "c", "in_flight_count", 2);
      restart();
    }
    JsonNode channel = http.channel("t", "c");
    assertEquals(2, channel.path("dead_count").asInt());
    assertEquals(1, channel.path("depth").asInt());
    try (RawNsqConnection consumer = broker.subscribe("t", "c")) {
      consumer.line("RDY 10");
      assertEquals(List.of("c"), texts(consumer.messages(1)));
      consumer.expectSilence(QUIET);
      http.post("/channel/redrive?topic=t&channel=c").expect(200, "{\"count\":2}");
      List<Frame.Msg> again = consumer.messages(2);
      assertEquals(Set.of("a", "b"), new HashSet<>(texts(again)));
      assertEquals(1, again.get(0).attempts());
    }
  }

  @Test
  void deadLettersReachTheirTopicOverAKill() {
    channel("t", "c", "{\"max_attempts\":1,\"dead_letter\":\"t-dead\"}");
    List<String> bodies = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      bodies.add("m" + i);
    }
    publish("t", bodies.toArray(String[]::new));
    try (RawNsqConnection consumer = broker.subscribe("t", "c")) {
      consumer.line("RDY 200");
      for (Frame.Msg message : consumer.messages(200)) {
        consumer.line("REQ " + message.id() + " 0");
      }
      http.awaitChannelCount("t", "c", "in_flight_count", 0);
      restart();
    }
    http.awaitChannel("t", "c", channel -> channel.path("dead_count").asInt() == 0);
    http.awaitTopic("t-dead", topic -> topic.path("depth").asInt() >= 200);
    int depth = http.topic("t-dead").path("depth").asInt();
    Set<String> came = new HashSet<>();
    try (RawNsqConnection consumer = broker.subscribe("t-dead", "r")) {
      consumer.line("RDY 1000");
      consumer.messages(depth).forEach(message -> came.add(message.text()));
    }
    assertEquals(new HashSet<>(bodies), came);
    assertTrue(depth <= 400, "at most one more copy of each, not " + depth);
  }

  @Test
  void anOldMessageExpiresAlsoWhileTheBrokerIsDown() throws Exception {
    channel("t", "c", "{\"message_ttl\":\"1s\"}");
    publish("t", "old");
    broker.kill9();
    Thread.sleep(1100);
    broker.start();
    http = broker.http();
    assertEquals(1, http.channel("t", "c").path("depth").asInt());
    try (RawNsqConnection consumer = broker.subscribe("t", "c")) {
      consumer.line("RDY 10");
      http.awaitChannelCount("t", "c", "expired_count", 1);
      // Long enough for a busy machine.
      channel("t", "c", "{\"message_ttl\":\"1h\"}");
      publish("t", "new");
      assertEquals("new", consumer.message().text());
    }
    assertEquals(1, http.channel("t", "c").path("expired_count").asInt());
  }

  @Test
  void anOrderedChannelServesOneConsumerOneMessageAtATime() {
    channel("t", "c", "{\"ordered\":true}");
    publish("t", "1", "2", "3", "4");
    try (RawNsqConnection first = broker.subscribe("t", "c")) {
      first.line("RDY 10");
      Frame.Msg one = first.message();
      try (RawNsqConnection second = broker.subscribe("t", "c")) {
        second.line("RDY 10");
        second.expectSilence(QUIET);
        first.expectSilence(QUIET);
        first.line("REQ " + one.id() + " 0");
        Frame.Msg again = first.message();
        assertEquals("1", again.text());
        first.fin(again);
        assertEquals("2", first.message().text());
        first.close();
        Frame.Msg two = second.message();
        assertEquals("2", two.text());
        assertEquals(2, two.attempts());
        second.fin(two);
        Frame.Msg three = second.message();
        assertEquals("3", three.text());
        // Without anything in flight, CLS makes room for the next one.
        try (RawNsqConnection third = broker.subscribe("t", "c")) {
          third.line("RDY 10");
          second.line("CLS");
          third.expectSilence(QUIET);
          second.fin(three);
          assertEquals("4", third.message().text());
        }
      }
    }
  }

  @Test
  void anIdleConsumersClsMakesRoomForTheNext() {
    channel("t", "c", "{\"ordered\":true}");
    try (RawNsqConnection first = broker.subscribe("t", "c");
        RawNsqConnection second = broker.subscribe("t", "c")) {
      second.line("RDY 1");
      publish("t", "1");
      second.expectSilence(QUIET);
      first.line("CLS");
      assertEquals("1", second.message().text());
    }
  }

  @Test
  void aFullTopicRefusesFatally() {
    http.post("/topic/create?topic=t").expect(200, "");
    http.post("/channel/create?topic=t&channel=billing").expect(200, "");
    assertEquals(200, http.post("/topic/policy?topic=t", "{\"max_depth\":2}").status());
    publish("t", "1", "2");
    String full = "TOPIC(t) is full: 2 messages waiting in CHANNEL(billing), max_depth is 2";
    try (RawNsqConnection publisher = broker.connect()) {
      publisher.command("PUB t", "3").expectFatal("E_PUB_FAILED PUB failed " + full);
    }
    try (RawNsqConnection publisher = broker.connect()) {
      publisher
          .command("MPUB t", RawNsqConnection.batch("3", "4"))
          .expectFatal("E_MPUB_FAILED MPUB failed " + full);
    }
    try (RawNsqConnection publisher = broker.connect()) {
      publisher.command("DPUB t 1000", "3").expectFatal("E_DPUB_FAILED DPUB failed " + full);
    }
    assertEquals(4, http.topic("t").path("rejected_count").asInt());
    http.get("/ping").expect(200, "OK");
    assertEquals(
        200, http.post("/topic/policy?topic=t", "{\"when_full\":\"drop_oldest\"}").status());
    publish("t", "3");
    try (RawNsqConnection publisher = broker.connect()) {
      publisher.mpub("t", "4", "5", "6");
    }
    restart();
    assertEquals(2, http.channel("t", "billing").path("depth").asInt());
    try (RawNsqConnection consumer = broker.subscribe("t", "billing")) {
      consumer.line("RDY 10");
      assertEquals(List.of("5", "6"), texts(consumer.messages(2)));
      consumer.expectSilence(QUIET);
    }
  }

  @Test
  void consumersTogetherGetNoMoreThanTheChannelMayHaveInFlight() {
    channel("t", "c", "{\"max_in_flight\":3,\"msg_timeout\":\"60s\"}");
    publish("t", "1", "2", "3", "4");
    try (RawNsqConnection first = broker.subscribe("t", "c");
        RawNsqConnection second = broker.subscribe("t", "c")) {
      first.line("RDY 2");
      List<Frame.Msg> two = first.messages(2);
      second.line("RDY 10");
      second.messages(1);
      second.expectSilence(QUIET);
      first.line("RDY 0").fin(two.get(0));
      second.message();
    }
  }
}
