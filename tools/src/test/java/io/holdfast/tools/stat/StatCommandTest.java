package io.holdfast.tools.stat;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StatCommandTest {
  private FakeBroker broker;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
    broker.httpAnswers.put("/stats", stats(10));
  }

  @AfterEach
  void close() throws IOException {
    broker.close();
  }

  private static String stats(int messages) {
    return """
    {"version":"x","health":"OK","start_time":1,"topics":[
     {"topic_name":"t","depth":1,"backend_depth":0,"message_count":%d,"paused":true,"channels":[
      {"channel_name":"c","depth":3,"backend_depth":2,"in_flight_count":1,"deferred_count":1,
       "message_count":%d,"requeue_count":7,"timeout_count":8,"client_count":2,"paused":false},
      {"channel_name":"d","depth":0,"message_count":5}]},
     {"topic_name":"u","depth":0,"backend_depth":0,"message_count":0,"channels":[]}],
     "producers":null}
    """
        .formatted(messages, messages);
  }

  @Test
  void shouldPrintATable() throws Exception {
    ToolRun run = ToolRun.start("", "stat", "-n", "1", "-b", broker.http().toString());
    assertEquals(0, run.code(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(0).endsWith("brokers 1 of 1, topics 2, channels 2"), lines.get(0));
    assertTrue(lines.get(1).matches("TOPIC / CHANNEL +DEPTH +BACKEND.*OUT/S"), lines.get(1));
    assertTrue(lines.get(2).matches("t \\(paused\\) +1 +0 +10 +0 +"), lines.get(2));
    assertTrue(lines.get(3).matches("  c +3 +2 +1 +1 +- +7 +8 +10 +2 +0 +0"), lines.get(3));
    assertTrue(lines.get(5).startsWith("u "), lines.get(5));
  }

  @Test
  void shouldShowDeadLettersOfWhoKeepsThem() throws Exception {
    String holdfast =
        stats(10)
            .replace("\"health\"", "\"holdfast_version\":\"1.1\",\"health\"")
            .replace("\"deferred_count\":1,", "\"deferred_count\":1,\"dead_count\":1234,");
    broker.httpAnswers.put("/stats", holdfast);
    ToolRun run = ToolRun.start("", "stat", "-n", "1", "-b", broker.http().toString());
    assertEquals(0, run.code(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(1).contains("  DEFERRED   DEAD  REQUEUED"), lines.get(1));
    assertTrue(lines.get(3).matches("  c +3 +2 +1 +1 +1,234 +7 +8 +10 +2 +0 +0"), lines.get(3));
    assertTrue(lines.get(4).matches("  d +0 +0 +0 +0 +0 +0 +0 +5 +0 +0 +0"), lines.get(4));
    try (FakeBroker nsqd = new FakeBroker()) {
      nsqd.httpAnswers.put("/stats", stats(10));
      String both = broker.http() + "," + nsqd.http();
      ToolRun json = ToolRun.start("", "stat", "-n", "1", "-f", "json", "-c", "c", "-b", both);
      assertEquals(0, json.code(), json.err());
      assertTrue(json.out().contains("\"dead_count\":1234,"), json.out());
      String alone = nsqd.http().toString();
      json = ToolRun.start("", "stat", "-n", "1", "-f", "json", "-c", "c", "-b", alone);
      assertEquals(0, json.code(), json.err());
      assertFalse(json.out().contains("dead_count"), json.out());
    }
  }

  @Test
  void shouldSumBrokersFilterAndPrintJson() throws Exception {
    try (FakeBroker other = new FakeBroker()) {
      other.httpAnswers.put("/stats", stats(20));
      ToolRun run =
          ToolRun.start(
              "",
              "stat",
              "-n",
              "1",
              "-f",
              "json",
              "-t",
              "t",
              "-c",
              "c",
              "-b",
              broker.http() + "," + other.http() + ",127.0.0.1:1");
      assertEquals(0, run.code(), run.err());
      List<String> lines = run.out().lines().toList();
      assertEquals(2, lines.size(), run.out());
      JsonNode channel = new ObjectMapper().readTree(lines.get(1));
      assertEquals("c", channel.get("channel").asText());
      assertEquals(6, channel.get("depth").asInt());
      assertEquals(30, channel.get("message_count").asInt());
      assertEquals(4, channel.get("client_count").asInt());
      assertEquals("127.0.0.1:1: no connection", run.err().strip());
    }
  }

  @Test
  void shouldNotLetNamesSteerTheTerminal() throws Exception {
    broker.httpAnswers.put(
        "/stats",
        "{\"health\":\"NOK - \\u001b[31m\",\"topics\":[{\"topic_name\":\"t\\u001b[2J\\n"
            + "x\",\"channels\":[{\"channel_name\":\"c\\u009b1\"}]}]}");
    String[] args = {"stat", "-n", "1", "-b", broker.http().toString()};
    for (ToolRun run : List.of(ToolRun.start("", args), ToolRun.onTerminal(args))) {
      assertEquals(0, run.code(), run.err());
      assertTrue(run.out().contains("NOK - \\u001b[31m"), run.out());
      assertTrue(run.out().contains("\nt\\u001b[2J\\nx "), run.out());
      assertTrue(run.out().chars().noneMatch(c -> c != '\n' && Character.isISOControl(c)));
    }
  }

  @Test
  void shouldGoOnUntilStopped() throws Exception {
    ToolRun run = ToolRun.start("", "stat", "-i", "20ms", "-b", broker.http().toString());
    await().until(() -> run.out().split("TOPIC / CHANNEL").length > 3);
    run.stop.stop();
    assertEquals(0, run.code(), run.err());
  }

  @Test
  void shouldComputeRatesThatAreNeverNegative() {
    StatRow before = new StatRow("t", "c", 10, 0, 0, 0, 0, 0, 0, 100, 1, false);
    StatRow after = new StatRow("t", "c", 20, 0, 5, 3, 2, 0, 0, 300, 1, false);
    StatSample first = sample(0, before);
    StatSample second = sample(2_000_000_000L, after);
    StatSample.Rated rated = second.since(first).get(0);
    assertEquals(100, rated.inPerSecond(), 0.001);
    assertEquals(90, rated.outPerSecond(), 0.001);
    StatSample.Rated restarted = sample(4_000_000_000L, before).since(second).get(0);
    assertEquals(0, restarted.inPerSecond(), 0.001);
  }

  private static StatSample sample(long nanos, StatRow row) {
    return new StatSample(
        nanos, new TreeMap<>(Map.of(row.key(), row)), Map.of("b", "OK"), List.of());
  }
}
