package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Standard error goes into a pipe whose reader has stopped. */
class BlockedLogSystemTest {
  /** Each is two lines at level debug; together more than a pipe and the queue hold. */
  private static final int REQUESTS = 4000;

  private static final String REQUEST =
      "GET /ping?" + "x".repeat(500) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";

  @TempDir Path directory;

  @Test
  void shouldWorkOnAndSayWhatWasDropped() throws IOException, InterruptedException {
    Path pipe = directory.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    try (BrokerProcess broker = BrokerProcess.of("--log-level=debug")) {
      // Open for reading as well, so that it can be written although nobody reads.
      broker.under("bash", "-c", "exec \"$@\" 2<>" + pipe, "bash").start();
      fill(broker);
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("t", "hello")
            .line("SUB t c")
            .expectOk()
            .line("RDY 1")
            .fin(conn.message())
            .flushed();
      }
      broker.http().get("/ping").expect(200, "OK");
      try (BufferedReader reader = Files.newBufferedReader(pipe, StandardCharsets.UTF_8)) {
        while (!reader.readLine().matches(".* [0-9]+ log lines were dropped here.*")) {
          // A line that was kept.
        }
        broker.http().get("/ping?and-on-it-goes");
        while (!reader.readLine().contains("and-on-it-goes")) {
          // As before.
        }
      }
      fill(broker);
      assertEquals(0, broker.terminate());
    }
  }

  private static void fill(BrokerProcess broker) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort())) {
      socket.setSoTimeout(20_000);
      for (int i = 0; i < REQUESTS; i++) {
        socket.getOutputStream().write(REQUEST.getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(200, Http.read(socket.getInputStream(), false).status());
      }
    }
  }

  @Test
  void shouldLoseNoLineAtTheEnd() {
    try (BrokerProcess broker = BrokerProcess.started("--log-level=debug")) {
      for (int i = 0; i < 100; i++) {
        broker.http().get("/ping?" + i);
      }
      assertEquals(0, broker.terminate());
      for (int i = 0; i < 100; i++) {
        assertTrue(broker.stderr().contains("/ping?" + i + " "), broker::output);
      }
      assertTrue(broker.stderr().contains("bye"), broker::output);
    }
  }
}
