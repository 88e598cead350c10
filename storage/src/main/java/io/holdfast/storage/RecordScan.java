package io.holdfast.storage;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.TreeSet;

/**
 * Walks the records of a journal's or ledger's files without changing a byte, also beside a running
 * broker; for the tools. It reads the files itself and does not ask Chronicle: even read-only,
 * Chronicle wants {@code metadata.cq4t} (which the broker deletes and tools must not write), waits
 * for seconds at a headerless file, and stops silently at a damaged length. What is walked here is
 * only Chronicle's chain of excerpts; what is in them is read by {@link RecordCodec} and {@link
 * LedgerCodec}, as in the broker.
 *
 * <pre>
 * u32 little-endian header: 0 nothing yet, 0xC0000000 end of file,
 *     else bit 31 not complete, bit 30 Chronicle's own (indexes), bits 0..29 payload length
 * payload, padded to a multiple of 4
 * </pre>
 *
 * <p>A damaged record is reported and skipped. Unless {@code recovering}, reading continues where
 * Chronicle would, and nowhere when Chronicle's chain is broken; recovering, the rest of the file
 * is searched for the next intact record. Not thread-safe.
 */
final class RecordScan implements ExcerptSource, Closeable {
  /** How a scan reads. */
  enum Mode {
    /** Only heads, without checksums: as the broker when it looks for ordinals. */
    HEADS,
    /** As the broker reads. */
    BROKER,
    /** Also what the broker cannot reach. */
    RECOVERING
  }

  private static final int HEADER_BYTES = 4;
  private static final int LENGTH_MASK = 0x3fff_ffff;
  private static final int META_DATA = 0x4000_0000;
  private static final int NOT_COMPLETE = 0x8000_0000;
  private static final int END_OF_FILE = 0xc000_0000;
  private static final int WINDOW_BYTES = 1 << 20;
  private static final String SKIPPED = "the broker reports and skips it: ";

  private enum Step {
    RECORD,
    OTHER,
    END
  }

  private final Path dir;
  private final int magic;
  private final int headBytes;
  private final Mode mode;
  private final Defect.Listener listener;

  private FileChannel channel;
  private int cycle = -1;
  private long fileBytes;

  /** Where the next header is. */
  private long at;

  private ByteBuffer window = ByteBuffer.allocateDirect(WINDOW_BYTES);
  private long windowStart;
  private int windowBytes;

  /** Whether a newer file was seen before the last look at the end of this one. */
  private boolean newerSeen;

  private boolean intactSeen;
  private long reportedAt = -1;
  private int length;
  private long headerAt;

  RecordScan(Path dir, int magic, Mode mode, Defect.Listener listener) {
    this.dir = dir;
    this.magic = magic;
    this.mode = mode;
    this.listener = listener;
    headBytes =
        magic == RecordCodec.JOURNAL_MAGIC
            ? RecordCodec.JOURNAL_HEAD_BYTES
            : RecordCodec.LEDGER_HEAD_BYTES;
  }

  /** The cycles that have a file now. */
  static TreeSet<Integer> cycles(Path dir) throws IOException {
    TreeSet<Integer> cycles = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dir)) {
      for (Path file : files) {
        int cycle = SizeRollCycle.cycleOf(file.getFileName().toString());
        if (cycle >= 0) {
          cycles.add(cycle);
        }
      }
    } catch (NoSuchFileException gone) {
      return cycles;
    }
    return cycles;
  }

  /** Continues before the first record of a file; one that is not there is passed over. */
  void moveToCycle(int to) throws IOException {
    closeFile();
    cycle = to - 1;
  }

  @Override
  public boolean next() throws IOException {
    while (true) {
      if (channel == null && !openAfter(cycle)) {
        return false;
      }
      Step step = step();
      if (step == Step.RECORD) {
        newerSeen = false;
        return true;
      }
      if (step == Step.OTHER) {
        continue;
      }
      if (!newerSeen) {
        // Look again after a newer file was seen: the end is final only then.
        Integer newer = cycles(dir).higher(cycle);
        if (newer == null) {
          return false;
        }
        newerSeen = true;
        forgetWindow();
      } else if (!recover()) {
        closeFile();
      }
    }
  }

  /**
   * At the end of all files: looks for intact records behind the end of the newest one. Only for
   * directories that no broker writes to.
   *
   * @return whether there are, and {@link #next} goes on
   */
  boolean recoverTail() throws IOException {
    return channel != null && recover();
  }

  private boolean openAfter(int last) throws IOException {
    Integer next = cycles(dir).higher(last);
    while (next != null) {
      Path file = file(next);
      try {
        channel = FileChannel.open(file, StandardOpenOption.READ);
        cycle = next;
        at = 0;
        newerSeen = false;
        intactSeen = false;
        fileBytes = channel.size();
        forgetWindow();
        return true;
      } catch (NoSuchFileException removedMeanwhile) {
        next = cycles(dir).higher(next);
      }
    }
    return false;
  }

  private Step step() throws IOException {
    while (true) {
      int header = headerAt(at);
      if (header == 0 || (header & NOT_COMPLETE) != 0) {
        // At 0 of an empty file, the end, an unfinished append, or the mark of a complete file.
        return Step.END;
      }
      int bytes = header & LENGTH_MASK;
      long payloadAt = at + HEADER_BYTES;
      if (mode == Mode.RECOVERING && takeByOwnLength(payloadAt, bytes)) {
        return Step.RECORD;
      }
      if (bytes > size() - payloadAt) {
        report(
            at,
            "an excerpt of "
                + bytes
                + " bytes cannot be: the file ends "
                + (size() - payloadAt)
                + " bytes on",
            "the broker reads nothing behind it in this file");
        return recover() ? Step.OTHER : Step.END;
      }
      if ((header & META_DATA) != 0) {
        at = padded(payloadAt + bytes);
        continue;
      }
      headerAt = at;
      length = bytes;
      int loaded = mode == Mode.HEADS ? Math.min(headBytes, bytes) : bytes;
      String defect = recordDefect(payloadAt, loaded, bytes);
      if (defect != null) {
        // A copy of the window may be older than the record: only a second look counts.
        forgetWindow();
        defect = recordDefect(payloadAt, loaded, bytes);
      }
      long next = padded(payloadAt + bytes);
      if (defect == null) {
        at = next;
        intactSeen = true;
        return Step.RECORD;
      }
      if (mode == Mode.HEADS) {
        at = next;
        return Step.OTHER;
      }
      report(payloadAt, defect, SKIPPED + lost(payloadAt, bytes));
      if (mode != Mode.RECOVERING || isChained(next)) {
        at = next;
      } else {
        at = payloadAt;
        if (!recover()) {
          at = next;
        }
      }
      return Step.OTHER;
    }
  }

  /** Takes an intact record whose excerpt has a wrong length, and finds the next one by its own. */
  private boolean takeByOwnLength(long payloadAt, int bytes) throws IOException {
    if (size() - payloadAt < headBytes) {
      return false;
    }
    load(payloadAt, headBytes);
    int offset = (int) (payloadAt - windowStart);
    int available = (int) Math.min(Integer.MAX_VALUE, size() - payloadAt);
    if (RecordCodec.headDefect(window, offset, available, magic, headBytes) != null) {
      return false;
    }
    int own = window.getInt(offset + RecordCodec.LENGTH_OFFSET);
    if (own == bytes || recordDefect(payloadAt, own, own) != null) {
      return false;
    }
    report(
        at,
        "the excerpt's length is " + bytes + ", its record has " + own + " bytes",
        "the broker may read nothing behind it in this file; a repaired copy has it");
    headerAt = at;
    length = own;
    at = padded(payloadAt + own);
    intactSeen = true;
    return true;
  }

  private String recordDefect(long payloadAt, int loaded, int bytes) throws IOException {
    load(payloadAt, loaded);
    int offset = (int) (payloadAt - windowStart);
    String defect =
        loaded < headBytes
            ? "a record of " + bytes + " bytes is too short"
            : RecordCodec.headDefect(window, offset, bytes, magic, headBytes);
    if (defect == null && mode != Mode.HEADS) {
      defect = RecordCodec.crcDefect(window, offset, headBytes);
    }
    return defect;
  }

  /** What a damaged record held, as far as its head can be believed. */
  private String lost(long payloadAt, int bytes) {
    int offset = (int) (payloadAt - windowStart);
    if (magic != RecordCodec.JOURNAL_MAGIC) {
      return "what it finished is delivered once more";
    }
    if (RecordCodec.headDefect(window, offset, bytes, magic, headBytes) != null) {
      return "its messages are lost";
    }
    long first = window.getLong(offset + RecordCodec.ORDINAL_OFFSET);
    int count = window.getInt(offset + RecordCodec.COUNT_OFFSET);
    return "its " + count + " message(s) from ordinal " + first + " on are lost";
  }

  /** Whether an offset looks like the place of the next header, so that the length was right. */
  private boolean isChained(long next) throws IOException {
    if (next + HEADER_BYTES > size()) {
      return false;
    }
    int header = headerAt(next);
    if (header == END_OF_FILE) {
      return true;
    }
    if (header == 0) {
      return findIntact(next) < 0;
    }
    if ((header & NOT_COMPLETE) != 0) {
      return false;
    }
    long end = padded(next + HEADER_BYTES + (header & LENGTH_MASK));
    return end <= size() && ((header & META_DATA) != 0 || beginsRecord(next, header));
  }

  private boolean beginsRecord(long headerOffset, int header) throws IOException {
    int bytes = header & LENGTH_MASK;
    if (bytes < headBytes) {
      return false;
    }
    load(headerOffset + HEADER_BYTES, headBytes);
    int offset = (int) (headerOffset + HEADER_BYTES - windowStart);
    return RecordCodec.headDefect(window, offset, bytes, magic, headBytes) == null;
  }

  /** Looks for the next intact record in this file; reports it and goes there. */
  private boolean recover() throws IOException {
    if (mode != Mode.RECOVERING) {
      return false;
    }
    long from = at;
    int headerBefore = headerAt(from);
    long found = findIntact(from);
    if (found < 0) {
      return false;
    }
    forgetWindow();
    if (headerAt(from) != headerBefore) {
      // A running broker has gone on there meanwhile.
      return true;
    }
    report(
        from,
        "the chain of excerpts is broken; intact records go on at offset " + (found + HEADER_BYTES),
        "the broker reads nothing behind it in this file; a repaired copy has them");
    at = found;
    return true;
  }

  /** The offset of the header of the first intact record behind an offset, or -1. */
  private long findIntact(long from) throws IOException {
    long end = DurableFiles.dataEnd(file(cycle));
    for (long candidate = from + HEADER_BYTES;
        candidate + HEADER_BYTES + headBytes <= end;
        candidate += HEADER_BYTES) {
      int header = headerAt(candidate);
      if (header <= headBytes || (header & (META_DATA | NOT_COMPLETE)) != 0) {
        continue;
      }
      long payloadAt = candidate + HEADER_BYTES;
      if (header > size() - payloadAt || !beginsRecord(candidate, header)) {
        continue;
      }
      load(payloadAt, header);
      int offset = (int) (payloadAt - windowStart);
      if (RecordCodec.crcDefect(window, offset, headBytes) == null) {
        return candidate;
      }
    }
    return -1;
  }

  private void report(long offset, String what, String consequence) {
    long place = ExcerptLog.position(cycle, offset);
    if (place != reportedAt) {
      // The end of a file is looked at again and again.
      reportedAt = place;
      listener.defect(new Defect(file(cycle), offset, false, what, consequence));
    }
  }

  private static long padded(long offset) {
    return (offset + 3) & ~3L;
  }

  private long size() throws IOException {
    return fileBytes;
  }

  private int headerAt(long offset) throws IOException {
    if (offset + HEADER_BYTES > fileBytes) {
      fileBytes = channel.size();
      if (offset + HEADER_BYTES > fileBytes) {
        return 0;
      }
    }
    load(offset, HEADER_BYTES);
    int header = Integer.reverseBytes(window.getInt((int) (offset - windowStart)));
    if (header == 0 && mode != Mode.RECOVERING) {
      // Perhaps only in this copy.
      forgetWindow();
      load(offset, HEADER_BYTES);
      header = Integer.reverseBytes(window.getInt((int) (offset - windowStart)));
    }
    return header;
  }

  /** Brings a piece of the file into the window. */
  private void load(long offset, int bytes) throws IOException {
    if (offset >= windowStart && offset + bytes <= windowStart + windowBytes) {
      return;
    }
    if (window.capacity() < bytes) {
      window = ByteBuffer.allocateDirect((int) Math.min(LENGTH_MASK, bytes + (long) WINDOW_BYTES));
    }
    window.clear();
    windowStart = offset;
    while (window.hasRemaining()) {
      int count = channel.read(window, windowStart + window.position());
      if (count <= 0) {
        break;
      }
    }
    windowBytes = window.position();
    window.clear();
    if (windowBytes < bytes) {
      windowBytes = 0;
      throw new EOFException(file(cycle) + " became shorter while it was read");
    }
  }

  private void forgetWindow() {
    windowBytes = 0;
    windowStart = 0;
  }

  private void closeFile() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
  }

  @Override
  public ByteBuffer view() {
    return window;
  }

  @Override
  public int offset() {
    return (int) (headerAt + HEADER_BYTES - windowStart);
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public long position() {
    return ExcerptLog.position(cycle, headerAt + HEADER_BYTES);
  }

  /** The cycle of the file being read, -1 before the first. */
  int cycle() {
    return cycle;
  }

  /** How far the file being read has been read, bytes. */
  long fileOffset() {
    return at;
  }

  /** Whether the file being read has had an intact record. */
  boolean hasIntact() {
    return intactSeen;
  }

  Path file(int of) {
    return dir.resolve(SizeRollCycle.fileName(of));
  }

  @Override
  public String where(long position) {
    return file(ExcerptLog.cycleOf(position)) + ":" + ExcerptLog.offsetOf(position);
  }

  @Override
  public void close() throws IOException {
    closeFile();
  }
}
