package io.holdfast.broker.wire;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Writes server frames: int32 size, int32 type, data (contract §1.1 and §3). */
public final class FrameEncoder {
  private static final int TYPE_RESPONSE = 0;
  private static final int TYPE_ERROR = 1;
  private static final int TYPE_MESSAGE = 2;
  private static final int TYPE_BYTES = 4;

  /** Bytes of a message frame without the body, the size field included. */
  public static final int MESSAGE_OVERHEAD_BYTES = 4 + TYPE_BYTES + 8 + 2 + HexId.BYTES;

  private FrameEncoder() {}

  /** A response frame. */
  public static void response(ByteBuf to, byte[] data) {
    frame(to, TYPE_RESPONSE, data);
  }

  /** An error frame; the text may hold any character, it is written as UTF-8. */
  public static void error(ByteBuf to, byte[] text) {
    frame(to, TYPE_ERROR, text);
  }

  private static void frame(ByteBuf to, int type, byte[] data) {
    to.writeInt(TYPE_BYTES + data.length);
    to.writeInt(type);
    to.writeBytes(data);
  }

  /** Everything of a message frame but the body, which is to follow. */
  public static void messageHead(
      ByteBuf to, long timestampNs, int attempts, long id, int bodyBytes) {
    to.writeInt(MESSAGE_OVERHEAD_BYTES - 4 + bodyBytes);
    to.writeInt(TYPE_MESSAGE);
    to.writeLong(timestampNs);
    to.writeShort(attempts);
    HexId.write(id, to);
  }

  /** A message frame; the body is read from position to limit. */
  public static void message(ByteBuf to, long timestampNs, int attempts, long id, ByteBuffer body) {
    messageHead(to, timestampNs, attempts, id, body.remaining());
    to.writeBytes(body);
  }

  /** The bytes of an ASCII text. */
  public static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
