package io.holdfast.broker.cluster.state;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * An entry of the log while it is applied: its head, checked, and its payload. What this version
 * does not know is an error, never passed over.
 *
 * @param crc its checksum
 * @param timeNs the leader's time, ns since 1970, above 0
 * @param payload from position to limit
 */
record Entry(EntryType type, int version, int crc, long timeNs, ByteBuffer payload) {
  /**
   * Reads an entry.
   *
   * @param from from position to limit; not changed, and shared with {@link #payload}
   * @param format the newest version that the log has allowed so far
   * @throws IOException what is wrong with it
   */
  static Entry of(ByteBuffer from, int format) throws IOException {
    ByteBuffer entry = from.slice();
    if (entry.remaining() < Entries.HEAD_BYTES) {
      throw new IOException("an entry of " + entry.remaining() + " bytes is too short");
    }
    int expected = Entries.crc(entry, 0);
    int crc = entry.getInt(Entries.CRC_OFFSET);
    if (crc != expected) {
      throw new IOException(
          "checksum is " + Integer.toHexString(crc) + ", not " + Integer.toHexString(expected));
    }
    int version = entry.get(0) & 0xff;
    if (version < 1 || version > format) {
      throw new IOException("version " + version + " is not known or not allowed yet");
    }
    int code = entry.get(1) & 0xff;
    EntryType type = EntryType.of(code);
    if (type == null) {
      throw new IOException("type " + code + " is not known");
    }
    // 0 would stand for the time now.
    long timeNs = Math.max(1, entry.getLong(Entries.TIME_OFFSET));
    return new Entry(type, version, crc, timeNs, entry.position(Entries.HEAD_BYTES));
  }

  /** Reads something of the payload. */
  interface Reading<T> {
    T from(ByteBuffer payload);
  }

  /** Reads the payload; one that ends too early is an error of the entry. */
  <T> T read(Reading<T> reading) throws IOException {
    try {
      return reading.from(payload);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new IOException("an entry of type " + type + " ends too early", e);
    }
  }

  long readLong() throws IOException {
    return read(ByteBuffer::getLong);
  }

  String readText() throws IOException {
    return read(Entry::text);
  }

  /** Reads names with values. */
  Map<String, String> readTexts() throws IOException {
    return read(
        from -> {
          Map<String, String> texts = new TreeMap<>();
          for (int left = from.getInt(); left > 0; left--) {
            String name = text(from);
            texts.put(name, text(from));
          }
          return texts;
        });
  }

  private static String text(ByteBuffer from) {
    int bytes = from.getInt();
    if (bytes < 0 || bytes > from.remaining()) {
      throw new BufferUnderflowException();
    }
    byte[] text = new byte[bytes];
    from.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }
}
