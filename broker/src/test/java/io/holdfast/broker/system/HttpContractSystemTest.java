package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static io.holdfast.broker.system.support.RawNsqConnection.sized;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.BufferedInputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Contract §5 but for /stats, /config, /debug and HTTPS. */
class HttpContractSystemTest {
  private static final int MAX_MSG = 1000;
  private static final int MAX_BODY = 5000;
  private static BrokerProcess broker;
  private static Http http;

  @BeforeAll
  static void start() {
    broker =
        BrokerProcess.started(
            "--max-msg-size=" + MAX_MSG, "--max-body-size=" + MAX_BODY, "--max-req-timeout=1m");
    http = broker.http();
    http.post("/topic/create?topic=known").expect(200, "");
    http.post("/channel/create?topic=known&channel=ch").expect(200, "");
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static void assertText(Http.Response response) {
    assertEquals("text/plain; charset=utf-8", response.header("Content-Type"));
  }

  private static void assertVersioned(Http.Response response) {
    assertEquals("nsq; version=1.0", response.header("X-Nsq-Content-Type"));
  }

  @Test
  void shouldPing() {
    Http.Response response = http.get("/ping").expect(200, "OK");
    assertText(response);
    assertNull(response.header("X-Nsq-Content-Type"));
  }

  @Test
  void shouldInform() {
    Http.Response response = http.get("/info");
    assertVersioned(response);
    assertEquals("application/json; charset=utf-8", response.header("Content-Type"));
    JsonNode info = response.json();
    List<String> keys = new ArrayList<>();
    info.fieldNames().forEachRemaining(keys::add);
    assertEquals(
        "version broadcast_address hostname http_port tcp_port start_time max_heartbeat_interval"
            + " max_output_buffer_size max_output_buffer_timeout max_deflate_level topology_zone"
            + " topology_region"
            + (Reference.isHoldfast() ? " holdfast_version" : ""),
        String.join(" ", keys));
    assertTrue(info.path("version").asText().matches("[1-9]\\d*\\.\\d+\\.\\d+.*"), info::toString);
    assertEquals(broker.httpPort(), info.path("http_port").asInt());
    assertEquals(broker.tcpPort(), info.path("tcp_port").asInt());
    assertEquals(info.path("hostname"), info.path("broadcast_address"));
    assertTrue(
        Math.abs(System.currentTimeMillis() / 1000 - info.path("start_time").asLong()) < 300);
    assertEquals(60_000_000_000L, info.path("max_heartbeat_interval").asLong());
    assertEquals(30_000_000_000L, info.path("max_output_buffer_timeout").asLong());
    assertEquals(65536, info.path("max_output_buffer_size").asInt());
    assertEquals(6, info.path("max_deflate_level").asInt());
  }

  // ---- routing

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/put?topic=t",
        "/create_topic?topic=t",
        "/nothing/here",
        "/pub/x",
        "/topic",
        "/channel/none"
      })
  void shouldNotFindOtherPaths(String path) {
    for (String method : List.of("GET", "POST")) {
      Http.Response response = http.request(method, path, method.equals("POST") ? "x" : null);
      assertVersioned(response.expectError(404, "NOT_FOUND"));
      assertEquals("application/json; charset=utf-8", response.header("Content-Type"));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET /pub?topic=t",
        "PUT /mpub?topic=t",
        "POST /ping",
        "POST /info",
        "DELETE /stats",
        "GET /topic/create?topic=t",
        "GET /channel/delete?topic=t&channel=c",
        "PUT /topic/pause"
      })
  void shouldRefuseOtherMethods(String request) {
    String[] parts = request.split(" ", 2);
    Http.Response response = http.request(parts[0], parts[1], null);
    assertVersioned(response.expectError(405, "METHOD_NOT_ALLOWED"));
    boolean get = parts[1].matches("/(ping|info|stats)");
    assertTrue(
        List.of(response.header("Allow").split(", *")).contains(get ? "GET" : "POST"),
        response::toString);
  }

  @Test
  void shouldRefuseHead() {
    Http.Response response = http.request("HEAD", "/ping", null);
    assertEquals(405, response.status());
    assertTrue(response.header("Allow").contains("GET"));
    assertEquals(405, http.request("HEAD", "/info", null).status());
  }

  @Test
  void shouldAnswerOptions() {
    Http.Response response = http.request("OPTIONS", "/pub", null);
    assertEquals("200 ", response.status() + " " + response.body());
    assertEquals(
        List.of("OPTIONS", "POST"),
        Stream.of(response.header("Allow").split(", *")).sorted().toList());
    assertTrue(http.request("OPTIONS", "/ping", null).header("Allow").contains("GET"));
  }

  @Test
  void shouldRedirectWrongCaseAndTrailingSlash() {
    for (String path : List.of("/ping/", "/PING", "/Ping", "/PING/")) {
      Http.Response response = http.get(path);
      assertEquals("301 /ping", response.status() + " " + response.header("Location"));
    }
    Http.Response response = http.post("/PUB/?topic=redirected", "x");
    assertEquals(
        "307 /pub?topic=redirected", response.status() + " " + response.header("Location"));
    assertEquals("307 /topic/create?topic=t", redirect("/topic/create/?topic=t"));
    assertTrue(http.topic("redirected").isMissingNode());
  }

  private static String redirect(String target) {
    Http.Response response = http.post(target);
    return response.status() + " " + response.header("Location");
  }

  @ParameterizedTest
  @ValueSource(strings = {"topic=a%zz", "topic=a%", "topic=a;b", "topic=a&x=%4", "topic=a;x=1"})
  void shouldRefuseBadQueries(String query) {
    for (String path :
        List.of(
            "/pub", "/mpub", "/topic/create", "/topic/delete", "/topic/pause", "/channel/create")) {
      http.post(path + "?" + query, "x").expectError(400, "INVALID_REQUEST");
    }
    http.get("/stats?" + query).expectError(400, "INVALID_REQUEST");
  }

  @Test
  void shouldTakeFirstValueOfTheQueryStringOnly() {
    http.post("/pub?topic=first-value&topic=second-value", "x").expect(200, "OK");
    assertTrue(http.topic("first-value").isObject());
    assertTrue(http.topic("second-value").isMissingNode());
    http.post("/pub", "topic=from-body").expectError(400, "MISSING_ARG_TOPIC");
    http.post("/pub?topic=plus+is+space", "x").expectError(400, "INVALID_TOPIC");
    http.post("/pub?topic=%66%69rst-escaped&ignored", "x").expect(200, "OK");
    assertTrue(http.topic("first-escaped").isObject());
  }

  // ---- /pub

  @Test
  void shouldPublish() {
    try (RawNsqConnection conn = broker.subscribe("http-pub", "ch")) {
      Http.Response response =
          http.post("/pub?topic=http-pub", "one\nmessage\r\n\0\u00ff").expect(200, "OK");
      assertText(response);
      assertVersioned(response);
      assertEquals("one\nmessage\r\n\0\u00ff", conn.line("RDY 1").message().text());
    }
  }

  static Stream<Arguments> badPubs() {
    String big = "m".repeat(MAX_MSG + 1);
    return Stream.of(
        arguments("/pub", big, 413, "MSG_TOO_BIG"),
        arguments("/pub?topic=$", "", 400, "MSG_EMPTY"),
        arguments("/pub", "", 400, "MSG_EMPTY"),
        arguments("/pub", "x", 400, "MISSING_ARG_TOPIC"),
        arguments("/pub?channel=t", "x", 400, "MISSING_ARG_TOPIC"),
        arguments("/pub?topic=", "x", 400, "INVALID_TOPIC"),
        arguments("/pub?topic=a$&defer=x", "x", 400, "INVALID_TOPIC"),
        arguments("/pub?topic=" + "z".repeat(65), "x", 400, "INVALID_TOPIC"),
        arguments("/pub?topic=d&defer=x", "x", 400, "INVALID_DEFER"),
        arguments("/pub?topic=d&defer=", "x", 400, "INVALID_DEFER"),
        arguments("/pub?topic=d&defer=1.5", "x", 400, "INVALID_DEFER"),
        arguments("/pub?topic=d&defer=-1", "x", 400, "INVALID_DEFER"),
        arguments("/pub?topic=d&defer=60001", "x", 400, "INVALID_DEFER"),
        arguments("/pub?topic=d&defer=9223372036854775808", "x", 400, "INVALID_DEFER"),
        arguments("/mpub", "x".repeat(MAX_BODY + 1), 413, "BODY_TOO_BIG"),
        arguments("/mpub", "x", 400, "MISSING_ARG_TOPIC"),
        arguments("/mpub?topic=a$", "x", 400, "INVALID_TOPIC"),
        arguments("/mpub?topic=m", "ok\n" + big + "\n", 413, "MSG_TOO_BIG"),
        arguments("/mpub?topic=m&binary=true", "", 413, "BAD_BODY"),
        arguments("/mpub?topic=m&binary=true", int32(0), 413, "BAD_BODY"),
        arguments("/mpub?topic=m&binary=1", int32(1001), 413, "BAD_BODY"),
        arguments("/mpub?topic=m&binary=yes", int32(1), 413, "BAD_MESSAGE"),
        arguments("/mpub?topic=m&binary=true", batch("a", ""), 413, "BAD_MESSAGE"),
        arguments("/mpub?topic=m&binary=true", int32(2) + sized("a"), 413, "BAD_MESSAGE"),
        arguments("/mpub?topic=m&binary", batch("a", "m".repeat(1001)), 413, "BAD_MESSAGE"));
  }

  @ParameterizedTest
  @MethodSource("badPubs")
  void shouldRefuseBadPublishes(String target, String body, int status, String code) {
    assertVersioned(http.post(target, body).expectError(status, code));
    assertEquals(0, http.topic("m").path("message_count").asInt());
    assertEquals(0, http.topic("d").path("message_count").asInt());
  }

  @Test
  void shouldAcceptUpToTheLimits() {
    http.post("/pub?topic=max", "m".repeat(MAX_MSG)).expect(200, "OK");
    http.post("/mpub?topic=max", ("m".repeat(MAX_MSG - 1) + "\n").repeat(5)).expect(200, "OK");
    http.post("/pub?topic=max&defer=60000", "x").expect(200, "OK");
    http.post("/pub?topic=max&defer=0", "x").expect(200, "OK");
    http.post("/pub?topic=max&defer=%2B5", "x").expect(200, "OK");
    assertEquals(9, http.topic("max").path("message_count").asInt());
  }

  private static List<String> published(String topic, int count, String target, String body) {
    try (RawNsqConnection conn = broker.subscribe(topic, "ch")) {
      http.post(target, body).expect(200, "OK");
      List<String> bodies =
          new ArrayList<>(
              conn.line("RDY 100").messages(count).stream().map(Frame.Msg::text).toList());
      assertEquals(count, http.topic(topic).path("message_count").asInt());
      bodies.sort(null);
      return bodies;
    }
  }

  @Test
  void shouldSplitTextMpubAtNewlines() {
    assertEquals(
        List.of("a", "b\r", "c"),
        published("mpub-text", 3, "/mpub?topic=mpub-text", "\na\n\nb\r\nc"));
    for (String off : List.of("false", "0")) {
      assertEquals(
          List.of("x"),
          published("mpub-" + off, 1, "/mpub?topic=mpub-" + off + "&binary=" + off, "x\n"));
    }
    http.post("/mpub?topic=mpub-empty", "").expect(200, "OK");
    http.post("/mpub?topic=mpub-empty", "\n\n").expect(200, "OK");
    assertEquals(0, http.topic("mpub-empty").path("message_count").asInt(-1));
  }

  @Test
  void shouldReadBinaryMpub() {
    for (String on : List.of("true", "1", "", "yes", "TRUE")) {
      String topic = "mpub-binary-" + on;
      assertEquals(
          List.of("a\nb", "c"),
          published(
              topic, 2, "/mpub?binary=" + on + "&topic=" + topic, batch("a\nb", "c") + "trailing"));
    }
  }

  @Test
  void shouldReadChunkedBodiesAndKeepAlive() throws Exception {
    String chunked =
        "POST /pub?topic=chunked HTTP/1.1\r\n"
            + "Host: localhost\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
            + "3\r\n"
            + "abc\r\n"
            + "2\r\n"
            + "de\r\n"
            + "0\r\n\r\n";
    String tooBig =
        "POST /pub?topic=chunked HTTP/1.1\r\n"
            + "Host: localhost\r\n"
            + "Connection: close\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n"
            + "3E9\r\n"
            + "m".repeat(1001)
            + "\r\n0\r\n\r\n";
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort());
        RawNsqConnection conn = broker.subscribe("chunked", "ch")) {
      socket.setSoTimeout(10_000);
      BufferedInputStream in = new BufferedInputStream(socket.getInputStream());
      for (int i = 0; i < 3; i++) {
        socket.getOutputStream().write(chunked.getBytes(StandardCharsets.ISO_8859_1));
        Http.read(in, false).expect(200, "OK");
        Frame.Msg message = conn.line("RDY 1").message();
        assertEquals("abcde", message.text());
        conn.fin(message);
        socket
            .getOutputStream()
            .write(
                "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    .getBytes(StandardCharsets.ISO_8859_1));
        Http.read(in, false).expectError(404, "NOT_FOUND");
      }
    }
    http.raw(tooBig, false).expectError(413, "MSG_TOO_BIG");
  }

  @Test
  void shouldDefer() {
    try (RawNsqConnection conn = broker.subscribe("http-defer", "ch")) {
      conn.line("RDY 1");
      http.post("/pub?topic=http-defer&defer=800", "x").expect(200, "OK");
      http.awaitChannelCount("http-defer", "ch", "deferred_count", 1);
      assertEquals("x", conn.message().text());
    }
  }

  // ---- topics and channels

  static Stream<Arguments> adminErrors() {
    List<Arguments> rows = new ArrayList<>();
    for (String action : List.of("create", "empty")) {
      rows.add(arguments("/topic/" + action, 400, "MISSING_ARG_TOPIC"));
      rows.add(arguments("/topic/" + action + "?topic=$", 400, "INVALID_TOPIC"));
    }
    rows.add(arguments("/topic/empty?topic=unknown", 404, "TOPIC_NOT_FOUND"));
    for (String action : List.of("delete", "pause", "unpause")) {
      rows.add(arguments("/topic/" + action, 400, "MISSING_ARG_TOPIC"));
      rows.add(arguments("/topic/" + action + "?topic=unknown", 404, "TOPIC_NOT_FOUND"));
      rows.add(arguments("/topic/" + action + "?topic=$", 404, "TOPIC_NOT_FOUND"));
    }
    for (String action : List.of("create", "delete", "empty", "pause", "unpause")) {
      String path = "/channel/" + action;
      rows.add(arguments(path, 400, "MISSING_ARG_TOPIC"));
      rows.add(arguments(path + "?channel=$", 400, "MISSING_ARG_TOPIC"));
      rows.add(arguments(path + "?topic=$", 400, "INVALID_ARG_TOPIC"));
      rows.add(arguments(path + "?topic=unknown", 400, "MISSING_ARG_CHANNEL"));
      rows.add(arguments(path + "?topic=unknown&channel=$", 400, "INVALID_ARG_CHANNEL"));
      rows.add(arguments(path + "?topic=unknown&channel=ch", 404, "TOPIC_NOT_FOUND"));
      if (!action.equals("create")) {
        rows.add(arguments(path + "?topic=known&channel=unknown", 404, "CHANNEL_NOT_FOUND"));
      }
    }
    return rows.stream();
  }

  @ParameterizedTest
  @MethodSource("adminErrors")
  void shouldRefuseBadAdministration(String target, int status, String code) {
    assertVersioned(http.post(target).expectError(status, code));
    assertTrue(http.topic("unknown").isMissingNode());
    assertTrue(http.channel("known", "unknown").isMissingNode());
  }

  @Test
  void shouldAdministerTopicsAndChannels() {
    for (String target :
        List.of(
            "/topic/create?topic=admin",
            "/topic/create?topic=admin",
            "/channel/create?topic=admin&channel=ch",
            "/channel/create?topic=admin&channel=ch",
            "/topic/pause?topic=admin",
            "/topic/pause?topic=admin",
            "/topic/unpause?topic=admin",
            "/channel/pause?topic=admin&channel=ch",
            "/channel/unpause?topic=admin&channel=ch",
            "/channel/empty?topic=admin&channel=ch",
            "/topic/empty?topic=admin",
            "/channel/delete?topic=admin&channel=ch",
            "/topic/delete?topic=admin")) {
      Http.Response response = http.post(target).expect(200, "");
      assertVersioned(response);
      assertNull(response.header("Content-Type"), target);
    }
    http.post("/topic/delete?topic=admin").expectError(404, "TOPIC_NOT_FOUND");
    assertFalse(http.get("/stats?format=json").body().contains("\"admin\""));
  }

  @Test
  void shouldTakeEphemeralNames() {
    http.post("/topic/create?topic=e%23ephemeral").expect(200, "");
    http.post("/channel/create?topic=e%23ephemeral&channel=c%23ephemeral").expect(200, "");
    assertTrue(http.channel("e#ephemeral", "c#ephemeral").isObject());
    http.post("/channel/create?topic=e%23eph&channel=c").expectError(400, "INVALID_ARG_TOPIC");
  }
}
