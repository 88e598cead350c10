package io.holdfast.tools.client;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Cuts a stream into frames (PROTOCOL.md §1.1): {@code int32 size} (of what follows), {@code int32
 * type}, data. The current frame is a place in the buffer, valid until {@link #next}. Owned by the
 * reading thread of its connection.
 */
final class FrameReader {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] HEARTBEAT = "_heartbeat_".getBytes(StandardCharsets.US_ASCII);

  /** A larger frame means that this is no NSQ broker. */
  private static final int MAX_FRAME = 256 << 20;

  private static final int HEADER = 8;
  private static final int INITIAL_BYTES = 128 << 10;

  private final InputStream input;
  private byte[] in = new byte[INITIAL_BYTES];
  private int position;
  private int limit;
  private int type;
  private int dataOffset;
  private int dataLength;

  FrameReader(InputStream input) {
    this.input = input;
  }

  /**
   * Waits for the next frame, heartbeats too.
   *
   * @return its type
   * @throws EOFException when the broker closed the connection
   * @throws IOException when it broke, timed out, or is no NSQ broker
   */
  FrameType next() throws IOException {
    require(HEADER);
    int size = (int) INT.get(in, position);
    if (size < 4 || size > MAX_FRAME) {
      throw new IOException("not an NSQ broker: frame of " + size + " bytes");
    }
    require(4 + size);
    type = (int) INT.get(in, position + 4);
    dataOffset = position + HEADER;
    dataLength = size - 4;
    position += 4 + size;
    return switch (type) {
      case 0 -> FrameType.RESPONSE;
      case 1 -> FrameType.ERROR;
      case 2 -> FrameType.MESSAGE;
      default -> throw new IOException("not an NSQ broker: frame type " + type);
    };
  }

  /**
   * @return whether the current frame is a heartbeat
   */
  boolean isHeartbeat() {
    return type == 0 && dataIs(HEARTBEAT);
  }

  /**
   * @return whether the whole next frame has been read already
   */
  boolean buffered() {
    int available = limit - position;
    return available >= HEADER && available - 4 >= (int) INT.get(in, position);
  }

  /**
   * Passes over the next frame if it is buffered and a heartbeat; the current frame stays valid.
   *
   * @return whether there was one, which then is to be answered
   */
  boolean skipBufferedHeartbeat() {
    if (!buffered() || (int) INT.get(in, position + 4) != 0) {
      return false;
    }
    int data = position + HEADER;
    int end = position + 4 + (int) INT.get(in, position);
    if (end < data || !Arrays.equals(in, data, end, HEARTBEAT, 0, HEARTBEAT.length)) {
      return false;
    }
    position = end;
    return true;
  }

  /**
   * What follows the current frame, with what was read of it already; this reader is at its end
   * then.
   */
  InputStream rest() {
    return position == limit
        ? input
        : new SequenceInputStream(new ByteArrayInputStream(in, position, limit - position), input);
  }

  /** A copy of what was read after the current frame. */
  byte[] unread() {
    return Arrays.copyOfRange(in, position, limit);
  }

  InputStream input() {
    return input;
  }

  boolean dataIs(byte[] expected) {
    return Arrays.equals(in, dataOffset, dataOffset + dataLength, expected, 0, expected.length);
  }

  /** The buffer; replaced when a frame does not fit. */
  byte[] bytes() {
    return in;
  }

  int dataOffset() {
    return dataOffset;
  }

  int dataLength() {
    return dataLength;
  }

  private void require(int count) throws IOException {
    while (limit - position < count) {
      if (position == limit) {
        position = 0;
        limit = 0;
      }
      // Also when little room is left, so that a read stays worth its system call.
      if (in.length - position < count || (position > 0 && in.length - limit < in.length / 4)) {
        byte[] target = count > in.length ? new byte[Math.max(count, in.length * 2)] : in;
        System.arraycopy(in, position, target, 0, limit - position);
        in = target;
        limit -= position;
        position = 0;
      }
      int read = input.read(in, limit, in.length - limit);
      if (read < 0) {
        throw new EOFException("connection closed by the broker");
      }
      limit += read;
    }
  }
}
