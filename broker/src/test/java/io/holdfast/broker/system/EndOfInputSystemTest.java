package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Certificates;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.net.SocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A client that sends commands or requests and ends its direction: by FIN, by TLS's close_notify,
 * by the last block of a deflate stream. All it asked for is done and answered, then the connection
 * is closed.
 */
class EndOfInputSystemTest {
  /** How a connection was set up and how the client's direction ends. */
  private enum Way {
    PLAIN(""),
    SNAPPY(",\"snappy\":true"),
    DEFLATE(",\"deflate\":true"),
    /** Commands in the final block. */
    DEFLATE_FINAL(",\"deflate\":true"),
    /** Commands flushed, then an empty final block, then FIN. */
    DEFLATE_EMPTY_FINAL(",\"deflate\":true"),
    TLS_1_2(",\"tls_v1\":true"),
    TLS_1_3(",\"tls_v1\":true"),
    TLS_1_2_DEFLATE_FINAL(",\"tls_v1\":true,\"deflate\":true"),
    TLS_1_3_SNAPPY(",\"tls_v1\":true,\"snappy\":true");

    private final String fields;

    Way(String fields) {
      this.fields = fields;
    }
  }

  @TempDir static Path directory;
  private static Certificates certificates;
  private static BrokerProcess written;
  private static BrokerProcess synced;
  private static int httpsPort;

  @BeforeAll
  static void start() {
    certificates = new Certificates(directory).issue("server");
    String cert = "--tls-cert=" + certificates.file("server.pem");
    String key = "--tls-key=" + certificates.file("server.key");
    httpsPort = BrokerProcess.freePort();
    written =
        BrokerProcess.started(
            cert, key, "--https-address=127.0.0.1:" + httpsPort, "--max-req-timeout=24h");
    synced = BrokerProcess.started(cert, key, "--https-address=", "--durability=synced");
  }

  @AfterAll
  static void stop() {
    written.close();
    synced.close();
  }

  private static RawNsqConnection connect(BrokerProcess broker, Way way) {
    RawNsqConnection conn = broker.connect();
    if (!way.fields.isEmpty()) {
      String version = way.name().startsWith("TLS_1_2") ? "TLSv1.2" : "TLSv1.3";
      conn.upgrade(way.fields, certificates.trustingClient(null, version));
    }
    return conn;
  }

  private static void sendAndEnd(RawNsqConnection conn, Way way, String commands) {
    switch (way) {
      case DEFLATE_FINAL, TLS_1_2_DEFLATE_FINAL -> conn.endDeflate(commands);
      case DEFLATE_EMPTY_FINAL -> conn.send(commands).endDeflate("").endOutput();
      default -> conn.send(commands).endOutput();
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void shouldStoreAndAnswerPublishes(Way way) {
    for (BrokerProcess broker : List.of(written, synced)) {
      // The first of a topic waits for a worker, with the others behind it.
      String topic = "pub-" + way;
      StringBuilder commands = new StringBuilder();
      for (int i = 0; i < 10; i++) {
        commands.append("PUB ").append(topic).append('\n').append(RawNsqConnection.sized("m" + i));
      }
      for (int round = 1; round <= 2; round++) {
        try (RawNsqConnection conn = connect(broker, way)) {
          sendAndEnd(conn, way, commands.toString());
          for (int i = 0; i < 10; i++) {
            conn.expectOk();
          }
          conn.expectClosed();
        }
        assertEquals(10 * round, broker.http().topic(topic).path("depth").asInt());
      }
    }
  }

  /** More than the broker takes while the topic is being made. */
  @ParameterizedTest
  @EnumSource(Way.class)
  void shouldStoreAllOfMuch(Way way) {
    String topic = "much-" + way;
    String body = "x".repeat(20_000);
    String commands = ("PUB " + topic + "\n" + RawNsqConnection.sized(body)).repeat(100);
    try (RawNsqConnection conn = connect(written, way)) {
      sendAndEnd(conn, way, commands);
      for (int i = 0; i < 100; i++) {
        conn.expectOk();
      }
      conn.expectClosed();
    }
    assertEquals(100, written.http().topic(topic).path("depth").asInt());
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void shouldApplyFinishes(Way way) {
    String topic = "fin-" + way;
    List<String> finishes = new ArrayList<>();
    try (RawNsqConnection publisher = written.connect();
        RawNsqConnection consumer = connect(written, way)) {
      publisher.mpub(topic, "a", "b", "c", "d");
      consumer.line("SUB " + topic + " c").expectOk().line("RDY 4");
      for (Frame.Msg message : consumer.messages(4)) {
        finishes.add("FIN " + message.id() + "\n");
      }
      sendAndEnd(consumer, way, String.join("", finishes.subList(0, 3)));
      consumer.expectClosed();
    }
    written.http().awaitChannelCount(topic, "c", "client_count", 0);
    assertEquals(1, written.http().channel(topic, "c").path("depth").asInt());
  }

  /** The rest of a read that cannot be understood does not undo what came before. */
  @ParameterizedTest
  @ValueSource(strings = {"", ",\"snappy\":true", ",\"deflate\":true"})
  void shouldApplyFinishesBeforeGarbage(String fields) throws IOException {
    String topic = "garbage-" + fields.replaceAll("[^a-z]", "");
    try (RawNsqConnection publisher = written.connect();
        RawNsqConnection consumer = written.connect()) {
      publisher.mpub(topic, "a", "b");
      consumer.upgrade(fields, null);
      consumer.line("SUB " + topic + " c").expectOk().line("RDY 2");
      String finish = "FIN " + consumer.message().id() + "\n";
      consumer.message();
      // Without end of line: closed without a word.
      consumer.send(finish + "x".repeat(20_000));
      consumer.expectClosed();
    }
    written.http().awaitChannelCount(topic, "c", "client_count", 0);
    assertEquals(1, written.http().channel(topic, "c").path("depth").asInt());
  }

  // ---------------------------------------------------------------- HTTP

  private static SocketFactory sockets(String scheme) {
    return switch (scheme) {
      case "http" -> SocketFactory.getDefault();
      case "https-1.2" -> certificates.trustingClient(null, "TLSv1.2").getSocketFactory();
      default -> certificates.trustingClient(null, "TLSv1.3").getSocketFactory();
    };
  }

  private static List<Http.Response> sendAndEnd(
      BrokerProcess broker, String scheme, String requests, int answers) throws IOException {
    int port = scheme.equals("http") ? broker.httpPort() : httpsPort;
    List<Http.Response> got = new ArrayList<>();
    try (Socket socket = sockets(scheme).createSocket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(requests.getBytes(StandardCharsets.ISO_8859_1));
      socket.shutdownOutput();
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (int i = 0; i < answers; i++) {
        got.add(Http.read(in, false));
      }
      assertEquals(-1, in.read());
    }
    return got;
  }

  private static String post(String target, String body) {
    return "POST "
        + target
        + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: "
        + body.length()
        + "\r\n\r\n"
        + body;
  }

  private static String get(String target) {
    return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  }

  @ParameterizedTest
  @ValueSource(strings = {"http", "https-1.2", "https-1.3"})
  void shouldAnswerHttp(String scheme) throws IOException {
    String topic = "half-" + scheme;
    sendAndEnd(written, scheme, get("/ping"), 1).get(0).expect(200, "OK");
    sendAndEnd(written, scheme, post("/pub?topic=" + topic, "hello"), 1).get(0).expect(200, "OK");
    assertEquals(1, written.http().topic(topic).path("depth").asInt());
    List<Http.Response> all =
        sendAndEnd(
            written,
            scheme,
            post("/pub?topic=new-" + topic, "x")
                + get("/stats?format=json&topic=new-" + topic)
                + post("/pub?topic=new-" + topic, "y".repeat(200_000))
                + get("/nowhere")
                + get("/ping"),
            5);
    all.get(0).expect(200, "OK");
    assertEquals(1, all.get(1).json().at("/topics/0/depth").asInt());
    all.get(2).expect(200, "OK");
    assertEquals(404, all.get(3).status());
    all.get(4).expect(200, "OK");
    List<Http.Response> many = sendAndEnd(written, scheme, get("/ping").repeat(3000), 3000);
    assertTrue(many.stream().allMatch(answer -> answer.status() == 200));
  }

  @Test
  void shouldAnswerHttpWhenSynced() throws IOException {
    String requests = post("/pub?topic=half", "a") + post("/mpub?topic=half", "b\nc\n");
    for (Http.Response answer : sendAndEnd(synced, "http", requests, 2)) {
      answer.expect(200, "OK");
    }
    assertEquals(3, synced.http().topic("half").path("depth").asInt());
  }

  @ParameterizedTest
  @ValueSource(strings = {"http", "https-1.2", "https-1.3"})
  void shouldRefuseHalfRequests(String scheme) throws IOException {
    String request = post("/pub?topic=half-a-body", "12345");
    String half = request.substring(0, request.length() - 1);
    sendAndEnd(written, scheme, half, 1).get(0).expectError(500, "INTERNAL_ERROR");
    assertTrue(written.http().topic("half-a-body").isMissingNode());
    if (scheme.equals("http")) {
      sendAndEnd(written, scheme, "", 0);
    }
  }
}
