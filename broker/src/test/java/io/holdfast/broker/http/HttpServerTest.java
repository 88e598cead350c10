package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.net.Transport;
import io.netty.channel.epoll.Epoll;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Connections against a real listener, with routes of the test's own. */
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends its lines with CR LF
class HttpServerTest {
  private static final String HOST = " HTTP/1.1\r\nHost: x\r\n";
  private static final int SO_TIMEOUT_MS = 10_000;

  private final Transport loops = new Transport(2);
  private final BlockingQueue<Consumer<HttpReply>> held = new LinkedBlockingQueue<>();
  private HttpServer server;
  private HttpLimits limits = HttpLimits.DEFAULT;
  private IntSupplier tlsRequiredPort;

  @TempDir Path dir;

  @AfterEach
  void stop() {
    if (server != null) {
      server.close(1000);
    }
    loops.close();
  }

  private Router router() {
    HttpApi.Routes routes = OpenRoutes.create();
    routes.add(
        Right.OPEN, "GET", "/ping", RequestHandler.immediate(r -> HttpReply.plainText(200, "OK")));
    routes.add(
        Right.OPEN, "GET", "/echo", RequestHandler.immediate(r -> HttpReply.text(r.rawQuery())));
    routes.add(Right.OPEN, "GET", "/hold", (request, reply) -> held.add(reply));
    routes.add(Right.OPEN, "POST", "/none", RequestHandler.immediate(r -> HttpReply.empty()));
    routes.add(
        Right.OPEN,
        "GET",
        "/bug",
        RequestHandler.immediate(
            request -> {
              throw new IllegalStateException("provoked by a test");
            }));
    routes.add(
        Right.OPEN,
        "POST",
        "/body",
        BodyLimits.collect(() -> 1000, HttpReply.error(413, "MSG_TOO_BIG")),
        RequestHandler.immediate(
            r -> HttpReply.text(r.body().readableBytes() + " " + r.bodyTooBig())));
    return new Router(routes.list());
  }

  private void start(ListenAddress address, Transport group) throws IOException {
    server =
        HttpServer.bind(
            new HttpServer.Config(
                address,
                group,
                null,
                limits,
                Budgets.of(MemoryBudget.ofThisJvm(0, 0)),
                null,
                tlsRequiredPort),
            router());
  }

  private Socket connect() throws IOException {
    if (server == null) {
      start(new ListenAddress("127.0.0.1", 0, null), loops);
    }
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(SO_TIMEOUT_MS);
    return socket;
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
  }

  /** Reads one answer: head, a blank line, as much body as Content-Length says. */
  private static String answer(InputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    String head = "";
    while (!head.endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        return head + "<closed>";
      }
      bytes.write(b);
      head = bytes.toString(ISO_8859_1);
    }
    int length = 0;
    for (String line : head.split("\r\n")) {
      if (line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length: ")) {
        length = Integer.parseInt(line.substring(16));
      }
    }
    return head.replaceAll("date: [^\r]*\r\n", "") + new String(in.readNBytes(length), ISO_8859_1);
  }

  private String exchange(String request) throws IOException {
    try (Socket socket = connect()) {
      send(socket, request);
      return answer(socket.getInputStream());
    }
  }

  private static void assertClosed(Socket socket) throws IOException {
    assertEquals(-1, socket.getInputStream().read());
  }

  @Test
  void shouldWriteTheContractsHeaders() throws IOException {
    assertEquals(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 2\r\n\r\nOK",
        exchange("GET /ping" + HOST + "\r\n"));
    assertEquals(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\n"
            + "X-Nsq-Content-Type: nsq; version=1.0\r\ncontent-length: 1\r\n\r\na",
        exchange("GET /echo?a" + HOST + "\r\n"));
    assertEquals(
        "HTTP/1.1 200 OK\r\nX-Nsq-Content-Type: nsq; version=1.0\r\ncontent-length: 0\r\n\r\n",
        exchange("POST /none" + HOST + "\r\n"));
    assertEquals(
        "HTTP/1.1 404 Not Found\r\ncontent-type: application/json; charset=utf-8\r\n"
            + "X-Nsq-Content-Type: nsq; version=1.0\r\ncontent-length: 23\r\n\r\n"
            + "{\"message\":\"NOT_FOUND\"}",
        exchange("GET /nope" + HOST + "\r\n"));
  }

  @Test
  void shouldAnswerHeadWithoutBodyAndGoOn() throws IOException {
    try (Socket socket = connect()) {
      send(socket, "HEAD /ping" + HOST + "\r\n" + "GET /echo?next" + HOST + "\r\n");
      byte[] bytes = new byte[4096];
      StringBuilder all = new StringBuilder();
      while (!all.toString().endsWith("next")) {
        int n = socket.getInputStream().read(bytes);
        assertTrue(n > 0, all.toString());
        all.append(new String(bytes, 0, n, ISO_8859_1));
      }
      assertTrue(
          all.toString().startsWith("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, OPTIONS"));
      assertFalse(all.toString().contains("METHOD_NOT_ALLOWED"));
      assertTrue(all.toString().contains("content-length: 32"));
    }
  }

  @Test
  void shouldAnswerPipelinedRequestsInOrder() throws Exception {
    try (Socket socket = connect()) {
      send(socket, "GET /hold" + HOST + "\r\n" + "GET /ping" + HOST + "\r\n");
      Consumer<HttpReply> first = held.poll(10, TimeUnit.SECONDS);
      assertEquals(0, socket.getInputStream().available());
      first.accept(HttpReply.text("first"));
      first.accept(HttpReply.text("never"));
      assertTrue(answer(socket.getInputStream()).endsWith("first"));
      assertTrue(answer(socket.getInputStream()).endsWith("\r\n\r\nOK"));
    }
  }

  @Test
  void shouldAnswerThousandsOfPipelinedRequests() throws Exception {
    int count = 5000;
    try (Socket socket = connect()) {
      Thread writer =
          new Thread(
              () -> {
                try {
                  for (int i = 0; i < count; i++) {
                    send(socket, "GET /echo?" + i + HOST + "\r\n");
                  }
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      writer.start();
      InputStream in = new java.io.BufferedInputStream(socket.getInputStream());
      for (int i = 0; i < count; i++) {
        assertTrue(answer(in).endsWith("\r\n\r\n" + i));
      }
      writer.join();
    }
  }

  @Test
  void shouldKeepTheConnectionUnlessToldNotTo() throws IOException {
    try (Socket socket = connect()) {
      send(socket, "GET /ping" + HOST + "\r\n");
      answer(socket.getInputStream());
      send(socket, "GET /ping" + HOST + "Connection: close\r\n\r\n");
      assertTrue(answer(socket.getInputStream()).contains("connection: close"));
      assertClosed(socket);
    }
  }

  @Test
  void shouldSpeakHttp10() throws IOException {
    try (Socket socket = connect()) {
      send(socket, "GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      String kept = answer(socket.getInputStream());
      assertTrue(kept.startsWith("HTTP/1.0 200") && kept.contains("connection: keep-alive"), kept);
      send(socket, "GET /ping HTTP/1.0\r\n\r\n");
      answer(socket.getInputStream());
      assertClosed(socket);
    }
  }

  @Test
  void shouldCollectChunkedBodiesUpToTheLimit() throws IOException {
    String chunked = "POST /body" + HOST + "Transfer-Encoding: chunked\r\n\r\n";
    assertTrue(exchange(chunked + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").endsWith("5 false"));
    String chunk = "1f4\r\n" + "x".repeat(500) + "\r\n";
    assertTrue(exchange(chunked + chunk + chunk + "0\r\n\r\n").endsWith("1000 false"));
    try (Socket socket = connect()) {
      send(socket, chunked + chunk + chunk + chunk + "0\r\n\r\n" + "GET /ping" + HOST + "\r\n");
      assertTrue(answer(socket.getInputStream()).endsWith("1001 true"));
      assertTrue(answer(socket.getInputStream()).endsWith("OK"));
    }
  }

  @Test
  void shouldNotReadAnOverlongBodyToItsEnd() throws IOException {
    String chunk = "10000\r\n" + "x".repeat(65536) + "\r\n";
    try (Socket socket = connect()) {
      send(socket, "POST /body" + HOST + "Transfer-Encoding: chunked\r\n\r\n" + chunk.repeat(5));
      String answer = answer(socket.getInputStream());
      assertTrue(answer.endsWith("1001 true"), answer);
      assertTrue(answer.contains("connection: close"), answer);
      send(socket, chunk + "0\r\n\r\n");
      assertClosed(socket);
    }
  }

  @Test
  void shouldRefuseADeclaredLengthButGoOnWhenTheBodyIsSmall() throws IOException {
    try (Socket socket = connect()) {
      send(socket, "POST /body" + HOST + "Content-Length: 1001\r\n\r\n" + "x".repeat(1001));
      assertTrue(answer(socket.getInputStream()).endsWith("{\"message\":\"MSG_TOO_BIG\"}"));
      send(socket, "GET /ping" + HOST + "\r\n");
      assertTrue(answer(socket.getInputStream()).endsWith("OK"));
    }
  }

  @Test
  void shouldAnswerBeforeAHugeBodyAndLetItBeRead() throws IOException {
    int huge = (int) RequestReader.MAX_DROPPED_BYTES + 1;
    try (Socket socket = connect()) {
      send(socket, "POST /body" + HOST + "Content-Length: " + huge + "\r\n\r\n");
      String answer = answer(socket.getInputStream());
      assertTrue(answer.contains("413") && answer.contains("connection: close"), answer);
      send(socket, "x".repeat(huge)); // no reset: the client may write before it reads
      assertClosed(socket);
    }
  }

  @Test
  void shouldCloseOnAnEndlessBodyNobodyWants() throws IOException {
    try (Socket socket = connect()) {
      send(socket, "POST /nope" + HOST + "Transfer-Encoding: chunked\r\n\r\n");
      String chunk = "10000\r\n" + "x".repeat(65536) + "\r\n";
      for (int i = 0; i < 5; i++) {
        send(socket, chunk);
      }
      assertTrue(answer(socket.getInputStream()).contains("connection: close"));
    }
  }

  @Test
  void shouldInviteABodyOnlyIfItWantsIt() throws IOException {
    String expect = HOST + "Expect: 100-continue\r\nContent-Length: ";
    try (Socket socket = connect()) {
      send(socket, "POST /body" + expect + "3\r\n\r\n");
      assertEquals("HTTP/1.1 100 Continue\r\n\r\n", answer(socket.getInputStream()));
      send(socket, "abc");
      assertTrue(answer(socket.getInputStream()).endsWith("3 false"));
      send(socket, "POST /body" + expect + "1001\r\n\r\n");
      assertTrue(answer(socket.getInputStream()).startsWith("HTTP/1.1 413"));
    }
    assertTrue(exchange("GET /ping" + HOST + "Expect: tea\r\n\r\n").startsWith("HTTP/1.1 417"));
  }

  @Test
  void shouldRefuseWhatIsNoHttp() throws IOException {
    assertTrue(exchange("GET /%zz" + HOST + "\r\n").endsWith("\r\n\r\n400 Bad Request"));
    assertTrue(exchange("GET ping" + HOST + "\r\n").endsWith("400 Bad Request"));
    assertTrue(exchange("hello\r\n\r\n").endsWith("400 Bad Request"));
    assertTrue(exchange("GET /ping HTTP/1.1\r\n\r\n").endsWith("missing required Host header"));
    assertTrue(
        exchange("POST /body" + HOST + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")
            .startsWith("HTTP/1.1 400"));
    assertTrue(exchange("GET /" + "x".repeat(20_000) + HOST + "\r\n").startsWith("HTTP/1.1 431"));
    assertTrue(
        exchange("GET /ping" + HOST + "X: " + "x".repeat(70_000) + "\r\n\r\n")
            .startsWith("HTTP/1.1 431"));
  }

  @Test
  void shouldTakeBareLineFeedsAsNsqdDoes() throws IOException {
    assertTrue(exchange("GET /ping HTTP/1.1\nHost: x\n\n").endsWith("OK"));
  }

  @Test
  void shouldNotReplaceAFileByItsUnixSocket() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "precious");
    ListenAddress address = new ListenAddress(null, -1, file.toString());
    assertThrows(IOException.class, () -> start(address, loops));
    assertEquals("precious", Files.readString(file));
  }

  @Test
  void shouldNeverShowAnException() throws IOException {
    assertTrue(exchange("GET /bug" + HOST + "\r\n").endsWith("{\"message\":\"INTERNAL_ERROR\"}"));
  }

  @Test
  void shouldSendEverybodyToHttpsWhenTlsIsRequired() throws IOException {
    tlsRequiredPort = () -> 4152;
    assertEquals(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json; charset=utf-8\r\n"
            + "X-Nsq-Content-Type: nsq; version=1.0\r\ncontent-length: 47\r\n\r\n"
            + "{\"message\": \"TLS_REQUIRED\", \"https_port\": 4152}",
        exchange("GET /nope" + HOST + "\r\n"));
  }

  @Test
  void shouldAnswerOptionsForTheWholeServer() throws IOException {
    assertTrue(
        exchange("OPTIONS *" + HOST + "\r\n").startsWith("HTTP/1.1 200 OK\r\ncontent-length: 0"));
  }

  @Test
  void shouldCloseAClientThatStopsMidway() throws IOException {
    limits = new HttpLimits(10, 16384, 65536, 200, 60_000);
    try (Socket stuck = connect();
        Socket idle = connect()) {
      send(stuck, "POST /body" + HOST + "Content-Length: 10\r\n\r\nabc");
      assertClosed(stuck);
      send(idle, "GET /ping" + HOST + "\r\n"); // between requests one may be idle for longer
      assertTrue(answer(idle.getInputStream()).endsWith("OK"));
    }
  }

  /** Sends a byte each few ms, for as long as the connection is there; never idle, never done. */
  private void dribble(String beginning, String more) throws IOException {
    try (Socket socket = connect()) {
      send(socket, beginning);
      socket.setSoTimeout(20); // paces the bytes
      long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SO_TIMEOUT_MS);
      while (System.nanoTime() < deadlineNs) {
        try {
          send(socket, more);
          if (socket.getInputStream().read() < 0) {
            return;
          }
        } catch (java.net.SocketTimeoutException e) {
          continue; // still open
        } catch (java.net.SocketException e) {
          return; // reset: closed too
        }
      }
      throw new AssertionError("never closed");
    }
  }

  @Test
  void shouldCloseAClientWhoseRequestTakesForever() throws IOException {
    limits = new HttpLimits(10, 16384, 65536, 400, 60_000);
    dribble("GET /ping HTTP/1.1\r\n", "a");
    dribble("POST /body" + HOST + "Content-Length: 1000000\r\n\r\n", "a");
    dribble("POST /body" + HOST + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n");
  }

  @Test
  void shouldCloseIdleConnectionsInTheEnd() throws IOException {
    limits = new HttpLimits(10, 16384, 65536, 100, 300);
    try (Socket socket = connect()) {
      assertClosed(socket);
    }
  }

  @Test
  void shouldNotCloseWhileAHandlerWorks() throws Exception {
    limits = new HttpLimits(10, 16384, 65536, 50, 50);
    try (Socket socket = connect();
        Socket other = connect()) {
      send(socket, "GET /hold" + HOST + "\r\n");
      Consumer<HttpReply> reply = held.poll(10, TimeUnit.SECONDS);
      assertClosed(other); // so the time is over for both
      reply.accept(HttpReply.text("done"));
      assertTrue(answer(socket.getInputStream()).endsWith("done"));
    }
  }

  @Test
  void shouldBoundConnections() throws IOException {
    limits = new HttpLimits(1, 16384, 65536, 10_000, 10_000);
    try (Socket first = connect()) {
      send(first, "GET /ping" + HOST + "\r\n");
      answer(first.getInputStream());
      try (Socket second = connect()) {
        assertClosed(second);
      }
    }
    await().until(() -> server.connectionCount() == 0);
    assertTrue(exchange("GET /ping" + HOST + "\r\n").endsWith("OK"));
  }

  @Test
  void shouldFinishRunningRequestsWhenClosing() throws Exception {
    try (Socket busy = connect();
        Socket idle = connect()) {
      send(busy, "GET /hold" + HOST + "\r\n");
      Consumer<HttpReply> reply = held.poll(10, TimeUnit.SECONDS);
      await().until(() -> server.connectionCount() == 2);
      Thread closer = new Thread(() -> server.close(10_000));
      closer.start();
      assertClosed(idle);
      reply.accept(HttpReply.text("last"));
      String answer = answer(busy.getInputStream());
      assertTrue(answer.endsWith("last") && answer.contains("connection: close"), answer);
      assertClosed(busy);
      closer.join();
    }
    assertThrows(IOException.class, this::connect);
  }

  @Test
  void shouldSayWhyItCannotListen() throws IOException {
    connect().close();
    ListenAddress taken = new ListenAddress("127.0.0.1", server.port(), null);
    HttpServer.Config config =
        new HttpServer.Config(
            taken, loops, null, limits, Budgets.of(MemoryBudget.ofThisJvm(0, 0)), null, null);
    IOException error = assertThrows(IOException.class, () -> HttpServer.bind(config, router()));
    assertTrue(error.getMessage().startsWith("listen (127.0.0.1:" + server.port() + ") failed - "));
    assertFalse(error.getMessage().contains("\n"));
  }

  @Test
  void shouldListenOnAUnixSocketWithEpoll() throws IOException {
    Assumptions.assumeTrue(Epoll.isAvailable(), "no epoll on this system");
    assertUnixSocketWorks(loops);
  }

  @Test
  void shouldListenOnAUnixSocketWithNio() throws IOException {
    Transport nio = new Transport(1, false);
    try {
      assertUnixSocketWorks(nio);
    } finally {
      server.close(1000);
      nio.close();
    }
  }

  private void assertUnixSocketWorks(Transport group) throws IOException {
    Path path = dir.resolve("http.sock");
    leaveStaleSocket(path);
    ListenAddress address = new ListenAddress(null, -1, path.toString());
    start(address, group);
    assertEquals(-1, server.port());
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      client.write(ByteBuffer.wrap(("GET /ping" + HOST + "\r\n").getBytes(ISO_8859_1)));
      assertTrue(answer(Channels.newInputStream(client)).endsWith("OK"));
    }
    // A second broker must not take the socket from the first.
    assertThrows(
        IOException.class,
        () ->
            HttpServer.bind(
                new HttpServer.Config(
                    address,
                    group,
                    null,
                    limits,
                    Budgets.of(MemoryBudget.ofThisJvm(0, 0)),
                    null,
                    null),
                router()));
    server.close(1000);
    assertFalse(Files.exists(path));
  }

  private static void leaveStaleSocket(Path path) throws IOException {
    try (ServerSocketChannel killed =
        ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
      killed.bind(UnixDomainSocketAddress.of(path));
    }
    assertTrue(Files.exists(path));
  }
}
