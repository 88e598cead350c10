package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GET /channel/peek of the real broker: what waits for whom, and nothing changes. */
class ChannelPeekSystemTest {
  private static BrokerProcess broker;
  private static Http http;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
    http = broker.http();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static JsonNode peek(Http of, String query) {
    Http.Response response = of.get("/channel/peek?" + query);
    assertEquals(200, response.status(), response.body());
    return response.json();
  }

  private static List<String> bodies(JsonNode peeked) {
    List<String> bodies = new ArrayList<>();
    peeked.path("messages").forEach(message -> bodies.add(message.path("body").asText()));
    return bodies;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 10_000})
  void readyOnesAreShownInTheOrderOfDelivery(int memQueueSize) {
    try (BrokerProcess some = BrokerProcess.started("--mem-queue-size=" + memQueueSize)) {
      some.http().post("/topic/create?topic=t");
      some.http().post("/channel/create?topic=t&channel=c");
      some.http().post("/channel/pause?topic=t&channel=c");
      try (RawNsqConnection client = some.connect()) {
        client.mpub("t", "m0", "m1", "m2").pub("t", "m3").pub("t", "m4");
      }
      JsonNode peeked = peek(some.http(), "topic=t&channel=c");
      assertEquals("ready", peeked.path("state").asText());
      assertEquals(List.of("m0", "m1", "m2", "m3", "m4"), bodies(peeked));
      assertEquals(0, peeked.path("messages").get(0).path("attempts").asInt());
      assertEquals(List.of("m0", "m1"), bodies(peek(some.http(), "topic=t&channel=c&n=2")));
      some.kill9();
      some.start();
      assertEquals(
          List.of("m0", "m1", "m2", "m3", "m4"), bodies(peek(some.http(), "topic=t&channel=c")));
      some.http().post("/channel/unpause?topic=t&channel=c");
      try (RawNsqConnection consumer = some.connect()) {
        consumer.line("SUB t c").expectOk().line("RDY 5");
        assertEquals(
            List.of("m0", "m1", "m2", "m3", "m4"),
            consumer.messages(5).stream().map(Frame.Msg::text).toList());
      }
    }
  }

  @Test
  void whatIsInFlightAndDeferred() {
    http.post("/topic/create?topic=kinds");
    http.post("/channel/create?topic=kinds&channel=c");
    http.post("/pub?topic=kinds&defer=600000", "later");
    http.post("/pub?topic=kinds&defer=60000", "sooner");
    try (RawNsqConnection client = broker.connect()) {
      client.mpub("kinds", "a", "b", "c");
    }
    try (RawNsqConnection consumer = broker.connect()) {
      consumer.line("SUB kinds c").expectOk().line("RDY 2");
      Frame.Msg first = consumer.message();
      consumer.message();
      JsonNode inFlight = peek(http, "topic=kinds&channel=c&state=in_flight");
      assertEquals(List.of("a", "b"), bodies(inFlight));
      JsonNode shown = inFlight.path("messages").get(0);
      assertEquals(first.id(), shown.path("id").asText());
      assertEquals(1, shown.path("attempts").asInt());
      Duration left = Duration.between(Instant.now(), Instant.parse(shown.path("due").asText()));
      assertTrue(left.toSeconds() > 30 && left.toSeconds() <= 60, left.toString());
      consumer.line("REQ " + first.id() + " 0");
      assertEquals("c", consumer.message().text());
      JsonNode ready = peek(http, "topic=kinds&channel=c");
      assertEquals(List.of("a"), bodies(ready));
      assertEquals(1, ready.path("messages").get(0).path("attempts").asInt());
      JsonNode deferred = peek(http, "topic=kinds&channel=c&state=deferred");
      assertEquals(List.of("sooner", "later"), bodies(deferred));
      left =
          Duration.between(
              Instant.now(), Instant.parse(deferred.path("messages").get(1).path("due").asText()));
      assertTrue(left.toSeconds() > 500 && left.toSeconds() <= 600, left.toString());
      assertEquals(
          List.of("sooner"), bodies(peek(http, "topic=kinds&channel=c&state=deferred&n=1")));
    }
  }

  @Test
  void anEphemeralChannelHasItsMessages() {
    try (RawNsqConnection consumer = broker.connect()) {
      consumer.line("SUB short x#ephemeral").expectOk();
      http.post("/pub?topic=short", "m");
      assertEquals(List.of("m"), bodies(peek(http, "topic=short&channel=x%23ephemeral")));
    }
  }

  @Test
  void badArguments() {
    http.post("/topic/create?topic=args");
    http.post("/channel/create?topic=args&channel=c");
    http.get("/channel/peek").expectError(400, "MISSING_ARG_TOPIC");
    http.get("/channel/peek?topic=args").expectError(400, "MISSING_ARG_CHANNEL");
    http.get("/channel/peek?topic=no&channel=c").expectError(404, "TOPIC_NOT_FOUND");
    http.get("/channel/peek?topic=args&channel=no").expectError(404, "CHANNEL_NOT_FOUND");
    String base = "/channel/peek?topic=args&channel=c";
    http.get(base + "&state=READY").expectError(400, "INVALID_ARG_STATE");
    http.get(base + "&n=0").expectError(400, "INVALID_ARG_N");
    http.get(base + "&bytes=x").expectError(400, "INVALID_ARG_BYTES");
    http.post(base).expectError(405, "METHOD_NOT_ALLOWED");
    JsonNode none = peek(http, "topic=args&channel=c");
    assertEquals(0, none.path("messages").size());
    assertFalse(none.has("next"));
  }
}
