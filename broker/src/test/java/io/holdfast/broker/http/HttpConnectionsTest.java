package io.holdfast.broker.http;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** How many connections there may be, how long they may take, and how they end. */
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends its lines with CR LF
class HttpConnectionsTest extends HttpServerFixture {
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
}
