package io.holdfast.broker.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.broker.limits.OutputBudget;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClientOutputTest {
  private final EmbeddedChannel conn = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
  private final ClientOutput output =
      new ClientOutput(conn.pipeline().lastContext(), new OutputBudget(1 << 20));

  @AfterEach
  void close() {
    output.release();
    conn.finishAndReleaseAll();
  }

  /** Frames of one write, by their data; a message by its body. */
  private List<String> written() {
    ByteBuf out = conn.readOutbound();
    List<String> frames = new ArrayList<>();
    while (out.isReadable()) {
      int size = out.readInt() - Integer.BYTES;
      int type = out.readInt();
      String data = out.readCharSequence(size, StandardCharsets.US_ASCII).toString();
      frames.add(type == 2 ? data.substring(26) : data);
    }
    out.release();
    return frames;
  }

  private void assertNothingWritten() {
    assertNull(conn.readOutbound());
  }

  @Test
  void shouldSendTheOksOfOneReadTogether() {
    for (int round = 1; round < 200; round++) {
      for (int i = 0; i < round; i++) {
        output.ok();
      }
      assertEquals(round * 10, output.size());
      assertNothingWritten();
      output.flush();
      assertEquals(0, output.size());
      assertEquals(Collections.nCopies(round, "OK"), written());
      output.flush();
      assertNothingWritten();
    }
  }

  @Test
  void shouldKeepTheOrderOfOksAndOtherFrames() {
    output.ok();
    output.outOfOrder(FrameEncoder.ascii("_heartbeat_"));
    output.ok();
    output.message(1, 1, 1, ByteBuffer.wrap(FrameEncoder.ascii("body")));
    output.ok();
    output.error(FrameEncoder.ascii("E_FIN_FAILED"));
    output.flush();
    assertEquals(List.of("OK", "_heartbeat_", "OK", "body", "OK", "E_FIN_FAILED"), written());
  }

  /** A buffer that grows is copied as a whole. */
  @Test
  void shouldHaveRoomForALargeMessageFromTheBegin() {
    byte[] body = new byte[100_000];
    output.ok();
    output.message(1, 1, 1, ByteBuffer.wrap(body));
    output.flush();
    output.message(1, 1, 1, body, 1000, 90_000);
    output.flush();
    for (int bytes : new int[] {10 + 34 + 100_000, 34 + 90_000}) {
      ByteBuf out = conn.readOutbound();
      assertEquals(bytes, out.readableBytes());
      assertEquals(bytes, out.capacity());
      out.release();
    }
  }

  @Test
  void shouldSendAnOkBehindTheReplyThatWaitsForTheDisk() {
    output.ok();
    Object place = output.reserve();
    output.ok();
    output.flush();
    assertEquals(List.of("OK"), written());
    assertNothingWritten();
    output.complete(place, null);
    assertEquals(List.of("OK", "OK"), written());
  }

  @Test
  void shouldSendOksBeforeWhatEndsTheConnectionAndNoneAfter() {
    output.onClosing(output::ok);
    output.ok();
    output.fatal(FrameEncoder.ascii("E_INVALID"));
    output.ok();
    output.flush();
    assertEquals(List.of("OK", "E_INVALID"), written());
    assertNothingWritten();
  }

  /** All connections send from the same memory. */
  @Test
  void shouldLetNobodyChangeOrReleaseTheOks() {
    output.ok();
    output.flush();
    ByteBuf out = conn.readOutbound();
    assertThrows(ReadOnlyBufferException.class, () -> out.setByte(0, 1));
    for (int i = 0; i < 3; i++) {
      out.release();
    }
    output.ok();
    output.flush();
    assertEquals(List.of("OK"), written());
  }

  @Test
  void shouldSendNothingOnceReleased() {
    output.ok();
    output.release();
    output.ok();
    output.flush();
    assertNothingWritten();
  }
}
