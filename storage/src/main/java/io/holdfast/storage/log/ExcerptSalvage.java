package io.holdfast.storage.log;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Looks for records in a file whose chain of Chronicle headers cannot be followed: a damaged length
 * leads astray, and everything behind it would be lost. Our records tell themselves where they
 * begin and end, so each 4-byte boundary (where Chronicle puts excerpts) is tried, and what has a
 * right checksum is a record.
 *
 * <p>What an append never completed is not taken: Chronicle's header before it says 0 bytes.
 *
 * <p>Stateless.
 */
final class ExcerptSalvage {
  private static final int ALIGNMENT = 4;
  private static final int LENGTH_BITS = 0x3fff_ffff;
  private static final int CHUNK_BYTES = 64 << 10;

  /**
   * So many zeros are the end, where nothing says that there is more: a file that was copied
   * without its holes has tens of MiB of them.
   */
  private static final int ZEROS_AT_END = 512 << 10;

  private ExcerptSalvage() {}

  /**
   * Goes to the next record.
   *
   * @param window for reading; has the whole record afterwards
   * @param from file offset to begin at
   * @param surelyTo up to there, zeros are no end
   * @param limit file offset of the end
   * @return the file offset where the record begins, -1 when there is none
   */
  static long find(
      ReadFile file, Window window, RecordFormat format, long from, long surelyTo, long limit)
      throws IOException {
    long header = from + ALIGNMENT - 1 & -ALIGNMENT;
    long lastData = header;
    long[] data = null;
    while (header + ALIGNMENT + format.headBytes() <= limit) {
      if (data == null || header >= data[1]) {
        data = DurableFiles.nextData(file.path(), header);
        if (data == null) {
          return -1;
        }
        if (data[0] > header) {
          header = data[0] & -ALIGNMENT;
          lastData = header;
        }
      }
      int bytes = (int) Math.min(CHUNK_BYTES, limit - header);
      int at = window.load(file, header, bytes, limit);
      if (at < 0) {
        // Shorter than it was.
        return -1;
      }
      int end = at + bytes - ALIGNMENT - format.headBytes();
      int next = nextNonZero(window.view(), at, end);
      header += next - at;
      if (next > end) {
        if (header > surelyTo && header - lastData > ZEROS_AT_END) {
          return -1;
        }
        continue;
      }
      lastData = header;
      if (isRecord(file, window, format, next, header, limit)) {
        return header + ALIGNMENT;
      }
      header += ALIGNMENT;
    }
    return -1;
  }

  /** The next word that is not 0, or a place behind the end. */
  private static int nextNonZero(ByteBuffer view, int from, int end) {
    int at = from;
    while (at <= end && view.getLong(at) == 0) {
      at += Long.BYTES;
    }
    return at <= end && view.getInt(at) == 0 ? at + Integer.BYTES : at;
  }

  /** Whether a record begins behind a header; it is in the window then. */
  private static boolean isRecord(
      ReadFile file, Window window, RecordFormat format, int at, long header, long limit)
      throws IOException {
    ByteBuffer view = window.view();
    return view.getShort(at + ALIGNMENT) == (short) format.magic()
        && (Integer.reverseBytes(view.getInt(at)) & LENGTH_BITS) != 0
        && isRecordAt(file, window, format, header + ALIGNMENT, limit);
  }

  /** Whether there is a whole record at a file offset; it is in the window then. */
  static boolean isRecordAt(
      ReadFile file, Window window, RecordFormat format, long offset, long limit)
      throws IOException {
    int head = window.load(file, offset, format.headBytes(), limit);
    int left = (int) Math.min(Integer.MAX_VALUE, limit - offset);
    if (head < 0
        || RecordCodec.headDefect(window.view(), head, left, format.magic(), format.headBytes())
            != null) {
      return false;
    }
    int bytes = window.view().getInt(head + RecordCodec.LENGTH_OFFSET);
    int loaded = window.load(file, offset, bytes, limit);
    int salt = format.isSalted() ? file.salt() : FileSalt.NONE;
    return loaded >= 0
        && RecordCodec.crcDefect(window.view(), loaded, format.headBytes(), salt) == null;
  }
}
