package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Certificates;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Contract §1.7, against an auth server that is part of the test. */
class AuthSystemTest {
  private static final String ALL =
      "{\"topic\":\".*\",\"channels\":[\".*\"],\"permissions\":[\"subscribe\",\"publish\"]}";

  @TempDir static Path directory;

  /** Answers by secret; an answer that starts with a digit is a status and nothing else. */
  private static final Map<String, String> ANSWERS = new ConcurrentHashMap<>();

  private static final List<String> REQUESTS = new CopyOnWriteArrayList<>();
  private static HttpServer server;
  private static BrokerProcess broker;
  private static BrokerProcess posting;
  private static Certificates certificates;

  @BeforeAll
  static void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          String target = exchange.getRequestURI().toString();
          REQUESTS.add(
              String.join(
                  " ",
                  exchange.getRequestMethod(),
                  target,
                  body,
                  exchange.getRequestHeaders().getFirst("Accept"),
                  exchange.getRequestHeaders().getFirst("Content-Type")));
          String secret =
              body.isEmpty()
                  ? target.replaceAll(".*[?&]secret=([^&]*).*", "$1")
                  : body.replaceAll(".*\"secret\":\\[\"([^\"]*)\".*", "$1");
          String answer = ANSWERS.getOrDefault(secret, "404");
          boolean bare = Character.isDigit(answer.charAt(0));
          byte[] bytes = (bare ? "" : answer).getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(
              bare ? Integer.parseInt(answer) : 200, bytes.length == 0 ? -1 : bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    String address = "127.0.0.1:" + server.getAddress().getPort();
    certificates = new Certificates(directory).issue("server").issue("client");
    // The second one is dead: whichever is asked first, the living one decides.
    broker =
        BrokerProcess.started(
            "--auth-http-address=" + address,
            "--auth-http-address=127.0.0.1:" + BrokerProcess.freePort());
    posting =
        BrokerProcess.startedWithTls(
            certificates,
            "--auth-http-address=http://" + address + "/some/path",
            "--auth-http-request-method=post",
            "--tls-required=false",
            "--tls-client-auth-policy=require");
    allow("good", 3600, ALL);
  }

  @AfterAll
  static void stop() {
    broker.close();
    posting.close();
    server.stop(0);
  }

  private static void allow(String secret, int ttl, String authorizations) {
    ANSWERS.put(
        secret,
        "{\"ttl\":"
            + ttl
            + ",\"identity\":\"me \\\"<q>\\\"\",\"identity_url\":\"http://me\",\"authorizations\":["
            + authorizations
            + "]}");
  }

  private static RawNsqConnection auth(String secret) {
    RawNsqConnection conn = broker.connect();
    assertTrue(conn.command("AUTH", secret).expectResponse().startsWith("{\"identity\":"));
    return conn;
  }

  private static long queries(String secret) {
    return REQUESTS.stream().filter(r -> r.contains("secret=" + secret + "&")).count();
  }

  @Test
  void shouldAuthenticateByGet() {
    try (RawNsqConnection conn = broker.connect()) {
      assertTrue(
          conn.identify("{\"feature_negotiation\":true}").contains("\"auth_required\":true"));
      allow("a%26b+c", 3600, ALL + "," + ALL);
      assertEquals(
          "{\"identity\":\"me \\\"\\u003cq\\u003e\\\"\",\"identity_url\":\"http://me\",\"permission_count\":2}",
          conn.command("AUTH", "a&b c").expectResponse());
      assertTrue(
          REQUESTS.contains(
              "GET /auth?common_name=&remote_ip=127.0.0.1&secret=a%26b+c&tls=false "
                  + " application/vnd.nsq; version=1.0 null"),
          REQUESTS::toString);
      conn.pub("authed", "x").line("SUB authed ch").expectOk();
      JsonNode client = broker.http().channel("authed", "ch").at("/clients/0");
      assertEquals("true", client.path("authed").asText());
      assertEquals("me \"<q>\"", client.path("auth_identity").asText());
      assertEquals("http://me", client.path("auth_identity_url").asText());
    }
  }

  @Test
  void shouldAuthenticateByPostInsideTls() {
    try (RawNsqConnection conn = posting.connect()) {
      conn.upgrade(",\"tls_v1\":true", certificates.client("client"));
      conn.command("AUTH", "good").expectResponse();
      String request =
          REQUESTS.stream().filter(r -> r.startsWith("POST /some/path ")).findFirst().orElseThrow();
      assertEquals(
          "POST /some/path {\"common_name\":[\"client\"],\"remote_ip\":[\"127.0.0.1\"],\"secret\":[\"good\"],"
              + "\"tls\":[\"true\"]} application/vnd.nsq; version=1.0 application/json",
          request);
      conn.pub("posted", "x");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"SUB t c", "PUB t", "DPUB t 1", "MPUB t"})
  void shouldDemandAuthFirst(String line) {
    try (RawNsqConnection conn = broker.connect()) {
      if (line.startsWith("SUB")) {
        conn.line(line);
      } else {
        conn.command(line, line.startsWith("MPUB") ? RawNsqConnection.batch("x") : "x");
      }
      conn.expectFatal("E_AUTH_FIRST AUTH required before " + line.split(" ")[0]);
    }
  }

  @Test
  void shouldRefuseASecondAuth() {
    try (RawNsqConnection conn = auth("good")) {
      conn.command("AUTH", "good").expectFatal("E_INVALID AUTH already set");
    }
  }

  @Test
  void shouldRefuseParametersAndBadBodies() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("AUTH x", "good").expectFatal("E_INVALID AUTH invalid number of parameters");
    }
    try (RawNsqConnection conn = broker.connect()) {
      conn.send("AUTH\n" + RawNsqConnection.int32(0))
          .expectFatal("E_BAD_BODY AUTH invalid body size 0");
    }
    try (RawNsqConnection conn = auth("good")) {
      conn.line("SUB t state").expectOk();
      conn.command("AUTH", "good").expectFatal("E_INVALID cannot AUTH in current state");
    }
  }

  @Test
  void shouldFailOnUnusableAnswers() {
    for (String answer :
        List.of(
            "403",
            "500",
            "not json",
            "[]",
            "{\"ttl\":0,\"authorizations\":[" + ALL + "]}",
            "{\"ttl\":-5,\"authorizations\":[" + ALL + "]}",
            "{\"ttl\":\"60\",\"authorizations\":[" + ALL + "]}",
            "{\"ttl\":60,\"authorizations\":[{\"topic\":\"(\",\"channels\":[\".*\"],\"permissions\":[]}]}",
            "{\"ttl\":60,\"authorizations\":[{\"topic\":\".*\",\"channels\":[\"*\"],\"permissions\":[]}]}",
            "{\"ttl\":60,\"authorizations\":[{\"topic\":\".*\",\"channels\":[],\"permissions\":[\"own\"]}]}")) {
      ANSWERS.put("unusable", answer);
      try (RawNsqConnection conn = broker.connect()) {
        conn.command("AUTH", "unusable").expectFatal("E_AUTH_FAILED AUTH failed");
      }
    }
    allow("nothing", 60, "");
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("AUTH", "nothing").expectFatal("E_UNAUTHORIZED AUTH no authorizations found");
    }
  }

  @Test
  void shouldSearchRegularExpressions() {
    allow(
        "regex",
        3600,
        "{\"topic\":\"^logs\\\\.\",\"channels\":[\"^arch\",\"ive$\"],\"permissions\":[\"subscribe\"]},"
            + "{\"topic\":\"vents\",\"channels\":[\".*\"],\"permissions\":[\"publish\"]},"
            + "{\"topic\":\"^strict$\",\"channels\":[\"x\"],\"permissions\":[\"publish\"]}");
    for (String allowed : List.of("logs.a archive", "logs.b arch", "logs.c live")) {
      try (RawNsqConnection conn = auth("regex")) {
        conn.line("SUB " + allowed).expectOk();
      }
    }
    try (RawNsqConnection conn = auth("regex")) {
      conn.pub("my-events", "x").mpub("events.b", "x");
      conn.command("DPUB events.b 1", "x").expectOk();
    }
    refused("SUB logs.a other", "E_UNAUTHORIZED AUTH failed for SUB on \"logs.a\" \"other\"");
    refused("SUB my-events ch", "E_UNAUTHORIZED AUTH failed for SUB on \"my-events\" \"ch\"");
    refused("PUB logs.a", "E_UNAUTHORIZED AUTH failed for PUB on \"logs.a\" \"\"");
    refused("DPUB logs.a 5", "E_UNAUTHORIZED AUTH failed for DPUB on \"logs.a\" \"\"");
    refused("MPUB logs.a", "E_UNAUTHORIZED AUTH failed for MPUB on \"logs.a\" \"\"");
    // No channel expression matches the empty string.
    refused("PUB strict", "E_UNAUTHORIZED AUTH failed for PUB on \"strict\" \"\"");
    assertTrue(broker.http().topic("strict").isMissingNode());
  }

  private static void refused(String line, String error) {
    try (RawNsqConnection conn = auth("regex")) {
      if (line.startsWith("SUB")) {
        conn.line(line);
      } else {
        conn.command(line, line.startsWith("MPUB") ? RawNsqConnection.batch("x") : "x");
      }
      conn.expectFatal(error);
    }
  }

  @Test
  void shouldAskAgainAfterTheTtl() {
    allow("short", 1, ALL);
    try (RawNsqConnection conn = auth("short");
        RawNsqConnection live = auth("short")) {
      live.line("SUB ttl ch").expectOk().line("RDY 10");
      conn.pub("ttl", "first");
      live.fin(live.message());
      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .pollInterval(Duration.ofMillis(300))
          .until(
              () -> {
                conn.pub("ttl", "again");
                return queries("short") >= 3;
              });
      allow("short", 1, ALL.replace(",\"publish\"", ""));
      String denied = "E_UNAUTHORIZED AUTH failed for PUB on \"ttl\" \"\"";
      String reply = "OK";
      long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
      while (reply.equals("OK") && System.nanoTime() < deadline) {
        reply = conn.command("PUB ttl", "soon denied").frame().text();
      }
      assertEquals(denied, reply);
      // Live subscriptions are never checked again.
      live.fin(live.message()).line("NOP");
    }
  }

  @Test
  void shouldFailWhenAskingAgainFails() {
    allow("gone", 1, ALL);
    try (RawNsqConnection conn = auth("gone")) {
      ANSWERS.remove("gone");
      String reply = "OK";
      long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
      while (reply.equals("OK") && System.nanoTime() < deadline) {
        reply = conn.command("PUB gone", "x").frame().text();
      }
      assertEquals("E_AUTH_FAILED AUTH failed", reply);
      conn.expectClosed();
    }
  }
}
