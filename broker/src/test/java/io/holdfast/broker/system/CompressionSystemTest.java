package io.holdfast.broker.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Certificates;
import io.holdfast.broker.system.support.ConcurrentTest;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Contract §2: snappy and deflate, alone and inside TLS, against snappy-java and the JDK's zlib.
 */
class CompressionSystemTest {
  private static final String SNAPPY = ",\"snappy\":true";
  private static final String DEFLATE = ",\"deflate\":true";
  private static final int MAX_BODY = 1 << 20;

  @TempDir static Path directory;
  private static SSLContext tls;
  private static BrokerProcess broker;
  private static BrokerProcess without;

  @BeforeAll
  static void start() {
    Certificates certificates = new Certificates(directory).issue("server");
    tls = certificates.client(null);
    broker = BrokerProcess.startedWithTls(certificates, "--max-deflate-level=8");
    without = BrokerProcess.started("--snappy=false", "--deflate=false");
  }

  @AfterAll
  static void stop() {
    broker.close();
    without.close();
  }

  /** Sizes around every power of two and snappy's 64 KiB blocks, each compressible or not. */
  private static List<byte[]> bodies() {
    Random random = new Random(1);
    List<byte[]> bodies = new ArrayList<>();
    for (int size : new int[] {1, 2, 17, 100, 255, 4096, 16384, 65535, 65536, 65537, 300_000}) {
      byte[] noise = new byte[size];
      random.nextBytes(noise);
      bodies.add(noise);
      bodies.add("holdfast ".repeat(size / 9 + 1).substring(0, size).getBytes(US_ASCII));
    }
    byte[] noise = new byte[MAX_BODY];
    random.nextBytes(noise);
    bodies.add(noise);
    bodies.add(new byte[MAX_BODY]);
    return bodies;
  }

  private static byte[] frame(String line, byte[] body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream data = new DataOutputStream(bytes);
    data.writeBytes(line + "\n");
    data.writeInt(body.length);
    data.write(body);
    return bytes.toByteArray();
  }

  @ParameterizedTest
  @CsvSource({"snappy,false", "snappy,true", "deflate,false", "deflate,true"})
  void shouldCarryBodiesOfAnySizeBothWays(String kind, boolean encrypted) throws IOException {
    String topic = "bodies-" + kind + "-" + encrypted;
    String fields = ",\"" + kind + "\":true" + (encrypted ? ",\"tls_v1\":true" : "");
    try (RawNsqConnection publisher = broker.connect();
        RawNsqConnection consumer = broker.connect()) {
      publisher.upgrade(fields, tls);
      consumer.upgrade(fields, tls);
      consumer.line("SUB " + topic + " ch").expectOk().line("RDY 1");
      for (byte[] body : bodies()) {
        publisher.send(frame("PUB " + topic, body)).expectOk();
        Frame.Msg message = consumer.message();
        assertArrayEquals(body, message.body());
        consumer.fin(message);
      }
      String[] batch = new String[500];
      for (int i = 0; i < batch.length; i++) {
        batch[i] = "m" + i;
      }
      publisher.mpub(topic, batch);
      consumer.line("RDY 100");
      for (int i = 0; i < batch.length; i++) {
        consumer.fin(consumer.message());
      }
      consumer.flushed();
      JsonNode client = broker.http().channel(topic, "ch").at("/clients/0");
      assertEquals(kind.equals("snappy"), client.path("snappy").asBoolean());
      assertEquals(kind.equals("deflate"), client.path("deflate").asBoolean());
      assertEquals(encrypted, client.path("tls").asBoolean());
      assertEquals(0, broker.http().channel(topic, "ch").path("in_flight_count").asInt());
    }
  }

  /** Many publishes in one compressed burst: no command may be lost between blocks. */
  @ParameterizedTest
  @ValueSource(strings = {SNAPPY, DEFLATE})
  void shouldTakeABurst(String fields) throws IOException {
    try (RawNsqConnection conn = broker.connect()) {
      conn.upgrade(fields, null);
      ByteArrayOutputStream burst = new ByteArrayOutputStream();
      for (int i = 0; i < 3000; i++) {
        burst.write(frame("PUB burst", new byte[] {(byte) i, (byte) (i >> 8), 1, 2, 3}));
      }
      conn.send(burst.toByteArray());
      for (int i = 0; i < 3000; i++) {
        conn.expectOk();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0,6", "-3,6", "1,1", "5,5", "8,8", "9,8", "100,8"})
  void shouldNegotiateTheLevel(int asked, int granted) {
    try (RawNsqConnection conn = broker.connect()) {
      String reply = conn.upgrade(DEFLATE + ",\"deflate_level\":" + asked, null);
      assertTrue(
          reply.contains(
              "\"deflate\":true,\"deflate_level\":" + granted + ",\"max_deflate_level\":8"),
          reply);
      conn.pub("levels", "x".repeat(10_000));
    }
  }

  @Test
  void shouldRefuseBothTogether() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("IDENTIFY", "{\"feature_negotiation\":true" + SNAPPY + DEFLATE + "}")
          .expectFatal("E_IDENTIFY_FAILED cannot enable both deflate and snappy compression");
    }
    try (RawNsqConnection conn = broker.connect()) {
      assertEquals("OK", conn.identify("{\"x\":1" + SNAPPY + DEFLATE + "}"));
      conn.pub("not-negotiated", "plain");
    }
  }

  @Test
  void shouldNotCompressWhenSwitchedOff() {
    for (String fields : List.of(SNAPPY, DEFLATE, SNAPPY + DEFLATE)) {
      try (RawNsqConnection conn = without.connect()) {
        String reply = conn.upgrade(fields, null);
        assertTrue(reply.contains("\"deflate\":false"), reply);
        assertTrue(reply.contains("\"snappy\":false"), reply);
        conn.pub("plain", "x");
      }
    }
  }

  @Test
  void shouldAnswerErrorsCompressed() {
    for (String fields : List.of(SNAPPY, DEFLATE, SNAPPY + ",\"tls_v1\":true")) {
      try (RawNsqConnection conn = broker.connect()) {
        conn.upgrade(fields, tls);
        conn.line("NONSENSE").expectError("E_INVALID invalid command NONSENSE");
      }
    }
  }

  @Test
  void shouldCloseOnGarbage() {
    for (String fields : List.of(SNAPPY, DEFLATE)) {
      try (RawNsqConnection conn = broker.connect()) {
        String reply = conn.identify("{\"feature_negotiation\":true" + fields + "}");
        assertTrue(reply.startsWith("{"));
        conn.send("\u00ff\u00ff\u00ff\u00ffthis is neither".repeat(50));
        conn.readToEnd();
      }
    }
  }

  @ConcurrentTest
  void shouldSendHeartbeatsCompressed() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.upgrade(DEFLATE + ",\"heartbeat_interval\":1000", null);
      assertTrue(conn.poll(Duration.ofSeconds(5)).isHeartbeat());
      conn.line("NOP").pub("after-heartbeat", "x");
    }
  }
}
