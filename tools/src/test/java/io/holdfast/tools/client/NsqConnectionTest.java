package io.holdfast.tools.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NsqConnectionTest {
  private FakeBroker broker;
  private NsqConnection conn;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
    conn = NsqConnection.open(broker.tcp(), ConnectOptions.defaults("test", Wire.PLAIN));
  }

  @AfterEach
  void close() throws IOException {
    conn.close();
    broker.close();
  }

  @Test
  void shouldNegotiate() {
    assertEquals("fake", conn.features().version());
    assertEquals(2500, conn.features().maxRdyCount());
    assertEquals("IDENTIFY", broker.commands().get(0));
  }

  @Test
  void shouldDeliverWhatItPublishes() throws IOException {
    CommandBuffer commands = new CommandBuffer(8);
    byte[] body = "hello".getBytes(StandardCharsets.UTF_8);
    commands.lineWithBody("PUB t", body, 0, 5);
    commands.beginMpub("t");
    commands.mpubMessage(body, 0, 4);
    commands.mpubMessage(body, 1, 4);
    commands.endMpub();
    conn.send(commands);
    conn.readOk();
    conn.readOk();
    conn.subscribe("t", "c");
    conn.ready(10);
    for (String expected : new String[] {"hello", "hell", "ello"}) {
      assertEquals(FrameType.MESSAGE, conn.readFrame());
      assertEquals(
          expected,
          new String(conn.buffer(), conn.bodyOffset(), conn.bodyLength(), StandardCharsets.UTF_8));
      assertEquals(1, conn.messageAttempts());
      assertEquals(1_700_000_000_123_456_789L, conn.messageTimestampNs());
      assertEquals(16, conn.messageId().length());
      conn.finish();
    }
    conn.flush();
    await().until(() -> broker.finished() == 3);
  }

  @Test
  void shouldReadMessagesLargerThanItsBuffer() throws IOException {
    String large = "x".repeat(1 << 20);
    broker.put("t", "small", large, "small");
    conn.subscribe("t", "c");
    conn.ready(10);
    for (int length : new int[] {5, 1 << 20, 5}) {
      assertEquals(FrameType.MESSAGE, conn.readFrame());
      assertEquals(length, conn.bodyLength());
      assertEquals(length == 5 ? 's' : 'x', conn.buffer()[conn.bodyOffset()]);
    }
  }

  @Test
  void shouldAnswerHeartbeatsOnTheWay() throws IOException {
    conn.subscribe("t", "c");
    conn.ready(1);
    broker.heartbeat();
    broker.heartbeat();
    broker.put("t", "m");
    assertEquals(FrameType.MESSAGE, conn.readFrame());
    await().until(() -> broker.commands().stream().filter("NOP"::equals).count() == 2);
  }

  @Test
  void shouldEndWithCloseWait() throws IOException {
    conn.subscribe("t", "c");
    conn.startClose(1000);
    assertEquals(FrameType.RESPONSE, conn.readFrame());
    assertTrue(conn.isCloseWait());
  }

  @Test
  void shouldTellErrorsFromBreaks() throws IOException {
    broker.publishError = "E_BAD_TOPIC PUB topic name \"\" is not valid";
    CommandBuffer commands = new CommandBuffer(8);
    commands.lineWithBody("PUB t", new byte[1], 0, 1);
    conn.send(commands);
    NsqErrorException error = assertThrows(NsqErrorException.class, () -> conn.readOk());
    assertEquals("E_BAD_TOPIC", error.code());
    assertThrows(EOFException.class, () -> conn.readOk());
  }

  @Test
  void shouldTimeOutOnASilentBroker() throws IOException {
    try (NsqConnection impatient =
        NsqConnection.open(
            broker.tcp(), ConnectOptions.defaults("test", Wire.PLAIN).withReadTimeoutMs(20))) {
      assertThrows(java.net.SocketTimeoutException.class, impatient::readFrame);
    }
  }
}
