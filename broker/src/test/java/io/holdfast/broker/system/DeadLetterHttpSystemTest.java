package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dead letters and full topics of the real broker over HTTP: seen, counted, ended, refused. */
class DeadLetterHttpSystemTest {
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

  private static String channel(String topic) {
    http.post("/topic/create?topic=" + topic).expect(200, "");
    http.post("/channel/create?topic=" + topic + "&channel=c").expect(200, "");
    return "topic=" + topic + "&channel=c";
  }

  /** Publishes, and has each of them die at its first attempt. */
  private static String dead(String topic, String... bodies) {
    String names = channel(topic);
    assertEquals(200, http.post("/channel/policy?" + names, "{\"max_attempts\":1}").status());
    for (String body : bodies) {
      http.post("/pub?topic=" + topic, body).expect(200, "OK");
    }
    try (RawNsqConnection consumer = broker.subscribe(topic, "c")) {
      consumer.line("RDY 1");
      for (int i = 0; i < bodies.length; i++) {
        Frame.Msg message = consumer.message();
        consumer.line("REQ " + message.id() + " 0");
      }
    }
    Awaitility.await().until(() -> deadCount(topic) == bodies.length);
    return names;
  }

  private static JsonNode stats(String topic) {
    return http.get("/stats?format=json&topic=" + topic).json().path("topics").path(0);
  }

  private static int deadCount(String topic) {
    return stats(topic).path("channels").path(0).path("dead_count").asInt();
  }

  private static JsonNode peek(String names) {
    Http.Response response = http.get("/channel/peek?state=dead&" + names);
    assertEquals(200, response.status(), response.body());
    return response.json().path("messages");
  }

  private static List<String> bodies(JsonNode messages) {
    List<String> bodies = new ArrayList<>();
    messages.forEach(message -> bodies.add(message.path("body").asText()));
    return bodies;
  }

  @Test
  void deadLettersAreSeenCountedAndEnded() {
    Instant before = Instant.now().minusMillis(1);
    String names = dead("ends", "a", "b", "c", "d");
    JsonNode messages = peek(names);
    assertEquals(List.of("a", "b", "c", "d"), bodies(messages));
    JsonNode first = messages.get(0);
    assertEquals("ends", first.path("topic").asText());
    assertEquals(1, first.path("attempts").asInt());
    assertEquals("max_attempts", first.path("reason").asText());
    Instant died = Instant.parse(first.path("died").asText());
    assertFalse(died.isBefore(before) || died.isAfter(Instant.now()), died::toString);
    assertFalse(first.has("due"));
    JsonNode channel = stats("ends").path("channels").path(0);
    assertEquals(0, channel.path("depth").asInt());
    assertEquals(4, channel.path("dead_letter_count").asInt());
    assertFalse(channel.has("dead_dropped_count"));
    assertFalse(stats("ends").has("dropped_count"));
    String metrics = http.get("/metrics").body();
    String labels = "{channel=\"c\",topic=\"ends\"} ";
    assertTrue(metrics.contains("nsq_channel_dead_count" + labels + "4.0"), metrics);
    assertTrue(metrics.contains("holdfast_channel_dead_letter_total" + labels + "4.0"), metrics);
    assertTrue(metrics.contains("holdfast_channel_dead_dropped_total" + labels + "0.0"), metrics);
    assertTrue(metrics.contains("holdfast_channel_expired_total" + labels + "0.0"), metrics);

    String id = messages.get(1).path("id").asText();
    http.post("/channel/redrive?" + names + "&id=" + id).expect(200, "{\"count\":1}");
    http.post("/channel/redrive?" + names + "&id=" + id)
        .expect(404, "{\"message\":\"MESSAGE_NOT_FOUND\"}");
    http.post("/channel/discard?" + names + "&n=1").expect(200, "{\"count\":1}");
    assertEquals(List.of("c", "d"), bodies(peek(names)));
    assertEquals(
        "b",
        http.get("/channel/peek?" + names).json().path("messages").path(0).path("body").asText());
    http.post("/channel/discard?" + names + "&n=1000").expect(200, "{\"count\":2}");
    http.post("/channel/discard?" + names).expect(200, "{\"count\":0}");
    http.post("/channel/redrive?" + names).expect(200, "{\"count\":0}");
    try (RawNsqConnection consumer = broker.subscribe("ends", "c")) {
      consumer.line("RDY 1");
      Frame.Msg again = consumer.message();
      assertEquals("b", again.text());
      assertEquals(1, again.attempts());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "id=0, 400, INVALID_ARG_ID",
    "id=00000000000000zz, 400, INVALID_ARG_ID",
    "id=18a4b7ccaf669000&n=1, 400, INVALID_ARG_ID",
    "id=18a4b7ccaf669000, 404, MESSAGE_NOT_FOUND",
    "n=0, 400, INVALID_ARG_N",
    "n=x, 400, INVALID_ARG_N"
  })
  void whatIsWrongIsSaid(String arguments, int status, String message) {
    String names = channel("wrong");
    for (String verb : List.of("redrive", "discard")) {
      http.post("/channel/" + verb + "?" + names + "&" + arguments)
          .expect(status, "{\"message\":\"" + message + "\"}");
    }
  }

  @Test
  void namesAreCheckedAsElsewhere() {
    for (String path : List.of("/channel/redrive", "/channel/discard")) {
      http.post(path).expect(400, "{\"message\":\"MISSING_ARG_TOPIC\"}");
      http.post(path + "?topic=t").expect(400, "{\"message\":\"MISSING_ARG_CHANNEL\"}");
      http.post(path + "?topic=nowhere&channel=c").expect(404, "{\"message\":\"TOPIC_NOT_FOUND\"}");
      channel("wrong");
      http.post(path + "?topic=wrong&channel=nowhere")
          .expect(404, "{\"message\":\"CHANNEL_NOT_FOUND\"}");
    }
  }

  @Test
  void aFullTopicAnswers429() {
    channel("full");
    assertEquals(200, http.post("/topic/policy?topic=full", "{\"max_depth\":2}").status());
    http.post("/mpub?topic=full", "a\nb").expect(200, "OK");
    String message =
        "{\"message\":\"TOPIC(full) is full: 2 messages waiting in CHANNEL(c), max_depth is 2\"}";
    http.post("/pub?topic=full", "c").expect(429, message);
    http.post("/mpub?topic=full", "c\nd").expect(429, message);
    http.post("/pub?topic=full&defer=1000", "c").expect(429, message);
    http.get("/ping").expect(200, "OK");
    assertEquals(4, stats("full").path("rejected_count").asInt());
    assertTrue(
        http.get("/metrics").body().contains("holdfast_topic_rejected_total{topic=\"full\"} 4.0"));
  }
}
