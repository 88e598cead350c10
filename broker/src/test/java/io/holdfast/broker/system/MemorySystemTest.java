package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The memory budget: whatever clients do with a small heap, the broker lives and goes on. */
class MemorySystemTest {
  private static final int MB = 1 << 20;

  @BeforeEach
  void onlyHoldfast() {
    Reference.holdfastOnly("nsqd bounds neither names nor memory");
  }

  private static BrokerProcess withHeap(String heap, String... flags) {
    BrokerProcess broker = BrokerProcess.of(flags).withJvm("-Xmx" + heap);
    try {
      return broker.start();
    } catch (RuntimeException | Error e) {
      broker.close();
      throw e;
    }
  }

  private static JsonNode part(BrokerProcess broker, String name) {
    JsonNode part = broker.http().stats("").at("/memory_budget/parts/" + name);
    assertTrue(part.path("limit_bytes").asLong() > 0, part.toString());
    return part;
  }

  private static void assertWell(BrokerProcess broker) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.pub("well", "x");
    }
    assertEquals(200, broker.http().get("/ping").status());
    assertFalse(broker.output().contains("OutOfMemory"), broker::output);
  }

  private static void closeAll(List<? extends AutoCloseable> all) throws Exception {
    for (AutoCloseable one : all) {
      one.close();
    }
  }

  @Test
  void shouldRefuseLargeIdentify() throws Exception {
    try (BrokerProcess broker = withHeap("256m")) {
      String body = "{\"client_id\":\"" + "x".repeat(5 * MB - 100) + "\"}";
      List<AutoCloseable> conns = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        RawNsqConnection conn = broker.connect();
        conns.add(conn);
        conn.send("IDENTIFY\n" + int32(body.length()));
        conn.expectFatal("E_BAD_BODY IDENTIFY body too big " + body.length() + " > 65536");
      }
      assertWell(broker);
      closeAll(conns);
    }
  }

  @Test
  void shouldKeepNoMoreOfNamesThanIsOfUse() throws Exception {
    try (BrokerProcess broker = withHeap("64m")) {
      List<AutoCloseable> conns = new ArrayList<>();
      String name = "n".repeat(255) + "\ud83d\ude00" + "n".repeat(60_000);
      String body = "{\"client_id\":\"" + name + "\"}";
      byte[] utf8 = body.getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < 300; i++) {
        RawNsqConnection conn = broker.connect();
        conns.add(conn);
        conn.send("IDENTIFY\n" + int32(utf8.length)).send(utf8).expectOk();
      }
      try (RawNsqConnection conn = broker.connect()) {
        conn.send("IDENTIFY\n" + int32(utf8.length)).send(utf8).expectOk();
        conn.pub("t", "x");
        JsonNode producer = broker.http().stats("").at("/producers/0");
        assertEquals("n".repeat(255), producer.path("client_id").asText());
      }
      assertWell(broker);
      closeAll(conns);
    }
  }

  @Test
  void shouldRefuseConnectionsThatMemoryHasNoRoomFor() throws Exception {
    try (BrokerProcess broker = withHeap("64m")) {
      long limit = part(broker, "connections").path("limit_bytes").asLong();
      List<AutoCloseable> conns = new ArrayList<>();
      int most = (int) (limit / (6 * 1024)) + 10;
      for (int i = 0; i < most; i++) {
        conns.add(broker.connectRaw());
      }
      RawNsqConnection last = (RawNsqConnection) conns.get(most - 1);
      last.expectClosed();
      assertTrue(broker.stdout().contains("memory budget, by the heap): refusing more"));
      closeAll(conns);
      Awaitility.await()
          .ignoreExceptions()
          .until(
              () -> {
                assertWell(broker);
                return true;
              });
    }
  }

  @Test
  void shouldBoundHeadsOfRequests() throws Exception {
    try (BrokerProcess broker = withHeap("128m")) {
      List<AutoCloseable> conns = new ArrayList<>();
      String head = "GET /ping?x=" + "q".repeat(12_000) + " HTTP/1.1\r\nHost: a\r\n";
      String cookies = "Cookie: " + "c".repeat(30_000) + "\r\n";
      int refused = 0;
      for (int i = 0; i < 600; i++) {
        Socket http = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort());
        conns.add(http);
        try {
          http.getOutputStream().write((head + cookies).getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
          refused++;
        }
      }
      assertTrue(refused < 600);
      closeAll(conns);
      Awaitility.await()
          .ignoreExceptions()
          .until(
              () -> {
                assertWell(broker);
                return true;
              });
    }
  }
}
