package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** http_users_file and http_anonymous_role with the real broker: who may what, and its trail. */
class UsersSystemTest {
  /** Of "secret". */
  private static final String BCRYPT =
      "$2a$10$KBh9e3XFKui47lctCul46OQz8IDciqW9RerqvON8tNOg6ebS/AdXa";

  @TempDir static Path dir;
  private static Path users;
  private static BrokerProcess broker;
  private static Http http;

  @BeforeAll
  static void start() throws Exception {
    users = dir.resolve("users");
    write("root:" + BCRYPT + ":admin\nlook:" + BCRYPT + ":read\njob:" + token("t") + ":publish\n");
    broker = BrokerProcess.started("--http-users-file=" + users, "--http-anonymous-role=none");
    http = broker.http();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static void write(String text) throws IOException {
    Files.writeString(users, text);
  }

  private static String token(String text) throws Exception {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static String basic(String pair) {
    return "Authorization: Basic "
        + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

  private static Http.Response send(String request, String body, String... headers) {
    StringBuilder head =
        new StringBuilder(request + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
    for (String header : headers) {
      head.append(header).append("\r\n");
    }
    if (!request.startsWith("GET")) {
      head.append("Content-Length: ").append(body.length()).append("\r\n");
    }
    return http.raw(head + "\r\n" + body, false);
  }

  @Test
  void rolesMayWhatTheTableSays() {
    String[] shown = {
      "X: y", "Authorization: Bearer t", basic("look:secret"), basic("root:secret")
    };
    String[][] table = {
      {"GET /ping", "200 200 200 200"},
      {"GET /login", "200 200 200 200"},
      {"POST /pub?topic=roles", "401 200 403 200"},
      {"POST /mpub?topic=roles", "401 200 403 200"},
      {"GET /stats?format=json", "401 403 200 200"},
      {"GET /info", "401 403 200 200"},
      {"GET /metrics", "401 403 200 200"},
      {"GET /events", "401 403 200 200"},
      {"GET /config/log_level", "401 403 200 200"},
      {"GET /topic/peek?topic=not-there", "401 403 404 404"},
      {"POST /topic/delete?topic=not-there", "401 403 403 404"},
      {"POST /topic/delete", "401 403 403 400"},
      {"POST /channel/create?topic=no&channel=no", "401 403 403 404"},
      {"PUT /config/log_level", "401 403 403 400"},
      {"GET /debug/pprof/cmdline", "401 403 403 200"},
    };
    for (String[] row : table) {
      StringBuilder statuses = new StringBuilder();
      for (String header : shown) {
        statuses.append(send(row[0], "x", header).status()).append(' ');
      }
      assertEquals(row[1], statuses.toString().strip(), row[0]);
    }
  }

  @Test
  void aNameOfAnyKindIsOneShortLineOfTheLog() {
    String name = "who\nERROR all is lost " + "x".repeat(3000);
    assertEquals(401, send("GET /stats", "", basic(name + ":secret")).status());
    Awaitility.await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> broker.log().contains("log-in of \"who\\nERROR all is lost xxx"));
    assertFalse(broker.log().contains("x".repeat(100)), broker::log);
  }

  @Test
  void whoMayNotIsToldHow() {
    Http.Response none = send("GET /stats", "");
    assertEquals("{\"message\":\"UNAUTHORIZED\"}", none.body());
    assertEquals("Basic realm=\"holdfast\", charset=\"UTF-8\"", none.header("www-authenticate"));
    send("POST /topic/create?topic=x", "", basic("look:secret")).expectError(403, "FORBIDDEN");
    Http.Response page = send("GET /stats", "", "Accept: text/html,*/*");
    assertEquals("303 /login", page.status() + " " + page.header("location"));
    long startNs = System.nanoTime();
    assertEquals(401, send("GET /stats", "", basic("root:wrong")).status());
    assertTrue(System.nanoTime() - startNs > 950_000_000L, "a wrong one waits");
    assertEquals(401, send("GET /stats", "", basic("root:" + "x".repeat(100))).status());
  }

  @Test
  void aSessionBeginsAndEnds() {
    Http.Response page = send("GET /login", "");
    assertTrue(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    Http.Response wrong = send("POST /login", "username=root&password=no");
    assertEquals(401, wrong.status());
    assertTrue(wrong.body().contains("role=\"alert\""));
    assertEquals(null, wrong.header("set-cookie"));
    Http.Response in = send("POST /login", "username=root&password=secret");
    assertEquals("303 /", in.status() + " " + in.header("location"));
    String cookie = in.header("set-cookie");
    assertTrue(cookie.endsWith("; Path=/; HttpOnly; SameSite=Strict"), cookie);
    String shown = "Cookie: a=b; " + cookie.substring(0, cookie.indexOf(';'));
    assertEquals(200, send("POST /topic/create?topic=by-cookie", "", shown).status());
    assertEquals(
        403, send("POST /topic/create?topic=x", "", shown, "Origin: http://evil.example").status());
    assertEquals(303, send("POST /logout", "", shown).status());
    assertEquals(401, send("GET /stats", "", shown).status());
  }

  @Test
  void changesLeaveATrailAndPublishingNone() {
    send("POST /pub?topic=trail", "x", "Authorization: Bearer t");
    send("POST /channel/create?topic=trail&channel=c", "", basic("root:secret"));
    send("POST /topic/delete?topic=trail", "", basic("look:secret"));
    send("POST /topic/delete?topic=trail-not-there", "", basic("root:secret"));
    JsonNode events = send("GET /events?n=1000", "", basic("look:secret")).json().path("events");
    List<String> trail =
        events.findValuesAsText("message").stream()
            .filter(line -> line.contains("topic=trail"))
            .map(line -> line.replaceFirst("remote=127\\.0\\.0\\.1:[0-9]+ ", ""))
            .toList();
    assertEquals(
        List.of(
            "user=root action=topic.delete topic=trail-not-there result=failed"
                + " reason=TOPIC_NOT_FOUND",
            "user=look action=topic.delete topic=trail result=refused",
            "user=root action=channel.create topic=trail channel=c result=ok"),
        trail);
    assertTrue(
        broker.output().contains("INFO: audit: user=root remote=127.0.0.1:"), "in the log, too");
    assertFalse(broker.output().contains("secret"));
  }

  @Test
  void theFileIsReadAgainAndAFaultInItChangesNothing() throws Exception {
    Path other = Files.writeString(dir.resolve("later"), "new:" + BCRYPT + ":admin\n");
    try (BrokerProcess second = BrokerProcess.started("--http-users-file=" + other)) {
      Http its = second.http();
      String head = "GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
      String asNew = head + basic("new:secret") + "\r\n\r\n";
      assertEquals(200, its.raw(asNew, false).status());
      assertEquals(200, its.get("/stats").status(), "anonymous is admin unless said otherwise");
      Files.writeString(other, "new:" + BCRYPT + ":admin\nfault\n");
      Awaitility.await()
          .until(() -> second.output().contains(other + ":2: not of the form name:HASH:..."));
      assertEquals(200, its.raw(asNew, false).status());
      Files.writeString(other, "newer:" + BCRYPT + ":admin\n");
      Awaitility.await().until(() -> its.raw(asNew, false).status() == 401);
    }
  }

  @Test
  void aFaultAtStartIsOneLine() throws Exception {
    Path faulty = Files.writeString(dir.resolve("faulty"), "a:b:c\n");
    try (BrokerProcess none = BrokerProcess.of()) {
      none.launch(
          List.of(
              "--data-path=" + Files.createDirectory(dir.resolve("data")),
              "--http-users-file=" + faulty));
      assertEquals(1, none.awaitExit(Duration.ofSeconds(30)));
      assertTrue(none.output().contains(faulty + ":1: a: the hash is neither"), none.output());
    }
  }
}
