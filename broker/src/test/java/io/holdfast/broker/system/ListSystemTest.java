package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GET /list: pages of topics, channels and connections; and large answers packed. */
class ListSystemTest {
  private static final int TOPICS = 40;

  private static BrokerProcess broker;

  @BeforeAll
  static void start() {
    Reference.holdfastOnly("nsqd has no /list");
    broker = BrokerProcess.started();
    for (int i = 0; i < TOPICS; i++) {
      broker.http().post("/topic/create?topic=topic." + (100 + i)).expect(200, "");
    }
    broker.http().post("/mpub?topic=topic.139", "x\n".repeat(6)).expect(200, "OK");
    broker.http().post("/pub?topic=topic.139", "y".repeat(20_000)).expect(200, "OK");
    broker.http().post("/topic/pause?topic=topic.105").expect(200, "");
    for (int i = 0; i < 3; i++) {
      broker.http().post("/channel/create?topic=topic.120&channel=c" + i).expect(200, "");
    }
    broker.http().post("/mpub?topic=topic.120", "x\n".repeat(5)).expect(200, "OK");
  }

  @AfterAll
  static void stop() {
    if (broker != null) {
      broker.close();
    }
  }

  private static JsonNode list(String query) {
    return broker.http().get("/list?" + query).json();
  }

  private static List<String> texts(JsonNode list, String field) {
    List<String> texts = new ArrayList<>();
    list.path("rows").forEach(row -> texts.add(row.path(field).asText()));
    return texts;
  }

  @Test
  void shouldCutPages() {
    JsonNode first = list("of=topics&n=3");
    assertEquals(List.of("topic.100", "topic.101", "topic.102"), texts(first, "topic_name"));
    assertEquals(TOPICS, first.path("total").asInt());
    assertEquals(TOPICS, first.path("found").asInt());
    JsonNode last = list("of=topics&n=3&from=" + (TOPICS - 1));
    assertEquals(List.of("topic.139"), texts(last, "topic_name"));
    assertEquals(List.of(), texts(list("of=topics&from=2000000000"), "topic_name"));
  }

  @Test
  void shouldSortAllBeforeItCuts() {
    JsonNode deepest = list("of=topics&sort=depth&order=desc&n=2");
    assertEquals(List.of("topic.139", "topic.100"), texts(deepest, "topic_name"));
    assertEquals(7, deepest.path("rows").path(0).path("depth").asInt());
    JsonNode down = list("of=topics&order=desc&n=1");
    assertEquals(List.of("topic.139"), texts(down, "topic_name"));
    JsonNode waiting = list("of=topics&sort=waiting&order=desc&n=1");
    assertEquals(List.of("topic.120"), texts(waiting, "topic_name"));
    assertEquals(15, waiting.path("rows").path(0).path("waiting").asInt());
    assertEquals(3, waiting.path("rows").path(0).path("channel_count").asInt());
  }

  @Test
  void shouldFilter() {
    JsonNode found = list("of=topics&filter=%20PIC.11");
    assertEquals(10, found.path("found").asInt());
    assertEquals(TOPICS, found.path("total").asInt());
    assertEquals(List.of("topic.105"), texts(list("of=topics&filter=paused"), "topic_name"));
    assertEquals(List.of("topic.120"), texts(list("of=topics&topic=topic.120"), "topic_name"));
    assertEquals(List.of(), texts(list("of=topics&topic=other"), "topic_name"));
  }

  @Test
  void shouldListChannels() {
    JsonNode channels = list("of=channels&topic=topic.120&sort=channel_name&order=desc");
    assertEquals(List.of("c2", "c1", "c0"), texts(channels, "channel_name"));
    assertEquals(List.of("5", "5", "5"), texts(channels, "depth"));
    assertEquals(List.of(), texts(list("of=channels&topic=other"), "channel_name"));
    assertEquals(List.of("c1"), texts(list("of=channels&channel=c1"), "channel_name"));
  }

  @Test
  void shouldKnowRates() {
    Awaitility.await()
        .until(
            () -> {
              broker.http().post("/pub?topic=topic.110", "x").expect(200, "OK");
              JsonNode fastest = list("of=topics&sort=rate&order=desc&n=1").path("rows").path(0);
              return fastest.path("rate").asDouble() > 0
                  && fastest.path("topic_name").asText().equals("topic.110");
            });
  }

  @Test
  void shouldListConnections() {
    try (RawNsqConnection consumer = broker.subscribe("topic.101", "c");
        RawNsqConnection producer = broker.connect()) {
      producer.identify("{\"client_id\":\"two\",\"user_agent\":\"Agent/2\"}");
      producer.pub("topic.101", "x");
      JsonNode consumers = list("of=consumers&topic=topic.101&sort=connect_ts");
      assertEquals(List.of("topic.101"), texts(consumers, "topic"));
      assertEquals(List.of("c"), texts(consumers, "channel"));
      JsonNode producers = list("of=producers&filter=agent/2&sort=published");
      assertEquals(List.of("two"), texts(producers, "client_id"));
      assertEquals(List.of("1"), texts(producers, "published"));
      assertEquals(0, list("of=producers&filter=agent/3").path("found").asInt());
      assertEquals(1, list("of=producers&filter=agent/3").path("total").asInt());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'', INVALID_ARG_OF",
    "of=topic, INVALID_ARG_OF",
    "of=topics&sort=name, INVALID_ARG_SORT",
    "of=topics&order=down, INVALID_ARG_ORDER",
    "of=topics&from=-1, INVALID_ARG_FROM",
    "of=topics&n=0, INVALID_ARG_N",
    "of=topics&n=1001, INVALID_ARG_N",
  })
  void shouldRefuseWrongArguments(String query, String code) {
    broker.http().get("/list?" + query).expectError(400, code);
  }

  @Test
  void shouldPackLargeAnswersForWhoAcceptsIt() {
    String head = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    String target = "GET /topic/peek?topic=topic.139&bytes=20000" + head;
    Http.Response plain = broker.http().raw(target + "\r\n", false);
    assertNull(plain.header("Content-Encoding"));
    assertEquals("Accept-Encoding", plain.header("Vary"));
    assertTrue(plain.body().contains("y".repeat(20_000)), plain.body());
    Http.Response packed =
        broker.http().raw(target + "Accept-Encoding: gzip, deflate\r\n\r\n", false);
    assertEquals("gzip", packed.header("Content-Encoding"));
    assertEquals(plain.header("Content-Type"), packed.header("Content-Type"));
    assertEquals(String.valueOf(packed.body().length()), packed.header("Content-Length"));
    assertTrue(packed.body().length() < plain.body().length() / 2, packed.body());
    Http.Response small =
        broker.http().raw("GET /info" + head + "Accept-Encoding: gzip\r\n\r\n", false);
    assertNull(small.header("Content-Encoding"));
    assertNull(small.header("Vary"));
  }
}
