package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.stats.Producers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** However the bytes of a connection are cut, the answers are the same. */
class ProtocolV2DecoderTest {
  private static final String MAGIC = "  V2";
  private static final String UNKNOWN_ID = "00000000000000aa";

  @TempDir Path dir;
  private Broker broker;

  @BeforeEach
  void start() throws Exception {
    broker = new Broker(Options.builder().set("data-path", dir.toString()).build());
    broker.topic("t").channel("c");
  }

  @AfterEach
  void stop() {
    broker.exit();
  }

  private EmbeddedChannel connect() {
    return new EmbeddedChannel(
        new ProtocolV2Decoder(
            new Connection(
                new ConnectionServices(
                    broker,
                    null,
                    null,
                    Budgets.of(MemoryBudget.ofThisJvm(0, 0)),
                    new Producers()))));
  }

  private static String size(int value) {
    return new String(
        new byte[] {(byte) (value >> 24), (byte) (value >> 16), (byte) (value >> 8), (byte) value},
        StandardCharsets.ISO_8859_1);
  }

  private static String body(String text) {
    return size(text.length()) + text;
  }

  private static void write(EmbeddedChannel conn, String bytes) {
    if (conn.isOpen()) {
      conn.writeInbound(Unpooled.copiedBuffer(bytes, StandardCharsets.ISO_8859_1));
    }
  }

  /** Frames as type:text; messages without what differs from run to run. */
  private static List<String> frames(EmbeddedChannel conn) {
    conn.runPendingTasks();
    ByteBuf all = Unpooled.buffer();
    for (ByteBuf out = conn.readOutbound(); out != null; out = conn.readOutbound()) {
      all.writeBytes(out);
      out.release();
    }
    List<String> frames = new ArrayList<>();
    while (all.isReadable()) {
      int size = all.readInt();
      int type = all.readInt();
      String data = all.readCharSequence(size - 4, StandardCharsets.ISO_8859_1).toString();
      frames.add(type + ":" + (type == 2 ? data.substring(26) : data));
    }
    all.release();
    return frames;
  }

  private List<String> inOnePiece(String bytes) {
    EmbeddedChannel conn = connect();
    write(conn, bytes);
    List<String> frames = frames(conn);
    conn.finishAndReleaseAll();
    return frames;
  }

  private List<String> byteByByte(String bytes) {
    EmbeddedChannel conn = connect();
    for (int i = 0; i < bytes.length(); i++) {
      write(conn, bytes.substring(i, i + 1));
    }
    List<String> frames = frames(conn);
    conn.finishAndReleaseAll();
    return frames;
  }

  @Test
  void shouldAnswerEveryCommandHoweverTheBytesAreCut() {
    String publishes =
        "PUB t\n"
            + body("one")
            + "MPUB t\r\n"
            + size(4 + 2 * 7)
            + size(2)
            + body("two")
            + body("tri")
            + "DPUB t 0\n"
            + body("four");
    String before = MAGIC + "NOP\nIDENTIFY\n" + body("{\"client_id\":\"x\"}");
    String commands =
        before
            + publishes
            + "SUB t c\n"
            + "FIN "
            + UNKNOWN_ID
            + "\n"
            + "FIN "
            + UNKNOWN_ID.toUpperCase(java.util.Locale.ROOT)
            + "\n"
            + "TOUCH "
            + UNKNOWN_ID
            + "\n"
            + "REQ "
            + UNKNOWN_ID
            + " 0\n"
            + "RDY 0\n"
            + "NOP\n"
            + "PUB t\n"
            + body("five")
            + "CLS\n"
            + "RDY 5\n"
            + "NOP\n"
            + "WHAT now\n"
            + "PUB t\n";
    List<String> expected =
        List.of(
            "0:OK",
            "0:OK",
            "0:OK",
            "0:OK",
            "0:OK",
            "1:E_FIN_FAILED FIN " + UNKNOWN_ID + " failed ID not in flight",
            "1:E_FIN_FAILED FIN 00000000000000AA failed ID not in flight",
            "1:E_TOUCH_FAILED TOUCH " + UNKNOWN_ID + " failed ID not in flight",
            "1:E_REQ_FAILED REQ " + UNKNOWN_ID + " failed ID not in flight",
            "0:OK",
            "0:CLOSE_WAIT",
            "1:E_INVALID invalid command WHAT");
    assertEquals(expected, byteByByte(commands));
    assertEquals(expected, inOnePiece(commands));
    Channel channel = broker.existingTopic("t").existingChannel("c");
    assertEquals(10, channel.figures().depth());
  }

  @Test
  void shouldFinishByTheFastWayAsByTheSlowOne() {
    String publish = "PUB t\n" + body("m");
    write(connect(), MAGIC + publish.repeat(4));
    EmbeddedChannel conn = connect();
    write(conn, MAGIC + "SUB t c\nRDY 4\n");
    conn.runPendingTasks();
    List<String> ids = new ArrayList<>();
    for (ByteBuf out = conn.readOutbound(); out != null; out = conn.readOutbound()) {
      while (out.isReadable()) {
        ByteBuf frame = out.readSlice(out.readInt());
        if (frame.readInt() == 2) {
          ids.add(frame.toString(frame.readerIndex() + 10, 16, StandardCharsets.US_ASCII));
        }
      }
      out.release();
    }
    assertEquals(4, ids.size());
    Channel channel = broker.existingTopic("t").existingChannel("c");
    write(conn, "FIN " + ids.get(0) + "\n");
    assertEquals(3, channel.figures().inFlightCount());
    write(conn, "FIN " + ids.get(1) + "\r\n");
    assertEquals(2, channel.figures().inFlightCount());
    write(conn, "FIN " + ids.get(2) + " surplus\nFIN " + ids.get(3));
    assertEquals(1, channel.figures().inFlightCount());
    write(conn, "\n");
    assertEquals(0, channel.figures().inFlightCount());
    assertEquals(List.of(), frames(conn));
    conn.finishAndReleaseAll();
  }

  @ParameterizedTest
  @CsvSource({
    "PUB t, 0, E_BAD_MESSAGE PUB invalid message body size 0",
    "PUB t, -1, E_BAD_MESSAGE PUB invalid message body size -1",
    "PUB t, 1048577, E_BAD_MESSAGE PUB message too big 1048577 > 1048576",
    "DPUB t 5, 2147483647, E_BAD_MESSAGE DPUB message too big 2147483647 > 1048576",
    "MPUB t, 0, E_BAD_BODY MPUB invalid body size 0",
    "MPUB t, 5242881, E_BAD_BODY MPUB body too big 5242881 > 5242880",
    "IDENTIFY, -5, E_BAD_BODY IDENTIFY invalid body size -5",
    "IDENTIFY, 5242881, E_BAD_BODY IDENTIFY body too big 5242881 > 5242880",
    "AUTH, 0, E_BAD_BODY AUTH invalid body size 0",
  })
  void shouldJudgeASizeByItself(String line, int size, String error) {
    String bytes = MAGIC + line + "\n" + size(size);
    assertEquals(List.of("1:" + error), inOnePiece(bytes));
    assertEquals(List.of("1:" + error), byteByByte(bytes));
  }

  @ParameterizedTest
  @CsvSource({
    "0, E_BAD_BODY MPUB invalid message count 0",
    "-1, E_BAD_BODY MPUB invalid message count -1",
    "1048576, E_BAD_BODY MPUB invalid message count 1048576",
  })
  void shouldJudgeACountByItself(int count, String error) {
    String bytes = MAGIC + "MPUB t\n" + size(100) + size(count);
    assertEquals(List.of("1:" + error), inOnePiece(bytes));
    assertEquals(List.of("1:" + error), byteByByte(bytes));
  }

  @Test
  void shouldPublishNothingOfABadMpub() {
    String bytes = MAGIC + "MPUB t\n" + size(100) + size(2) + body("good") + size(0);
    assertEquals(List.of("1:E_BAD_MESSAGE MPUB invalid message(1) body size 0"), byteByByte(bytes));
    assertEquals(0, broker.existingTopic("t").messageCount());
  }

  private List<String> atEnd(String bytes) {
    EmbeddedChannel conn = connect();
    write(conn, bytes);
    conn.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    List<String> frames = frames(conn);
    assertFalse(conn.isOpen(), "closed");
    conn.finishAndReleaseAll();
    return frames;
  }

  @Test
  void shouldSayWhatIsMissingWhenTheInputEnds() {
    String mpub = MAGIC + "MPUB t\n";
    assertEquals(List.of(), atEnd("  V"));
    assertEquals(List.of(), atEnd(MAGIC + "NO"));
    assertEquals(List.of("0:OK"), atEnd(MAGIC + "PUB t\n" + body("x")));
    assertEquals(
        List.of("1:E_BAD_MESSAGE PUB failed to read message body size"),
        atEnd(MAGIC + "PUB t\n" + "\0\0"));
    assertEquals(
        List.of("1:E_BAD_MESSAGE DPUB failed to read message body"),
        atEnd(MAGIC + "DPUB t 1\n" + size(9) + "short"));
    assertEquals(
        List.of("1:E_BAD_BODY IDENTIFY failed to read body size"), atEnd(MAGIC + "IDENTIFY\n"));
    assertEquals(
        List.of("1:E_BAD_BODY IDENTIFY failed to read body"),
        atEnd(MAGIC + "IDENTIFY\n" + size(3) + "{"));
    assertEquals(List.of("1:E_BAD_BODY MPUB failed to read body size"), atEnd(mpub + "\0"));
    assertEquals(
        List.of("1:E_BAD_BODY MPUB failed to read message count"), atEnd(mpub + size(9) + "\0"));
    assertEquals(
        List.of("1:E_BAD_MESSAGE MPUB failed to read message(1) body size"),
        atEnd(mpub + size(99) + size(2) + body("a") + "\0"));
    assertEquals(
        List.of("1:E_BAD_MESSAGE MPUB failed to read message body"),
        atEnd(mpub + size(99) + size(2) + body("a") + size(2) + "b"));
  }

  @Test
  void shouldCloseOverALineThatIsTooLongWithoutAWord() {
    EmbeddedChannel conn = connect();
    write(conn, MAGIC + "x".repeat(16384));
    assertEquals(List.of(), frames(conn));
    assertFalse(conn.isOpen());
    assertEquals(
        List.of("1:E_INVALID invalid command " + "x".repeat(16383)),
        inOnePiece(MAGIC + "x".repeat(16383) + "\n"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"  V1", "GET ", "\0\0\0\0"})
  void shouldRefuseAnotherMagic(String magic) {
    assertEquals(List.of("1:E_BAD_PROTOCOL"), inOnePiece(magic + "NOP\n"));
    assertTrue(byteByByte("  V").isEmpty());
  }
}
