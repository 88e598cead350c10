package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Requests and their answers against a real listener. */
@SuppressWarnings("StringConcatToTextBlock") // HTTP ends its lines with CR LF
class HttpServerTest extends HttpServerFixture {
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
}
