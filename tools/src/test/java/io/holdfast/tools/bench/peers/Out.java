package io.holdfast.tools.bench.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes on their way to a server: it grows, and keeps what the socket has not taken yet. */
final class Out {
  private static final int DIGITS = 20;

  private byte[] bytes = new byte[8192];
  private int begin;
  private int end;

  /** Bytes that wait. */
  int size() {
    return end - begin;
  }

  Out put(int oneByte) {
    room(1);
    bytes[end++] = (byte) oneByte;
    return this;
  }

  Out put(byte[] from) {
    return put(from, 0, from.length);
  }

  Out put(byte[] from, int at, int length) {
    room(length);
    System.arraycopy(from, at, bytes, end, length);
    end += length;
    return this;
  }

  Out put(Out other) {
    return put(other.bytes, other.begin, other.size());
  }

  Out ascii(String text) {
    return put(text.getBytes(StandardCharsets.US_ASCII));
  }

  Out int16(int value) {
    return put(value >> 8).put(value);
  }

  Out int32(int value) {
    return int16(value >> 16).int16(value);
  }

  Out int64(long value) {
    return int32((int) (value >> 32)).int32((int) value);
  }

  /** A number that is not negative, as decimal digits. */
  Out decimal(long value) {
    room(DIGITS);
    int digits = 1;
    for (long rest = value / 10; rest > 0; rest /= 10) {
      digits++;
    }
    end += digits;
    long rest = value;
    for (int i = 1; i <= digits; i++) {
      bytes[end - i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    return this;
  }

  /** Overwrites four bytes that were put already, such as a length that was not known. */
  void int32At(int at, int value) {
    ByteBuffer.wrap(bytes).putInt(begin + at, value);
  }

  private void room(int more) {
    if (bytes.length - end < more) {
      byte[] to = size() + more > bytes.length / 2 ? new byte[2 * bytes.length + more] : bytes;
      System.arraycopy(bytes, begin, to, 0, size());
      end -= begin;
      begin = 0;
      bytes = to;
    }
  }

  /**
   * Gives a channel what it takes.
   *
   * @return whether nothing is left
   */
  boolean writeTo(WritableByteChannel channel) throws IOException {
    if (size() > 0) {
      begin += channel.write(ByteBuffer.wrap(bytes, begin, size()));
    }
    if (size() > 0) {
      return false;
    }
    clear();
    return true;
  }

  void clear() {
    begin = 0;
    end = 0;
  }

  /** A copy of what waits. */
  byte[] toBytes() {
    return Arrays.copyOfRange(bytes, begin, end);
  }
}
