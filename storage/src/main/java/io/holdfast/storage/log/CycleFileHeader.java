package io.holdfast.storage.log;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** How a Chronicle file begins. */
public enum CycleFileHeader {
  /** None was written: a crash while the file was made, or its first page is gone. */
  NONE,
  DAMAGED,
  WHOLE;

  /** No excerpt is known. */
  static final long NOWHERE = -1;

  private static final int PROBE_BYTES = 256;
  private static final int HEADERLESS = 0x8000_0000;
  private static final String LAST_EXCERPT = "writePosition";

  /** Chronicle's code for two longs, which their size and their number go before. */
  private static final byte LONGS = (byte) 0x8d;

  private static final int PADDING_AT_MOST = 16;

  /**
   * What a file begins with.
   *
   * @param lastExcerpt where Chronicle noted the header of the excerpt it wrote last, {@link
   *     #NOWHERE} when that cannot be read
   * @param excerpts how many it had written then
   */
  record Begin(CycleFileHeader header, long lastExcerpt, long excerpts) {
    private Begin(CycleFileHeader header) {
      this(header, NOWHERE, 0);
    }
  }

  /**
   * How many bytes at the beginning of a file hold a header that is whole.
   *
   * @return 0 when there is no such file, or its header is not whole
   */
  public static int wholeBytes(Path file, Disk disk) throws IOException {
    if (!Files.exists(file)) {
      return 0;
    }
    ReadFile in = new ReadFile(file, disk);
    try {
      return read(in).header() == WHOLE ? PROBE_BYTES : 0;
    } finally {
      in.close();
    }
  }

  /** Looks at a file. */
  static Begin read(ReadFile file) throws IOException {
    ByteBuffer begin = ByteBuffer.allocate(PROBE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    file.read(begin, 0);
    if (begin.position() < Integer.BYTES || begin.getInt(0) == 0 || begin.getInt(0) == HEADERLESS) {
      return new Begin(NONE);
    }
    boolean isMetadata = begin.getInt(0) >>> 30 == 1;
    String text = new String(begin.array(), 0, begin.position(), StandardCharsets.ISO_8859_1);
    return isMetadata && text.contains("header") ? lastExcerpt(begin, text) : new Begin(DAMAGED);
  }

  private static Begin lastExcerpt(ByteBuffer begin, String text) {
    int from = text.indexOf(LAST_EXCERPT) + LAST_EXCERPT.length();
    for (int at = from; at < from + PADDING_AT_MOST; at++) {
      int value = at + 1 + 2 * Long.BYTES;
      if (value + 2 * Long.BYTES > begin.position()) {
        break;
      }
      if (begin.get(at) == LONGS) {
        long offset = begin.getLong(value);
        // The sequence number of the last one is in the lower half, the offset in the upper.
        long excerpts = Integer.toUnsignedLong(begin.getInt(value + Long.BYTES)) + 1;
        boolean sound = text.contains(LAST_EXCERPT) && offset > 0 && offset <= Integer.MAX_VALUE;
        return sound ? new Begin(WHOLE, offset, excerpts) : new Begin(WHOLE);
      }
    }
    return new Begin(WHOLE);
  }
}
