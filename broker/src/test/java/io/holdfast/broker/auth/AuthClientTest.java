package io.holdfast.broker.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.auth.AuthSession.Verdict;
import io.holdfast.broker.net.HttpJsonClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthClientTest {
  private static final String ANSWER =
      "{\"TTL\":10,\"identity\":\"me\",\"identity_url\":\"http://me\",\"authorizations\":["
          + "{\"topic\":\"^orders$\",\"channels\":[\"^c[0-9]\",\"x\"],"
          + "\"permissions\":[\"subscribe\"]},"
          + "{\"topic\":\"log\",\"channels\":[\".*\"],\"permissions\":[\"publish\"]},"
          + "{\"topic\":\".*\",\"channels\":[\"only\"],\"permissions\":[\"publish\"]}]}";

  private final ExecutorService executor = Executors.newSingleThreadExecutor();
  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5_000_000_000L);
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private volatile int status = 200;
  private volatile String answer = ANSWER;
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          asked.add(
              exchange.getRequestMethod()
                  + " "
                  + exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Accept")
                  + " "
                  + exchange.getRequestHeaders().getFirst("Content-Type")
                  + " "
                  + body);
          byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    executor.shutdownNow();
  }

  private String address() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  private AuthSession session(boolean post, String... addresses) {
    return session(300, 1000, post, addresses);
  }

  private AuthSession session(int connectMs, int requestMs, boolean post, String... addresses) {
    HttpJsonClient http = new HttpJsonClient(connectMs, requestMs, null, null, executor);
    return new AuthClient(new AuthOptions(List.of(addresses), post), http, now::get).newSession();
  }

  private static AuthState authenticate(AuthSession session) {
    byte[] secret = "s e*~/\u00e9".getBytes(StandardCharsets.ISO_8859_1);
    return session.authenticate(secret, "1.2.3.4", false, "cn&").join();
  }

  @Test
  void shouldGetWithTheContractsQuery() {
    AuthState state = authenticate(session(false, address()));
    assertEquals(
        List.of(
            "GET /auth?common_name=cn%26&remote_ip=1.2.3.4&secret=s+e%2A~%2F%E9&tls=false"
                + " application/vnd.nsq; version=1.0 null "),
        asked);
    assertEquals("me", state.identity());
    assertEquals("http://me", state.identityUrl());
    assertEquals(3, state.permissionCount());
  }

  @Test
  void shouldPostLists() {
    AuthSession session = session(true, "http://" + address() + "/custom");
    session.authenticate("s".getBytes(StandardCharsets.UTF_8), "1.2.3.4", true, "").join();
    assertEquals(
        List.of(
            "POST /custom application/vnd.nsq; version=1.0 application/json"
                + " {\"common_name\":[\"\"],\"remote_ip\":[\"1.2.3.4\"],\"secret\":[\"s\"],"
                + "\"tls\":[\"true\"]}"),
        asked);
  }

  @Test
  void shouldAllowByUnanchoredSearch() {
    AuthState state = authenticate(session(false, address()));
    assertTrue(state.isAllowed("orders", "c1", Permission.SUBSCRIBE));
    assertTrue(state.isAllowed("orders", "axb", Permission.SUBSCRIBE));
    assertFalse(state.isAllowed("orders", "d", Permission.SUBSCRIBE));
    assertFalse(state.isAllowed("orders2", "c1", Permission.SUBSCRIBE));
    assertFalse(state.isAllowed("orders", "", Permission.PUBLISH));
    assertTrue(state.isAllowed("my.log.x", "", Permission.PUBLISH));
    assertFalse(state.isAllowed("my.log.x", "c", Permission.SUBSCRIBE));
  }

  @Test
  void shouldAskAgainOnceTheTtlHasPassed() {
    AuthSession session = session(false, address());
    assertEquals(Verdict.AUTH_FIRST, session.check("log", "", Permission.PUBLISH).join());
    assertNull(session.state());
    authenticate(session);
    now.addAndGet(9_999_999_999L);
    assertTrue(session.check("log", "", Permission.PUBLISH).isDone(), "no query needed");
    assertEquals(Verdict.UNAUTHORIZED, session.check("no", "", Permission.PUBLISH).join());
    assertEquals(1, asked.size());
    now.incrementAndGet();
    assertEquals(Verdict.ALLOWED, session.check("log", "", Permission.PUBLISH).join());
    assertEquals(2, asked.size());
    assertEquals(asked.get(0), asked.get(1));
    now.addAndGet(10_000_000_000L);
    status = 500;
    assertEquals(Verdict.AUTH_FAILED, session.check("log", "", Permission.PUBLISH).join());
    status = 200;
    answer = "{\"ttl\":1,\"authorizations\":null}";
    assertEquals(Verdict.UNAUTHORIZED, session.check("log", "", Permission.PUBLISH).join());
    assertEquals(0, session.state().permissionCount());
  }

  @Test
  void shouldTryAllServersAndStayUnauthenticatedOnAnEmptyList() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String dead = "127.0.0.1:" + silent.getLocalPort();
      answer = "{\"ttl\":1,\"authorizations\":[]}";
      AuthSession session = session(false, dead, "http://nonsense url", address());
      assertEquals(0, authenticate(session).permissionCount());
      assertNull(session.state());
      assertThrows(CompletionException.class, () -> authenticate(session(false, dead)));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"ttl\":0}",
        "{\"ttl\":-1}",
        "{\"ttl\":\"5\"}",
        "{\"ttl\":1.5}",
        "{\"ttl\":1} x",
        "{\"ttl\":1,\"identity\":5}",
        "{\"ttl\":1,\"authorizations\":{}}",
        "{\"ttl\":1,\"authorizations\":[{\"topic\":\"(\"}]}",
        "{\"ttl\":1,\"authorizations\":[{\"topic\":\"a\",\"channels\":[\"[\"]}]}",
        "{\"ttl\":1,\"authorizations\":[{\"topic\":\"a\",\"permissions\":[\"admin\"]}]}"
      })
  void shouldFailOnAnUnusableAnswer(String unusable) {
    answer = unusable;
    CompletionException e =
        assertThrows(CompletionException.class, () -> authenticate(session(false, address())));
    assertInstanceOf(AuthException.class, e.getCause());
    assertFalse(e.getMessage().contains("secret"), e.getMessage());
  }

  @Test
  void shouldRetryForbiddenAsHttpsOnThePortGiven() throws IOException {
    // No certificate here: that https was tried on that port shows in how it fails.
    try (ServerSocket https = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      https.setSoTimeout(10_000);
      status = 403;
      answer = "{\"message\":\"TLS_REQUIRED\",\"https_port\":" + https.getLocalPort() + "}";
      AuthSession session = session(5000, 5000, false, address());
      var pending = session.authenticate(new byte[] {'s'}, "", false, "");
      try (var connection = https.accept()) {
        assertEquals(0x16, connection.getInputStream().read(), "a TLS handshake record");
      }
      assertThrows(CompletionException.class, pending::join);
    }
  }
}
