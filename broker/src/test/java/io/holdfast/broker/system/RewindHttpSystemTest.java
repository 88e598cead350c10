package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** /channel/rewind and /channel/create?from= of the real broker: every way to name a place. */
class RewindHttpSystemTest {
  private static BrokerProcess broker;
  private static Http http;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started("--retention=1h");
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

  private static List<String> ready(String topic, String channel) {
    Http.Response response = http.get("/channel/peek?topic=" + topic + "&channel=" + channel);
    assertEquals(200, response.status(), response.body());
    List<String> bodies = new ArrayList<>();
    response.json().path("messages").forEach(message -> bodies.add(message.path("body").asText()));
    return bodies;
  }

  private static JsonNode rewind(String names, String to) {
    Http.Response response = http.post("/channel/rewind?" + names + "&to=" + to);
    assertEquals(200, response.status(), response.body());
    return response.json();
  }

  @Test
  void aChannelIsPutToEachKindOfPlace() {
    String names = channel("places");
    http.post("/mpub?topic=places", "a\nb\nc").expect(200, "OK");
    try (RawNsqConnection consumer = broker.subscribe("places", "c")) {
      consumer.line("RDY 3");
      consumer.messages(3).forEach(message -> consumer.line("FIN " + message.id()));
    }
    String between = Instant.now().toString();
    http.post("/pub?topic=places", "d").expect(200, "OK");
    JsonNode all = http.get("/topic/peek?topic=places").json().path("messages");

    JsonNode start = rewind(names, "start");
    assertEquals(all.get(0).path("id"), start.path("id"));
    assertEquals(all.get(0).path("time"), start.path("time"));
    assertEquals(4, start.path("ready").asInt());
    assertEquals(0, start.path("skipped").asInt());
    assertEquals(List.of("a", "b", "c", "d"), ready("places", "c"));

    String second = all.get(1).path("id").asText();
    assertEquals(second, rewind(names, second).path("id").asText());
    assertEquals(List.of("b", "c", "d"), ready("places", "c"));

    JsonNode later = rewind(names, between);
    assertEquals(all.get(3).path("id"), later.path("id"));
    assertEquals(2, later.path("skipped").asInt());
    assertEquals(List.of("d"), ready("places", "c"));

    rewind(names, "-30m");
    broker.kill9();
    broker.start();
    assertEquals(List.of("a", "b", "c", "d"), ready("places", "c"));

    http.post("/channel/rewind?" + names + "&to=end")
        .expect(200, "{\"id\":null,\"time\":null,\"ready\":0,\"skipped\":4}");
    assertEquals(List.of(), ready("places", "c"));
    rewind(names, between.replace("Z", "%2B00:00"));
    assertEquals(List.of("d"), ready("places", "c"));

    http.post("/channel/create?topic=places&channel=new&from=" + second).expect(200, "");
    assertEquals(List.of("b", "c", "d"), ready("places", "new"));
    http.post("/channel/create?topic=places&channel=new&from=start").expect(200, "");
    assertEquals(List.of("b", "c", "d"), ready("places", "new"));
    http.post("/channel/create?topic=places&channel=other").expect(200, "");
    assertEquals(List.of(), ready("places", "other"));
  }

  @ParameterizedTest
  @CsvSource({
    "rewind, '', 400, MISSING_ARG_TO",
    "rewind, &to=, 400, INVALID_ARG_TO",
    "rewind, &to=yesterday, 400, INVALID_ARG_TO",
    "rewind, &to=1h, 400, INVALID_ARG_TO",
    "rewind, &to=2026-11-22T20:06:22, 400, INVALID_ARG_TO",
    "rewind, &to=0fffffffffffffff, 404, MESSAGE_NOT_FOUND",
    "create, &from=yesterday, 400, INVALID_ARG_FROM",
    "create, &from=, 400, INVALID_ARG_FROM"
  })
  void whatIsWrongIsSaid(String verb, String argument, int status, String message) {
    String names = channel("wrong");
    http.post("/channel/" + verb + "?" + names + argument)
        .expect(status, "{\"message\":\"" + message + "\"}");
  }

  @Test
  void nothingIsCreatedByWhatIsWrong() {
    channel("few");
    http.post("/channel/create?topic=few&channel=x&from=0fffffffffffffff")
        .expect(404, "{\"message\":\"MESSAGE_NOT_FOUND\"}");
    http.post("/channel/create?topic=few&channel=x%23ephemeral&from=start")
        .expect(400, "{\"message\":\"EPHEMERAL_CHANNEL\"}");
    assertEquals(1, http.topic("few").path("channels").size());
    try (RawNsqConnection consumer = broker.subscribe("few", "x#ephemeral")) {
      http.post("/channel/rewind?topic=few&channel=x%23ephemeral&to=start")
          .expect(400, "{\"message\":\"EPHEMERAL_CHANNEL\"}");
      assertTrue(broker.isAlive());
    }
    http.post("/channel/rewind?topic=few&channel=nowhere&to=start")
        .expect(404, "{\"message\":\"CHANNEL_NOT_FOUND\"}");
    http.post("/channel/rewind?topic=nowhere&channel=c&to=start")
        .expect(404, "{\"message\":\"TOPIC_NOT_FOUND\"}");
    http.post("/channel/rewind?topic=few&to=start")
        .expect(400, "{\"message\":\"MISSING_ARG_CHANNEL\"}");
  }
}
