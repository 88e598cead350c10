package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What who runs the broker sees of it: the log, ports, versions; wherever on earth it runs. */
class OperatorViewSystemTest {
  private static final Duration START = Duration.ofSeconds(60);

  private static int port(BrokerProcess broker, String scheme) {
    Pattern line = Pattern.compile(" INFO: " + scheme + ": listening on (\\S+):(\\d+)");
    return Awaitility.await(scheme + " listening")
        .atMost(START)
        .until(
            () -> {
              Matcher matcher = line.matcher(broker.log());
              return matcher.find() ? Integer.parseInt(matcher.group(2)) : 0;
            },
            port -> port > 0);
  }

  @Test
  void shouldSayWhereItListensWhenAnyPortWillDo() {
    try (BrokerProcess broker = BrokerProcess.of()) {
      broker.launch(
          List.of(
              "--tcp-address=0.0.0.0:0",
              "--http-address=127.0.0.1:0",
              "--data-path=" + broker.dataPath(),
              "--broadcast-address=a.b"));
      int httpPort = port(broker, "HTTP");
      int tcpPort = port(broker, "TCP");
      assertTrue(broker.log().contains("TCP: listening on [::]:" + tcpPort), broker::log);
      assertTrue(broker.log().contains("HTTP: listening on 127.0.0.1:" + httpPort), broker::log);
      Http http = new Http(httpPort);
      http.get("/ping").expect(200, "OK");
      http.get("/config/broadcast_http_port").expect(200, String.valueOf(httpPort));
      http.get("/config/broadcast_tcp_port").expect(200, String.valueOf(tcpPort));
      http.get("/config/statsd_prefix").expect(200, "nsq.a_b_" + httpPort + ".");
      if (Reference.isHoldfast()) {
        String version = "\"holdfast_version\":\"";
        assertTrue(http.get("/info").body().contains(version));
        assertTrue(http.get("/stats?format=json").body().contains(version));
        String first = broker.log().lines().findFirst().orElseThrow();
        assertTrue(first.matches(".* INFO: holdfast v\\S+ .*, nsqd v1\\.3\\.0 \\(.*\\)"), first);
      }
      RawNsqConnection.open(tcpPort).close();
    }
  }

  @Test
  void shouldSayThatWhoReachesThePortMayDoEverything() {
    Reference.holdfastOnly("nsqd takes that for granted");
    String line = "HTTP: whoever reaches the port may do everything";
    try (BrokerProcess broker = BrokerProcess.started()) {
      assertFalse(broker.log().contains(line), broker::log); // of HTTPS there is an address only
    }
    try (BrokerProcess broker = BrokerProcess.of()) {
      broker.launch(
          List.of(
              "--tcp-address=127.0.0.1:0",
              "--http-address=0.0.0.0:0",
              "--data-path=" + broker.dataPath()));
      Awaitility.await().atMost(START).until(() -> broker.log().contains(line));
    }
  }

  @Test
  void shouldLogClientsThatComeAndGo() {
    try (BrokerProcess broker = BrokerProcess.started()) {
      String good;
      try (RawNsqConnection conn = broker.connect()) {
        good = conn.localAddress();
        conn.pub("seen", "x");
      }
      String bad;
      try (RawNsqConnection conn = broker.connectRaw()) {
        bad = conn.localAddress();
        conn.send("GET ").expectFatal("E_BAD_PROTOCOL");
      }
      String wrong;
      try (RawNsqConnection conn = broker.connect()) {
        wrong = conn.localAddress();
        conn.line("PUB $").expectFatal("E_BAD_TOPIC PUB topic name \"$\" is not valid");
      }
      List<String> lines = new ArrayList<>();
      for (String address : List.of(good, bad, wrong)) {
        lines.add(" INFO: TCP: new client(" + address + ")");
      }
      lines.add(" ERROR: client(" + bad + ") bad protocol magic 'GET '");
      if (Reference.isHoldfast()) {
        lines.add(" INFO: TCP: client(" + good + ") closed: end of input");
        lines.add(" INFO: TCP: client(" + bad + ") closed: bad protocol magic");
        lines.add(" INFO: TCP: client(" + wrong + ") closed: E_BAD_TOPIC PUB topic name");
      }
      Awaitility.await().until(() -> lines.stream().allMatch(broker.log()::contains));
    }
  }

  @Test
  void shouldLogAnObjectALineFromTheFirstToTheLast() throws IOException {
    Reference.holdfastOnly("nsqd has no log format");
    try (BrokerProcess broker = BrokerProcess.started("--log-format=json", "--log-level=debug")) {
      broker.http().post("/topic/create?topic=t").expect(200, "");
      try (RawNsqConnection conn = broker.connectRaw()) {
        conn.send("\u001b[3m").expectFatal("E_BAD_PROTOCOL");
      }
      assertEquals(0, broker.terminate());
      List<JsonNode> lines = jsonLines(broker);
      assertTrue(lines.get(0).path("formattedMessage").asText().startsWith("holdfast v"));
      assertEquals("bye", lines.get(lines.size() - 1).path("formattedMessage").asText());
      assertTrue(
          lines.stream()
              .filter(line -> line.path("loggerName").asText().equals("audit"))
              .map(line -> line.path("formattedMessage").asText())
              .anyMatch(
                  text -> text.matches("user=\\S+ remote=\\S+ action=topic.create topic=t .*")));
      broker.launch(List.of("--log-format=json", "--tcp-address=host.invalid:1"));
      assertEquals(1, broker.awaitExit(Duration.ofSeconds(20)));
      lines = jsonLines(broker);
      String last = lines.get(lines.size() - 1).path("formattedMessage").asText();
      assertTrue(last.startsWith("holdfast: ") && last.contains("host.invalid:1"), last);
      broker.launch(List.of("--log-format=xml"));
      assertEquals(2, broker.awaitExit(Duration.ofSeconds(20)));
      assertTrue(broker.stderr().contains("accepted is text or json"), broker::stderr);
    }
  }

  private static List<JsonNode> jsonLines(BrokerProcess broker) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : broker.stderr().split("\n")) {
      if (line.startsWith("WARNING: ")) {
        continue; // newer JVMs' own
      }
      JsonNode json = new JsonMapper().readTree(line);
      for (String key : List.of("timestamp", "level", "loggerName", "formattedMessage")) {
        assertTrue(json.has(key), line);
      }
      lines.add(json);
    }
    return lines;
  }

  /** Digits that are not ASCII, and an I that has a dot. */
  @ParameterizedTest
  @ValueSource(strings = {"ar-EG-u-nu-arab", "fa", "hi-IN-u-nu-deva", "tr"})
  void shouldRunInEveryLocale(String tag) {
    Reference.holdfastOnly("Go has no locale");
    java.util.Locale locale = java.util.Locale.forLanguageTag(tag);
    String unicode = locale.getExtension('u');
    BrokerProcess stopped = BrokerProcess.of("--log-level=INFO");
    try (BrokerProcess broker =
        stopped.withJvm(
            "-XX:TieredStopAtLevel=1",
            "-Duser.language=" + locale.getLanguage(),
            "-Duser.country=" + locale.getCountry(),
            "-Duser.extensions=" + (unicode == null ? "" : "u-" + unicode))) {
      broker.start();
      try (RawNsqConnection conn = broker.subscribe("I.topic", "ch")) {
        conn.pub("I.topic", "x").line("RDY 1");
        String id = conn.message().id();
        assertTrue(id.matches("[0-9a-f]{16}"), id);
        conn.line("FIN " + id).flushed();
      }
      String stats = broker.http().get("/stats").body();
      assertTrue(stats.contains("[I.topic"), stats);
      assertTrue(stats.chars().allMatch(c -> c < 128), stats);
      assertFalse(broker.log().chars().anyMatch(c -> c > 127), broker::log);
      assertEquals(0, broker.terminate());
    }
  }
}
