package io.holdfast.tools.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdminCommandTest {
  private static final String STATS =
      """
      {"health":"OK","topics":[{"topic_name":"t","depth":3,"message_count":7,"paused":true,
      "channels":[{"channel_name":"c","depth":1234,"in_flight_count":2,"deferred_count":1,
      "message_count":9,"client_count":4,"requeue_count":0,"timeout_count":0,"paused":false}]}]}
      """;

  @TempDir Path home;
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private HttpServer server;
  private volatile int status = 200;

  @BeforeEach
  void listen() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    String user = exchange.getRequestHeaders().getFirst("Authorization");
    requests.add(
        exchange.getRequestMethod()
            + " "
            + exchange.getRequestURI()
            + (body.isEmpty() ? "" : " " + body)
            + (user == null ? "" : " as " + user));
    byte[] answer =
        answers
            .getOrDefault(exchange.getRequestURI().getPath(), "")
            .getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  private String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private ToolRun run(String... args) throws Exception {
    return runWith("", args);
  }

  private ToolRun runWith(String input, String... args) throws Exception {
    ToolRun run = ToolRun.as(Map.of("HOLDFAST_HTTP_ADDRESS", address()), input, args);
    run.code();
    return run;
  }

  @Test
  void everyVerbIsOneRequest() throws Exception {
    for (String verb : List.of("create", "delete", "empty", "pause", "unpause")) {
      assertEquals(0, run("admin", "topic", verb, "t").code());
      assertEquals(0, run("admin", "channel", verb, "t", "c#ephemeral").code());
      assertEquals("POST /topic/" + verb + "?topic=t", requests.remove(0));
      assertEquals("POST /channel/" + verb + "?topic=t&channel=c%23ephemeral", requests.remove(0));
    }
    run("admin", "topic", "publish", "t", "a body");
    assertEquals("POST /pub?topic=t a body", requests.remove(0));
    runWith("two\nlines\n", "admin", "topic", "publish", "t");
    assertEquals("POST /pub?topic=t two\nlines\n", requests.remove(0));
    answers.put("/config/log_level", "2");
    assertEquals("2\n", run("admin", "config", "get", "log_level").out());
    assertEquals("GET /config/log_level", requests.remove(0));
    run("admin", "config", "set", "log_level", "debug");
    assertEquals("PUT /config/log_level debug", requests.remove(0));
  }

  @Test
  void policiesAreShownAndSet() throws Exception {
    String policy =
        "{\"topic\":\"t\",\"policy\":{\"max_depth\":{\"value\":10,\"from\":\"hand\"},"
            + "\"when_full\":{\"value\":\"reject\",\"from\":\"default\"}}}";
    answers.put("/topic/policy", policy);
    assertEquals(
        "FIELD       VALUE  FROM\nmax_depth      10  hand\nwhen_full  reject  default\n",
        run("admin", "topic", "policy", "t").out());
    assertEquals("GET /topic/policy?topic=t", requests.remove(0));
    assertEquals(policy + "\n", run("admin", "--json", "topic", "policy", "t").out());
    requests.clear();
    run("admin", "topic", "policy", "t", "max_depth=10", "when_full=null");
    assertEquals(
        "POST /topic/policy?topic=t {\"max_depth\":10,\"when_full\":null}", requests.remove(0));
    answers.put("/channel/policy", policy);
    run(
        "admin",
        "channel",
        "policy",
        "t",
        "c",
        "ordered=true",
        "dead_letter=7",
        "message_ttl=1h30m",
        "msg_timeout=5000",
        "max_attempts=1.5",
        "max_dead=007",
        "requeue_backoff=");
    assertEquals(
        "POST /channel/policy?topic=t&channel=c {\"ordered\":true,\"dead_letter\":\"7\","
            + "\"message_ttl\":\"1h30m\",\"msg_timeout\":5000,\"max_attempts\":1.5,"
            + "\"max_dead\":\"007\",\"requeue_backoff\":\"\"}",
        requests.remove(0));
    for (String wrong : List.of("max_depth", "=1")) {
      ToolRun usage = run("admin", "topic", "policy", "t", wrong);
      assertEquals(2, usage.code());
      assertTrue(usage.err().contains("'" + wrong + "' is not field=value"), usage.err());
    }
    assertEquals(2, run("admin", "topic", "policy", "t", "a=1", "a=2").code());
    assertEquals(List.of(), requests);
  }

  @Test
  void channelsAreRewoundAndTheirDeadLettersRedriven() throws Exception {
    answers.put(
        "/channel/rewind",
        "{\"id\":\"18a4b7ccaf669000\",\"time\":\"2026-11-22T20:06:22.7Z\",\"ready\":1200,"
            + "\"skipped\":3}");
    assertEquals(
        "at 18a4b7ccaf669000 of 2026-11-22T20:06:22.7Z: 1,200 ready, 3 skipped\n",
        run("admin", "channel", "rewind", "t", "c", "--to", "-1h").out());
    assertEquals("POST /channel/rewind?topic=t&channel=c&to=-1h", requests.remove(0));
    answers.put("/channel/rewind", "{\"id\":null,\"time\":null,\"ready\":0,\"skipped\":0}");
    assertEquals(
        "at the end: 0 ready, 0 skipped\n",
        run("admin", "channel", "rewind", "t", "c", "--to=2026-11-22T20:00:00+01:00").out());
    assertEquals(
        "POST /channel/rewind?topic=t&channel=c&to=2026-11-22T20%3A00%3A00%2B01%3A00",
        requests.remove(0));
    for (String verb : List.of("redrive", "discard")) {
      answers.put("/channel/" + verb, "{\"count\":5}");
      assertEquals("5 dead letters\n", run("admin", "channel", verb, "t", "c").out());
      assertEquals("POST /channel/" + verb + "?topic=t&channel=c", requests.remove(0));
      assertEquals(
          "{\"count\":5}\n", run("admin", "channel", verb, "t", "c", "-n", "5", "--json").out());
      assertEquals("POST /channel/" + verb + "?topic=t&channel=c&n=5", requests.remove(0));
      run("admin", "channel", verb, "t", "c", "--id", "18a4b7ccaf669000");
      assertEquals(
          "POST /channel/" + verb + "?topic=t&channel=c&id=18a4b7ccaf669000", requests.remove(0));
      assertEquals(2, run("admin", "channel", verb, "t", "c", "--id", "1", "-n", "5").code());
    }
    run("admin", "channel", "create", "t", "c", "--from=-1h");
    assertEquals("POST /channel/create?topic=t&channel=c&from=-1h", requests.remove(0));
    assertEquals(2, run("admin", "channel", "rewind", "t", "c").code());
    answers.put(
        "/channel/peek",
        "{\"topic\":\"t\",\"channel\":\"c\",\"state\":\"dead\",\"messages\":[{\"topic\":\"t\","
            + "\"id\":\"18a4b7ccaf669000\",\"time\":\"T\",\"timestamp\":1,\"attempts\":5,"
            + "\"size\":1,\"truncated\":false,\"body\":\"b\",\"reason\":\"max_attempts\","
            + "\"died\":\"D\"}]}");
    String dead = run("admin", "channel", "peek", "t", "c", "--state", "dead").out();
    assertTrue(dead.startsWith("ID "), dead);
    assertTrue(dead.contains("REASON  DIED  BODY"), dead);
    assertTrue(dead.contains("max_attempts     D  \"b\""), dead);
  }

  @Test
  void listsAreTablesOrOneDocument() throws Exception {
    answers.put("/stats", STATS);
    assertEquals(
        "TOPIC  DEPTH  MESSAGES  PAUSED\nt          3         7  yes\n",
        run("admin", "topic", "list").out());
    String channels = run("admin", "channel", "list", "t").out();
    assertTrue(channels.lines().skip(1).findFirst().orElse("").startsWith("c        1,234"));
    assertTrue(channels.contains("  DEFERRED  DEAD  MESSAGES"), channels);
    String json = run("admin", "--json", "topic", "list").out();
    assertTrue(json.startsWith("[{") && json.contains("\"depth\":3"), json);
    ToolRun missing = run("admin", "channel", "list", "not-there");
    assertEquals(1, missing.code());
    assertTrue(missing.err().contains("TOPIC_NOT_FOUND"), missing.err());
  }

  @Test
  void nothingInABodySteersTheTerminal() throws Exception {
    answers.put(
        "/topic/peek",
        "{\"topic\":\"t\",\"messages\":[{\"id\":\"00000000000000aa\",\"time\":\"x\",\"timestamp\":1,\"size\":3,\"truncated\":true,\"body\":\"a\\u001b[31m\\n"
            + "b\"}],\"next\":\"00000000000000ab\"}");
    ToolRun peek = run("admin", "topic", "peek", "t", "--from=-10m", "-n", "1");
    assertEquals("GET /topic/peek?topic=t&from=-10m&n=1", requests.get(0));
    assertTrue(peek.out().contains("\"a\\u001B[31m\\nb\"..."), peek.out());
    assertTrue(peek.out().endsWith("more: --from=00000000000000ab\n"), peek.out());
    String asItIs = run("admin", "topic", "peek", "t", "--json").out();
    assertEquals(answers.get("/topic/peek") + "\n", asItIs);
  }

  @Test
  void aRefusalIsOneLineWithTheBrokersMessage() throws Exception {
    status = 404;
    answers.put("/topic/delete", "{\"message\":\"TOPIC_NOT_FOUND\"}");
    ToolRun run = run("admin", "topic", "delete", "t");
    assertEquals(1, run.code());
    assertEquals(
        "holdfast-tools admin topic delete: " + address() + ": TOPIC_NOT_FOUND\n", run.err());
    assertEquals(2, run("admin", "topic", "create", "no name").code());
    assertEquals(2, run("admin", "topic").code());
    assertEquals(2, run("admin", "nonsense").code());
  }

  @Test
  void healthIsTheAnswerAndTheExitCode() throws Exception {
    answers.put("/health/ready", "{\"status\":\"failed\"}");
    status = 503;
    ToolRun run = run("admin", "health");
    assertEquals("1 {\"status\":\"failed\"}\n", run.code() + " " + run.out());
  }

  @Test
  void optionBeatsEnvironmentBeatsFile() throws Exception {
    Files.createDirectories(home.resolve(".config"));
    Files.writeString(
        home.resolve(".config/holdfast.toml"),
        "http_address = \"" + address() + "\"\nuser = \"file\"\npassword = \"p\"\n");
    Map<String, String> environment = Map.of("HOME", home.toString());
    ToolRun.as(environment, "", "admin", "topic", "create", "t").code();
    assertEquals("POST /topic/create?topic=t as Basic ZmlsZTpw", requests.remove(0));
    environment = Map.of("HOME", home.toString(), "HOLDFAST_TOKEN", "secret");
    ToolRun.as(environment, "", "admin", "topic", "create", "t").code();
    assertEquals("POST /topic/create?topic=t as Bearer secret", requests.remove(0));
    ToolRun.as(environment, "", "admin", "topic", "create", "t", "--user", "a:b").code();
    assertEquals("POST /topic/create?topic=t as Basic YTpi", requests.remove(0));
    assertEquals(
        2, ToolRun.as(environment, "", "admin", "topic", "list", "--user=a:b", "--token=c").code());
  }
}
