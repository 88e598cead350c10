package io.holdfast.storage.log;

import io.holdfast.storage.values.Position;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where every 16th excerpt of a file begins: the index that Chronicle keeps in it, read by calls as
 * everything else. It is a hint: after a power cut or damage an entry may lead anywhere, so whoever
 * uses one checks what stands there; and where it cannot be read it has no entries.
 *
 * <p>The file's header says where the first array is, whose values are where the others are, and
 * these have the excerpts. An array is an excerpt of Chronicle's own:
 *
 * <pre>
 * u32  header with bit 30
 *      name, padding
 * u8   0x8D, then i64 capacity, i64 used, and as many i64 as its capacity, 0 where not used
 * </pre>
 *
 * <p>Not thread-safe. Reads 8 KiB for 16384 excerpts, once.
 */
public final class ExcerptIndex {
  private static final Logger LOG = LoggerFactory.getLogger(ExcerptIndex.class);
  private static final int HEADER_BYTES = 4;
  private static final int META_DATA = 0x4000_0000;
  private static final int NOT_COMPLETE = 0x8000_0000;

  /** What Chronicle writes before a long, before an array of them, and to fill up. */
  private static final byte LONG = (byte) 0xa7;

  private static final byte LONGS = (byte) 0x8d;
  private static final byte PADDING = (byte) 0x8f;

  private static final String FIRST_ARRAY = "index2Index";
  private static final int FILE_HEADER_BYTES = 256;

  /** The header and name of an array, and its two lengths. */
  private static final int BEFORE_VALUES_AT_MOST = 64;

  private static final int VALUES = SizeRollCycle.INDEX_COUNT;
  private static final long[] NONE = {};

  private final LogFiles files;
  private final int cycle;

  /** The file offset of each array with excerpts. */
  private final long[] arrays;

  private final int size;

  /** The array read last. */
  private int read = -1;

  private long[] values = NONE;

  /** Reads what is there of a file's index; what is appended later is not in it. */
  public ExcerptIndex(LogFiles files, int cycle) throws IOException {
    this.files = files;
    this.cycle = cycle;
    arrays = readArrays();
    int last = arrays.length - 1;
    size = last < 0 ? 0 : last * VALUES + valuesOf(last).length;
  }

  /** How many entries there are. */
  public int size() {
    return size;
  }

  /**
   * Where an excerpt is said to begin, see {@link Position}.
   *
   * @param entry 0 to {@link #size} - 1, in the order of the file
   * @return negative when it cannot be read
   */
  public long position(int entry) throws IOException {
    long[] in = valuesOf(entry / VALUES);
    int at = entry % VALUES;
    return at < in.length ? Position.of(cycle, in[at] + HEADER_BYTES) : -1;
  }

  private long[] valuesOf(int array) throws IOException {
    if (array != read) {
      values = reading(file -> values(file, arrays[array]));
      read = array;
    }
    return values;
  }

  private long[] readArrays() throws IOException {
    return reading(
        file -> {
          ByteBuffer begin = read(file, 0, FILE_HEADER_BYTES);
          String text = StandardCharsets.ISO_8859_1.decode(begin.duplicate()).toString();
          int at = text.indexOf(FIRST_ARRAY) + FIRST_ARRAY.length();
          if (at < FIRST_ARRAY.length()) {
            return NONE;
          }
          while (at < begin.limit() && begin.get(at) == PADDING) {
            at++;
          }
          boolean isLong = at + 1 + Long.BYTES <= begin.limit() && begin.get(at) == LONG;
          return isLong ? values(file, begin.getLong(at + 1)) : NONE;
        });
  }

  /** What an array holds, as far as it rises: all of it, where nothing is damaged. */
  private static long[] values(ReadFile file, long offset) throws IOException {
    if (offset <= 0) {
      return NONE;
    }
    ByteBuffer array = read(file, offset, BEFORE_VALUES_AT_MOST + VALUES * Long.BYTES);
    int header = array.limit() < HEADER_BYTES ? 0 : array.getInt(0);
    if ((header & META_DATA) == 0 || (header & NOT_COMPLETE) != 0) {
      return NONE;
    }
    for (int at = HEADER_BYTES; at < BEFORE_VALUES_AT_MOST; at++) {
      int first = at + 1 + 2 * Long.BYTES;
      boolean begins =
          first + VALUES * Long.BYTES <= array.limit()
              && array.get(at) == LONGS
              && array.getLong(at + 1) == VALUES;
      if (begins) {
        return rising(array.position(first).slice().order(ByteOrder.LITTLE_ENDIAN));
      }
    }
    return NONE;
  }

  private static long[] rising(ByteBuffer from) {
    long[] values = new long[VALUES];
    int count = 0;
    long before = 0;
    while (count < VALUES && isBehind(before, from.getLong(count * Long.BYTES))) {
      before = from.getLong(count * Long.BYTES);
      values[count] = before;
      count++;
    }
    return Arrays.copyOf(values, count);
  }

  private static boolean isBehind(long before, long offset) {
    return offset > before && offset < Integer.MAX_VALUE;
  }

  private static ByteBuffer read(ReadFile file, long offset, int bytes) throws IOException {
    ByteBuffer to = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    file.read(to, offset);
    return to.flip();
  }

  private interface Reading {
    long[] from(ReadFile file) throws IOException;
  }

  private long[] reading(Reading what) throws IOException {
    ReadFile file;
    try {
      file = files.open(cycle);
    } catch (NoSuchFileException | FileNotFoundException gone) {
      LOG.debug("{} is gone", files.file(cycle), gone);
      return NONE;
    }
    try {
      return what.from(file);
    } finally {
      files.close(file);
    }
  }
}
