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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** GET /topic/peek of the real broker: it shows what the journal has, and changes nothing. */
class TopicPeekSystemTest {
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

  private static JsonNode peek(String query) {
    Http.Response response = http.get("/topic/peek?" + query);
    assertEquals(200, response.status(), response.body());
    return response.json();
  }

  private static List<String> bodies(JsonNode peeked) {
    List<String> bodies = new ArrayList<>();
    peeked.path("messages").forEach(message -> bodies.add(message.path("body").asText()));
    return bodies;
  }

  @Test
  void pagesGoThroughAllMessagesFinishedOrNot() {
    try (RawNsqConnection client = broker.connect()) {
      client.mpub("pages", "m0", "m1", "m2").pub("pages", "m3").pub("pages", "m4");
    }
    try (RawNsqConnection consumer = broker.connect()) {
      consumer.line("SUB pages c").expectOk().line("RDY 2");
      Frame.Msg first = consumer.message();
      consumer.fin(first).flushed();
      JsonNode page = peek("topic=pages&n=2");
      assertEquals("pages", page.path("topic").asText());
      assertEquals(List.of("m0", "m1"), bodies(page));
      JsonNode shown = page.path("messages").get(0);
      assertEquals(first.id(), shown.path("id").asText());
      assertEquals(first.timestampNs(), shown.path("timestamp").asLong());
      assertEquals(2, shown.path("size").asInt());
      assertFalse(shown.path("truncated").asBoolean());
      assertFalse(shown.has("attempts"));
      assertFalse(shown.has("due"));
      page = peek("topic=pages&n=2&from=" + page.path("next").asText());
      assertEquals(List.of("m2", "m3"), bodies(page));
      String third = page.path("messages").get(0).path("id").asText();
      page = peek("topic=pages&n=2&from=" + page.path("next").asText());
      assertEquals(List.of("m4"), bodies(page));
      assertTrue(page.path("next").isNull());
      assertEquals(List.of("m2", "m3", "m4"), bodies(peek("topic=pages&from=" + third)));
    }
    assertEquals(5, http.awaitChannel("pages", "c", c -> true).path("message_count").asInt());
  }

  @Test
  void placesInTimeAndAtTheEnds() {
    http.post("/pub?topic=times", "old");
    String between = Instant.now().toString();
    http.post("/pub?topic=times", "new");
    assertEquals(List.of("new"), bodies(peek("topic=times&from=" + between)));
    assertEquals(List.of("old", "new"), bodies(peek("topic=times&from=-1h")));
    assertEquals(List.of("old", "new"), bodies(peek("topic=times&from=start")));
    for (String beyond : List.of("end", "2199-01-01T00:00:00Z", "ffffffffffffffff")) {
      http.get("/topic/peek?topic=times&from=" + beyond)
          .expect(200, "{\"topic\":\"times\",\"messages\":[],\"next\":null}");
    }
  }

  @Test
  void bodiesThatAreCutOrNoText() {
    try (RawNsqConnection client = broker.connect()) {
      client.pub("bodies", "a\u00c3\u00a9b").pub("bodies", "\u00ff\u00fe");
    }
    JsonNode messages = peek("topic=bodies&bytes=2").path("messages");
    assertEquals("a", messages.get(0).path("body").asText());
    assertTrue(messages.get(0).path("truncated").asBoolean());
    assertEquals(4, messages.get(0).path("size").asInt());
    assertEquals("//4=", messages.get(1).path("body_base64").asText());
    assertFalse(messages.get(1).has("body"));
    assertFalse(messages.get(1).path("truncated").asBoolean());
    assertEquals("", peek("topic=bodies&bytes=0").path("messages").get(0).path("body").asText());
  }

  @Test
  void badArguments() {
    http.get("/topic/peek").expectError(400, "MISSING_ARG_TOPIC");
    http.get("/topic/peek?topic=not-there").expectError(404, "TOPIC_NOT_FOUND");
    http.post("/pub?topic=args", "x");
    for (String n : List.of("0", "1001", "x", "")) {
      http.get("/topic/peek?topic=args&n=" + n).expectError(400, "INVALID_ARG_N");
    }
    for (String bytes : List.of("-1", "1048577", "1k")) {
      http.get("/topic/peek?topic=args&bytes=" + bytes).expectError(400, "INVALID_ARG_BYTES");
    }
    http.get("/topic/peek?topic=args&from=soon").expectError(400, "INVALID_ARG_FROM");
    http.post("/topic/peek?topic=args").expectError(405, "METHOD_NOT_ALLOWED");
    assertEquals(404, http.get("/topic/peek?topic=not-there").status(), "nothing was created");
  }

  @Test
  void sixteenMebibytesAtOnceAtMost() {
    String body = "z".repeat(1 << 20);
    for (int i = 0; i < 18; i++) {
      http.post("/pub?topic=large", body);
    }
    JsonNode page = peek("topic=large&n=1000&bytes=1048576");
    assertEquals(16, page.path("messages").size());
    assertEquals(2, peek("topic=large&from=" + page.path("next").asText()).path("messages").size());
  }
}
