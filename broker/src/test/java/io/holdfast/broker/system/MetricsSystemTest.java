package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** GET /metrics of the real broker: names, types, values. */
class MetricsSystemTest {
  private static BrokerProcess broker;
  private static Http http;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
    http = broker.http();
    http.post("/topic/create?topic=idle");
    http.post("/topic/pause?topic=idle");
    http.post("/topic/create?topic=t");
    http.post("/channel/create?topic=t&channel=c");
    try (RawNsqConnection publisher = broker.connect()) {
      publisher.mpub("t", "one", "two", "three");
      publisher.pub("t", "four");
      publisher.line("SUB t").expectErrorLike("E_INVALID");
    }
    try (RawNsqConnection consumer = broker.connect()) {
      consumer.line("SUB t c").expectOk().line("RDY 1");
      Frame.Msg first = consumer.message();
      consumer.fin(first);
      Frame.Msg second = consumer.message();
      consumer.line("REQ " + second.id() + " 3600000");
      consumer.message();
      http.awaitChannel("t", "c", c -> c.path("in_flight_count").asInt() == 1);
    }
    http.awaitChannel("t", "c", c -> c.path("client_count").asInt() == 0);
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static Map<String, Double> samples(String text) {
    Map<String, Double> samples = new HashMap<>();
    text.lines()
        .filter(line -> !line.startsWith("#"))
        .forEach(
            line -> {
              int blank = line.lastIndexOf(' ');
              Double former =
                  samples.put(
                      line.substring(0, blank), Double.parseDouble(line.substring(blank + 1)));
              assertEquals(null, former, "twice: " + line);
            });
    return samples;
  }

  private static String scrape(String accept) {
    return get(accept).expectStatus(200).body();
  }

  private static Answer get(String accept) {
    String head = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    String line = accept == null ? "" : "Accept: " + accept + "\r\n";
    return new Answer(http.raw(head + line + "\r\n", false));
  }

  private record Answer(Http.Response response) {
    Answer expectStatus(int status) {
      assertEquals(status, response.status(), response.body());
      return this;
    }

    String body() {
      return response.body();
    }
  }

  @Test
  void valuesAreThoseOfStats() {
    Map<String, Double> samples = samples(scrape(null));
    String labels = "{channel=\"c\",topic=\"t\"}";
    assertEquals(2, samples.get("nsq_channel_depth" + labels));
    assertEquals(0, samples.get("nsq_channel_in_flight_count" + labels));
    assertEquals(1, samples.get("nsq_channel_deferred_count" + labels));
    assertEquals(4, samples.get("nsq_channel_message_count" + labels));
    assertEquals(4, samples.get("nsq_channel_messages_total" + labels));
    assertEquals(1, samples.get("nsq_channel_requeue_count" + labels));
    assertEquals(0, samples.get("nsq_channel_client_count" + labels));
    assertEquals(15, samples.get("nsq_topic_message_bytes{topic=\"t\"}"));
    assertEquals(15, samples.get("nsq_topic_bytes_total{topic=\"t\"}"));
    assertEquals(1, samples.get("nsq_topic_paused{topic=\"idle\"}"));
    assertEquals(0, samples.get("nsq_topic_paused{topic=\"t\"}"));
    assertEquals(1, samples.get("holdfast_protocol_errors_total{code=\"E_INVALID\"}"));
    assertEquals(1, samples.get("holdfast_channel_processing_duration_seconds_count" + labels));
    assertTrue(samples.get("holdfast_publish_duration_seconds_count") >= 2);
    assertTrue(samples.get("holdfast_journal_bytes") > 0);
    assertTrue(samples.get("holdfast_ledger_files") >= 1);
    assertTrue(samples.get("holdfast_disk_free_bytes") > 0);
    assertTrue(samples.containsKey("holdfast_connections{kind=\"tcp\"}"));
    JsonNode parts = broker.http().get("/stats?format=json").json().at("/memory_budget/parts");
    assertFalse(parts.isEmpty());
    parts
        .properties()
        .forEach(
            part -> {
              String label = "_bytes{part=\"" + part.getKey() + "\"}";
              double limit = part.getValue().path("limit_bytes").asDouble();
              assertEquals(limit, samples.get("holdfast_memory_budget" + label), label);
              assertTrue(samples.containsKey("holdfast_memory_used" + label), label);
            });
    assertTrue(samples.keySet().stream().anyMatch(name -> name.startsWith("holdfast_build_info{")));
    assertTrue(samples.keySet().stream().anyMatch(name -> name.startsWith("jvm_memory_used")));
    assertTrue(samples.containsKey("process_uptime_seconds"));
  }

  @Test
  void typesAreThoseThatDashboardsKnow() {
    String text = scrape("*/*");
    assertTrue(text.contains("# TYPE nsq_channel_in_flight_count untyped\n"));
    assertTrue(text.contains("# TYPE nsq_topic_depth gauge\n"));
    assertTrue(text.contains("# TYPE nsq_topic_messages_total counter\n"));
    assertTrue(text.contains("# TYPE holdfast_sync_duration_seconds histogram\n"));
    Set<String> families = new HashSet<>();
    text.lines()
        .filter(line -> line.startsWith("# TYPE "))
        .forEach(line -> assertTrue(families.add(line), line));
  }

  @Test
  void openMetricsIsToldByTheHeader() {
    Answer answer = get("application/openmetrics-text; version=1.0.0").expectStatus(200);
    assertEquals(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        answer.response().header("content-type"));
    assertTrue(answer.body().endsWith("# EOF\n"));
    assertTrue(answer.body().contains("# TYPE nsq_topic_message_count unknown\n"));
    assertEquals(
        "text/plain; version=0.0.4; charset=utf-8",
        get("text/plain").response().header("content-type"));
    http.request("POST", "/metrics", "").expectError(405, "METHOD_NOT_ALLOWED");
  }

  @Test
  void whatIsDeletedIsGoneAndBeginsAtZeroAgain() {
    http.post("/topic/create?topic=gone");
    http.post("/pub?topic=gone", "x");
    assertEquals(1, samples(scrape(null)).get("nsq_topic_message_count{topic=\"gone\"}"));
    http.post("/topic/delete?topic=gone");
    assertFalse(samples(scrape(null)).containsKey("nsq_topic_message_count{topic=\"gone\"}"));
    http.post("/topic/create?topic=gone");
    assertEquals(0, samples(scrape(null)).get("nsq_topic_message_count{topic=\"gone\"}"));
  }

  @Test
  void promtoolFindsNothingToSay() throws Exception {
    assertEquals("", promtool(scrape(null), "check", "metrics"));
  }

  /** What promtool says to this input; it must be content. */
  private static String promtool(String input, String... args) throws Exception {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/promtool")),
        "promtool (Debian: prometheus) is missing");
    List<String> command = new ArrayList<>(List.of("/usr/bin/promtool"));
    command.addAll(List.of(args));
    Process promtool = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (var in = promtool.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    }
    String said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, promtool.waitFor(), said);
    return said;
  }

  @Test
  void alertsAndDashboardAskForWhatThereIs() throws IOException {
    Set<String> families =
        scrape(null)
            .lines()
            .filter(line -> line.startsWith("# TYPE "))
            .map(line -> line.split(" ")[2])
            .collect(Collectors.toSet());
    for (String file : List.of("prometheus-alerts.yml", "grafana-dashboard.json")) {
      Matcher names =
          Pattern.compile("\\b(?:nsq|holdfast)_[a-z0-9_]+").matcher(Files.readString(conf(file)));
      while (names.find()) {
        String name = names.group();
        String family = name.replaceAll("_(bucket|count|sum)$", "");
        if (name.startsWith("holdfast_raft_")) {
          continue; // A node of a cluster has them, and its tests.
        }
        assertTrue(families.contains(name) || families.contains(family), file + ": " + name);
      }
    }
  }

  @Test
  void alertsAreTestedAndExplained() throws Exception {
    String tests = Files.readString(conf("prometheus-alerts-test.yml"));
    String manual = Files.readString(Path.of("OPERATIONS.md"));
    List<String> alerts =
        Pattern.compile("- alert: (\\w+)")
            .matcher(Files.readString(conf("prometheus-alerts.yml")))
            .results()
            .map(match -> match.group(1))
            .toList();
    assertFalse(alerts.isEmpty());
    for (String alert : alerts) {
      assertTrue(tests.contains("alertname: " + alert + "\n"), alert);
      assertTrue(manual.contains("\n### " + alert + "\n"), alert);
      assertTrue(
          Files.readString(conf("prometheus-alerts.yml"))
              .contains("OPERATIONS.md#" + alert.toLowerCase(Locale.ROOT) + '"'),
          alert);
    }
    promtool("", "test", "rules", conf("prometheus-alerts-test.yml").toString());
  }

  private static Path conf(String file) {
    return Path.of("..", "conf", file).toAbsolutePath().normalize();
  }

  @Test
  void ephemeralOnesCanBeLeftOut() {
    try (BrokerProcess without = BrokerProcess.started("--metrics-exclude-ephemeral")) {
      without.http().post("/topic/create?topic=e%23ephemeral");
      without.http().post("/topic/create?topic=t");
      without.http().post("/channel/create?topic=t&channel=x%23ephemeral");
      Awaitility.await()
          .untilAsserted(
              () -> {
                String text = without.http().get("/metrics").body();
                assertTrue(text.contains("topic=\"t\""));
                assertFalse(text.contains("#ephemeral"), text);
              });
    }
  }
}
