package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** auth_users_file with the real broker: AUTH without an auth server, and in front of one. */
class AuthUsersSystemTest {
  /** Of "secret". */
  private static final String BCRYPT =
      "$2a$10$KBh9e3XFKui47lctCul46OQz8IDciqW9RerqvON8tNOg6ebS/AdXa";

  private static final String ALL =
      "[{\"topic\":\".*\",\"channels\":[\".*\"],\"permissions\":[\"subscribe\",\"publish\"]}]";
  private static final String ORDERS =
      "[{\"topic\":\"^orders$\",\"channels\":[\".*\"],\"permissions\":[\"publish\"]},"
          + "{\"topic\":\"^orders$\",\"channels\":[\"^bill\"],\"permissions\":[\"subscribe\"]}]";

  @TempDir static Path dir;
  private static final List<String> ASKED = new CopyOnWriteArrayList<>();
  private static Path users;
  private static HttpServer authServer;
  private static BrokerProcess broker;

  @BeforeAll
  static void start() throws Exception {
    authServer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    authServer.createContext(
        "/auth",
        exchange -> {
          String query = exchange.getRequestURI().getQuery();
          ASKED.add(query);
          boolean known = query.contains("secret=theirs");
          byte[] answer =
              ("{\"ttl\":60,\"identity\":\"elsewhere\",\"authorizations\":" + ALL + "}")
                  .getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(known ? 200 : 403, known ? answer.length : -1);
          if (known) {
            exchange.getResponseBody().write(answer);
          }
          exchange.close();
        });
    authServer.start();
    users = dir.resolve("users");
    write("changed:" + BCRYPT + ":" + ORDERS, "leaver:" + BCRYPT + ":" + ALL);
    broker =
        BrokerProcess.started(
            "--auth-users-file=" + users,
            "--auth-http-address=127.0.0.1:" + authServer.getAddress().getPort());
  }

  @AfterAll
  static void stop() {
    broker.close();
    authServer.stop(0);
  }

  private static void write(String... more) throws Exception {
    Files.writeString(
        users,
        String.join(
                "\n",
                "# ours",
                "root:" + BCRYPT + ":" + ALL,
                "",
                "job:" + BCRYPT + ":" + ORDERS,
                "bot:" + token("to:ken") + ":" + ALL,
                String.join("\n", more))
            + "\n");
  }

  private static String token(String text) throws Exception {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static RawNsqConnection auth(String secret) {
    RawNsqConnection conn = broker.connect();
    conn.command("AUTH", secret).expectResponse();
    return conn;
  }

  private static void refused(String secret) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("AUTH", secret).expectFatal("E_AUTH_FAILED AUTH failed");
    }
  }

  @Test
  void usersMayWhatTheirLinesSay() {
    try (RawNsqConnection conn = broker.connect()) {
      String features = conn.identify("{\"feature_negotiation\":true}");
      assertTrue(features.contains("\"auth_required\":true"), features);
      assertEquals(
          "{\"identity\":\"job\",\"identity_url\":\"\",\"permission_count\":2}",
          conn.command("AUTH", "job:secret").expectResponse());
      conn.pub("orders", "x").mpub("orders", "y").line("SUB orders billing").expectOk();
      assertEquals(
          "job",
          broker.http().channel("orders", "billing").at("/clients/0/auth_identity").asText());
    }
    try (RawNsqConnection conn = auth("job:secret")) {
      conn.command("PUB other", "x")
          .expectFatal("E_UNAUTHORIZED AUTH failed for PUB on \"other\" \"\"");
    }
    try (RawNsqConnection conn = auth("job:secret")) {
      conn.line("SUB orders audit")
          .expectFatal("E_UNAUTHORIZED AUTH failed for SUB on \"orders\" \"audit\"");
    }
    try (RawNsqConnection conn = auth("to:ken")) {
      conn.pub("any", "x");
    }
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("PUB orders", "x").expectFatal("E_AUTH_FIRST AUTH required before PUB");
    }
    long startNs = System.nanoTime();
    refused("job:no");
    refused("bot:to:ken");
    refused("job:" + "x".repeat(200));
    assertTrue(System.nanoTime() - startNs > 2_900_000_000L, "each wrong one waits a second");
    assertFalse(broker.output().contains("secret"));
  }

  @Test
  void manyConnectionsOfOneUserAreNoAttack() {
    List<RawNsqConnection> connections = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      connections.add(broker.connect());
    }
    connections.forEach(conn -> conn.command("AUTH", "root:secret"));
    for (RawNsqConnection conn : connections) {
      assertTrue(conn.expectResponse().startsWith("{\"identity\":\"root\""));
      conn.close();
    }
  }

  @Test
  void aChangeIsFeltByThoseWhoAreIn() throws Exception {
    try (RawNsqConnection publisher = auth("leaver:secret");
        RawNsqConnection consumer = auth("leaver:secret");
        RawNsqConnection changed = auth("changed:secret")) {
      publisher.pub("t", "1");
      changed.pub("orders", "1");
      consumer.line("SUB t c").expectOk().line("RDY 1").message();
      write("fault");
      Awaitility.await()
          .atMost(Duration.ofSeconds(15))
          .until(() -> broker.output().contains(users + ":6: not of the form"));
      publisher.pub("t", "2");
      write("changed:" + BCRYPT + ":" + ORDERS.replace("orders", "bills"));
      awaitRefusal(
          () -> changed.command("PUB orders", "x").frame().text(),
          "E_UNAUTHORIZED AUTH failed for PUB on \"orders\" \"\"");
      awaitRefusal(
          () -> publisher.command("PUB t", "x").frame().text(), "E_AUTH_FAILED AUTH failed");
      consumer.line("NOP").expectFatal("E_AUTH_FAILED AUTH failed");
      String events = broker.http().get("/events").body();
      assertTrue(events.contains("action=users.reload result=ok"), events);
    }
    refused("leaver:secret");
  }

  private static void awaitRefusal(Supplier<String> publish, String error) {
    String[] reply = {""};
    Awaitility.await()
        .atMost(Duration.ofSeconds(15))
        .pollInterval(Duration.ofMillis(200))
        .until(
            () -> {
              reply[0] = publish.get();
              return !reply[0].equals("OK");
            });
    assertEquals(error, reply[0]);
  }

  @Test
  void whomTheFileDoesNotKnowTheAuthServerMay() {
    refused("root:wrong");
    try (RawNsqConnection conn = broker.connect()) {
      String answer = conn.command("AUTH", "theirs").expectResponse();
      assertTrue(answer.startsWith("{\"identity\":\"elsewhere\""), answer);
    }
    refused("nobody:secret");
    assertTrue(ASKED.stream().noneMatch(query -> query.contains("root")), ASKED::toString);
  }

  @Test
  void aFaultAtStartIsOneLine() throws Exception {
    Path faulty = Files.writeString(dir.resolve("faulty"), "# line 1\na:" + BCRYPT + ":admin\n");
    try (BrokerProcess none = BrokerProcess.of()) {
      none.launch(
          List.of(
              "--data-path=" + Files.createDirectory(dir.resolve("data")),
              "--auth-users-file=" + faulty));
      assertEquals(1, none.awaitExit(Duration.ofSeconds(60)));
      String line = faulty + ":2: the authorizations are no JSON: ";
      assertTrue(none.output().contains(line), none.output());
      assertFalse(none.output().contains("$2a$"));
    }
  }
}
