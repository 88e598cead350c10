package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.net.Transport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A real listener with routes of its own, and what a client needs to try it. */
abstract class HttpServerFixture {
  static final String HOST = " HTTP/1.1\r\nHost: x\r\n";
  static final int SO_TIMEOUT_MS = 10_000;

  final Transport loops = new Transport(2);
  final BlockingQueue<Consumer<HttpReply>> held = new LinkedBlockingQueue<>();
  HttpServer server;
  HttpLimits limits = HttpLimits.DEFAULT;
  IntSupplier tlsRequiredPort;

  @TempDir Path dir;

  @AfterEach
  void stop() {
    if (server != null) {
      server.close(1000);
    }
    loops.close();
  }

  Router router() {
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

  void start(ListenAddress address, Transport group) throws IOException {
    server = bind(address, group);
  }

  HttpServer bind(ListenAddress address, Transport group) throws IOException {
    return HttpServer.bind(
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

  Socket connect() throws IOException {
    if (server == null) {
      start(new ListenAddress("127.0.0.1", 0, null), loops);
    }
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(SO_TIMEOUT_MS);
    return socket;
  }

  static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
  }

  /** Reads one answer: head, a blank line, as much body as Content-Length says. */
  static String answer(InputStream in) throws IOException {
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

  String exchange(String request) throws IOException {
    try (Socket socket = connect()) {
      send(socket, request);
      return answer(socket.getInputStream());
    }
  }

  static void assertClosed(Socket socket) throws IOException {
    assertEquals(-1, socket.getInputStream().read());
  }
}
