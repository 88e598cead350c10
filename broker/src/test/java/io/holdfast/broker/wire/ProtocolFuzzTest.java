package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.holdfast.broker.fuzz.FuzzTarget;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.wire.compress.DeflateDecoder;
import io.holdfast.broker.wire.compress.SnappyDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.compression.Snappy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * Any bytes at the TCP port: the answers are frames of the protocol, and nothing is left behind. In
 * {@code mvn verify} the inputs in the resources run once; with {@code JAZZER_FUZZ=1} new ones are
 * made (broker/README.md, "Fuzzing").
 */
class ProtocolFuzzTest {
  private static final byte[] MAGIC = "  V2".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OK = {0, 0, 0, 6, 0, 0, 0, 0, 'O', 'K'};
  private static final int MESSAGE = 2;

  private static final Set<String> CODES =
      Set.of(
          "E_BAD_PROTOCOL",
          "E_INVALID",
          "E_BAD_TOPIC",
          "E_BAD_CHANNEL",
          "E_BAD_BODY",
          "E_BAD_MESSAGE",
          "E_PUB_FAILED",
          "E_MPUB_FAILED",
          "E_DPUB_FAILED",
          "E_SUB_FAILED",
          "E_FIN_FAILED",
          "E_REQ_FAILED",
          "E_TOUCH_FAILED",
          "E_AUTH_DISABLED",
          "E_IDENTIFY_FAILED");

  private static FuzzTarget target;

  @BeforeAll
  static void start() throws IOException {
    target = new FuzzTarget();
    target.waitsWhile(
        conn -> {
          ProtocolV2Decoder decoder = conn.pipeline().get(ProtocolV2Decoder.class);
          return decoder != null && !decoder.gate().mayRun();
        });
  }

  @AfterAll
  static void stop() throws IOException {
    target.close();
  }

  private static void addTo(EmbeddedChannel conn, Budgets budgets) {
    conn.pipeline()
        .addLast(
            "protocol",
            new ProtocolV2Decoder(
                new Connection(
                    new ConnectionServices(
                        target.broker(), null, null, budgets, new Producers()))));
  }

  /** A connection that behaves: what the last one did is not its concern. */
  private static void serve() {
    EmbeddedChannel conn = new EmbeddedChannel();
    addTo(conn, Budgets.of(MemoryBudget.ofThisJvm(0, 0)));
    String commands = "  V2IDENTIFY\n\0\0\0\2{}NOP\n";
    conn.writeInbound(Unpooled.copiedBuffer(commands, StandardCharsets.ISO_8859_1));
    ByteBuf reply = conn.readOutbound();
    byte[] bytes = new byte[reply.readableBytes()];
    reply.readBytes(bytes).release();
    conn.finishAndReleaseAll();
    assertArrayEquals(OK, bytes);
  }

  private static void checkFrames(byte[] output) {
    ByteBuffer frames = ByteBuffer.wrap(output);
    while (frames.hasRemaining()) {
      int size = frames.getInt();
      int type = frames.getInt();
      byte[] data = new byte[size - Integer.BYTES];
      frames.get(data);
      String text = new String(data, StandardCharsets.ISO_8859_1);
      if (type == 1) {
        assertTrue(CODES.contains(text.split(" ", 2)[0]), text);
      } else {
        assertTrue(type == 0 || type == MESSAGE, () -> "frame type " + type);
        if (text.contains("\"snappy\":true") || text.contains("\"deflate\":true")) {
          return; // what follows is compressed
        }
      }
    }
  }

  /** Bit 0 of the first byte: the magic comes first. */
  @FuzzTest(maxDuration = "10m")
  void commands(byte[] input) {
    boolean isMagic = input.length > 0 && (input[0] & FuzzTarget.VARIANT) != 0;
    checkFrames(
        target.run(
            input,
            isMagic ? MAGIC : new byte[0],
            ProtocolFuzzTest::addTo,
            ProtocolFuzzTest::serve));
  }

  /** The input behind the first byte, compressed and then maybe damaged by its own last bytes. */
  private static byte[] compressed(byte[] input, boolean isSnappy) throws IOException {
    if (input.length < 4) {
      return input;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(input[0]);
    byte[] plain = java.util.Arrays.copyOfRange(input, 1, input.length - 2);
    if (isSnappy) {
      bytes.writeBytes(new byte[] {(byte) 0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'});
      for (int i = 0; i < plain.length; i += 65536) {
        chunk(bytes, plain, i, Math.min(65536, plain.length - i));
      }
    } else {
      try (DeflaterOutputStream out =
          new DeflaterOutputStream(bytes, new Deflater(6, true), 512, true)) {
        out.write(plain);
        out.flush();
        byte[] all = bytes.toByteArray();
        return damaged(all, input);
      }
    }
    return damaged(bytes.toByteArray(), input);
  }

  private static byte[] damaged(byte[] stream, byte[] input) {
    int where = input[input.length - 2] & 0xff;
    if (where != 0) {
      stream[1 + where % (stream.length - 1)] ^= input[input.length - 1];
    }
    return stream;
  }

  private static void chunk(ByteArrayOutputStream to, byte[] plain, int from, int count) {
    CRC32C crc = new CRC32C();
    crc.update(plain, from, count);
    int sum = (int) crc.getValue();
    int masked = (sum >>> 15 | sum << 17) + 0xa282ead8;
    ByteBuf in = Unpooled.wrappedBuffer(plain, from, count);
    ByteBuf out = Unpooled.buffer();
    new Snappy().encode(in, out, count);
    int length = out.readableBytes() + Integer.BYTES;
    to.writeBytes(new byte[] {0, (byte) length, (byte) (length >> 8), (byte) (length >> 16)});
    to.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(Integer.reverseBytes(masked)).array());
    to.write(out.array(), 0, out.readableBytes());
  }

  private static void runThrough(byte[] stream, boolean isSnappy) {
    checkFrames(
        target.run(
            stream,
            new byte[0],
            (conn, budgets) -> {
              addTo(conn, budgets);
              ProtocolV2Decoder decoder = conn.pipeline().get(ProtocolV2Decoder.class);
              ConnectionMemory memory = new ConnectionMemory(budgets.memory().connections());
              conn.pipeline()
                  .addFirst(
                      isSnappy
                          ? new SnappyDecoder(decoder.gate(), memory)
                          : new DeflateDecoder(decoder.gate(), memory));
            },
            ProtocolFuzzTest::serve));
  }

  /** Commands in a snappy stream, as it comes with bit 0, else made of the input. */
  @FuzzTest(maxDuration = "10m")
  void snappy(byte[] input) throws IOException {
    boolean isRaw = input.length > 0 && (input[0] & FuzzTarget.VARIANT) != 0;
    runThrough(isRaw ? input : compressed(input, true), true);
  }

  /** Commands in a deflate stream, as it comes with bit 0, else made of the input. */
  @FuzzTest(maxDuration = "10m")
  void deflate(byte[] input) throws IOException {
    boolean isRaw = input.length > 0 && (input[0] & FuzzTarget.VARIANT) != 0;
    runThrough(isRaw ? input : compressed(input, false), false);
  }
}
