package io.holdfast.storage.log;

import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.Position;
import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the excerpts of a log in order, or single ones by position. It follows Chronicle's chain of
 * headers itself, by calls: through a mapping, a block that the disk cannot read or a file that
 * somebody cut off would end the process, and Chronicle waits for seconds at damaged headers. What
 * is in {@link #view} is valid until the next call that moves this reader.
 *
 * <pre>
 * u32 little-endian header: 0 nothing yet, 0xC0000000 end of file,
 *     else bit 31 not complete, bit 30 Chronicle's own (indexes), bits 0..29 payload length
 * payload, padded to a multiple of 4
 * </pre>
 *
 * <p>Where the chain is damaged, the rest of the file is searched by {@link ExcerptSalvage}, and so
 * is what may lie behind its end. At the end of a file that is complete it goes on to the next one,
 * with an end mark or without. Which files are complete is asked for before each attempt to read: a
 * later look could see a roll that happened after the attempt and skip what was written in between.
 *
 * <p>One thread at a time (its owner's lock).
 */
public final class ExcerptReader implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ExcerptReader.class);
  private static final int HEADER_BYTES = 4;
  private static final int LENGTH_MASK = 0x3fff_ffff;
  private static final int META_DATA = 0x4000_0000;
  private static final int NOT_COMPLETE = 0x8000_0000;

  private final LogFiles files;

  /** How a record must look to be searched for; null for excerpts of any content. */
  private final RecordFormat format;

  private final Window window = new Window();
  private final ChainBreaks breaks;

  /** The file of {@link #cycle}, once it was needed. */
  private ReadFile file;

  private int cycle = -1;

  /** How long the file was when it was last asked, bytes. */
  private long size;

  /** Where the next header is. */
  private long at;

  /** Where the header of the last excerpt was, to compare with what Chronicle noted. */
  private long lastHeader;

  /** Where the last excerpt ended. */
  private long lastEnd;

  private final NotedEnd notedEnd = new NotedEnd();

  /** Whether it is known how far the file was written: to where this process is. */
  private boolean exact;

  /** Of the cycle, so far. */
  private long excerpts;

  /** Whether the chain cannot be followed from {@link #at} on. */
  private boolean broken;

  /** Whether what is at {@link #at} is old, or a damaged record behind what Chronicle noted. */
  private boolean doubtful;

  private long position;
  private int offset;
  private int length;

  /**
   * Stands before the first excerpt.
   *
   * @param format how a record must look to be searched for; null for excerpts of any content
   */
  public ExcerptReader(LogFiles files, RecordFormat format) {
    this.files = files;
    this.format = format;
    breaks = new ChainBreaks(files);
  }

  /** From now on a break of the chain is told to a listener, not to the log. */
  public void onBreak(ChainBreaks.Listener listener) {
    breaks.tell(listener);
  }

  /** Goes to the next excerpt; false when there is none yet. */
  public boolean next() throws IOException {
    while (true) {
      int completeBelow = files.completeBelow();
      if (cycle < 0 && !moveToCycle(files.firstCycle())) {
        return false;
      }
      boolean complete = cycle < completeBelow;
      if (nextInFile(complete)) {
        return true;
      }
      if (!complete || !moveToCycle(files.cycleAfter(cycle))) {
        return false;
      }
    }
  }

  /** As {@link #next}, without going on to another file. */
  public boolean nextInFile() throws IOException {
    return cycle >= 0 && nextInFile(cycle < files.completeBelow());
  }

  private boolean nextInFile(boolean complete) throws IOException {
    if (lookInFile(complete)) {
      return true;
    }
    if (!breaks.hasListener() || missingAtEnd() == 0) {
      return false;
    }
    // Perhaps it was appended meanwhile.
    if (lookInFile(complete)) {
      return true;
    }
    report(lastHeader + HEADER_BYTES, missingAtEnd() + " record(s) behind it are gone");
    return false;
  }

  private boolean lookInFile(boolean complete) throws IOException {
    if (!openFile()) {
      return false;
    }
    long writtenTo = complete ? LogFiles.UNKNOWN : files.writtenTo(cycle);
    exact = writtenTo != LogFiles.UNKNOWN;
    long limit = exact ? writtenTo : size;
    if (!broken && follow(limit)) {
      return true;
    }
    if (!complete && writtenTo == LogFiles.UNKNOWN) {
      return nextInOthersFile();
    }
    boolean atEnd = !broken && at + HEADER_BYTES > limit;
    return format != null && !atEnd && search(complete, limit);
  }

  /** At the end of a file that somebody else may be writing: looks again, then behind it. */
  private boolean nextInOthersFile() throws IOException {
    // It may be in a copy only that there is nothing yet.
    window.forget();
    size = file.size();
    if (!broken && follow(size)) {
      return true;
    }
    long end = at;
    long headerBefore = lastHeader;
    long excerptsBefore = excerpts;
    boolean brokenBefore = broken;
    boolean found = format != null && search(true, size);
    if (found && (brokenBefore || !isWritten(end))) {
      return true;
    }
    // Nothing, or what was found was appended meanwhile, and more before it.
    at = end;
    lastHeader = headerBefore;
    excerpts = excerptsBefore;
    broken = brokenBefore;
    window.forget();
    return found && follow(size);
  }

  private boolean isWritten(long header) throws IOException {
    ByteBuffer word = ByteBuffer.allocate(HEADER_BYTES);
    file.read(word, header);
    int now = Integer.reverseBytes(word.getInt(0));
    return now != 0 && (now & NOT_COMPLETE) == 0;
  }

  /** Follows the chain to the next excerpt; false at its end or where it is {@link #broken}. */
  private boolean follow(long limit) throws IOException {
    doubtful = false;
    while (at + HEADER_BYTES <= limit) {
      int header = headerAt(at, limit);
      if (header == 0 || (header & NOT_COMPLETE) != 0) {
        return false;
      }
      int bytes = header & LENGTH_MASK;
      long payload = at + HEADER_BYTES;
      boolean mayBeOld = !exact && isSalted() && NotedEnd.mayBeOld(file, at);
      if (mayBeOld
          && notedEnd.isBehind(file, at)
          && !ExcerptSalvage.isRecordAt(file, window, format, payload, limit)) {
        // Of an earlier life of the file, and the end of this one, if no record is behind it.
        doubtful = true;
        return false;
      }
      if (payload + bytes > limit || (mayBeOld && !NotedEnd.isPlausible(header))) {
        broken = true;
        return false;
      }
      if ((header & META_DATA) != 0) {
        if (format != null && ExcerptSalvage.isRecordAt(file, window, format, payload, limit)) {
          // The header is damaged.
          broken = true;
          return false;
        }
        at = padded(payload + bytes);
        continue;
      }
      return take(payload, bytes, limit);
    }
    return false;
  }

  private int headerAt(long from, long limit) throws IOException {
    int inView = window.load(file, from, HEADER_BYTES, limit);
    return inView < 0 ? 0 : Integer.reverseBytes(window.view().getInt(inView));
  }

  /** Takes over an excerpt; false when its length is wrong and it will be found by searching. */
  private boolean take(long payload, int bytes, long limit) throws IOException {
    int headBytes = format == null ? 0 : Math.min(bytes, format.headBytes());
    int head = window.load(file, payload, headBytes, limit);
    if (head < 0) {
      broken = true;
      return false;
    }
    boolean contradicts = format != null && format.contradicts(window.view(), head, bytes);
    if (contradicts) {
      report(payload, "an excerpt of " + bytes + " bytes cannot be right");
      broken = true;
      if (bytes > 0 && ExcerptSalvage.isRecordAt(file, window, format, payload, limit)) {
        return false;
      }
      excerpts++;
      at = payload;
      return stand(payload, bytes, limit);
    }
    if (!stand(payload, bytes, limit)) {
      broken = true;
      return false;
    }
    lastHeader = at;
    excerpts++;
    at = padded(payload + bytes);
    lastEnd = at;
    return true;
  }

  private boolean stand(long payload, int bytes, long limit) throws IOException {
    int inView = window.load(file, payload, bytes, limit);
    if (inView < 0) {
      return false;
    }
    position = place(payload);
    offset = inView;
    length = bytes;
    return true;
  }

  /** Looks for the next record that is whole, from where the chain ends. */
  private boolean search(boolean complete, long limit) throws IOException {
    long surelyTo = limit;
    if (complete && !broken) {
      CycleFileHeader.Begin begin = CycleFileHeader.read(file);
      if (begin.lastExcerpt() == lastHeader && !doubtful) {
        // The end is where Chronicle has it.
        return false;
      }
      surelyTo = begin.lastExcerpt() == CycleFileHeader.NOWHERE ? limit : begin.lastExcerpt();
    }
    // An old header may have led astray; one of this life is checked before it is followed.
    long from = !exact && isSalted() && NotedEnd.mayBeOld(file, at) ? Math.min(at, lastEnd) : at;
    long found = ExcerptSalvage.find(file, window, format, from, surelyTo, limit);
    if (found < 0) {
      if (broken) {
        report(at + HEADER_BYTES, "the chain of records is broken, and none is found behind");
      }
      // What is appended goes on behind.
      at = padded(limit);
      broken = false;
      return false;
    }
    int inView = window.load(file, found, format.headBytes(), limit);
    int bytes = window.view().getInt(inView + RecordCodec.LENGTH_OFFSET);
    report(
        at + HEADER_BYTES,
        found == at + HEADER_BYTES
            ? "the header before the record is damaged"
            : "the chain of records is broken, it goes on at " + found);
    broken = false;
    excerpts++;
    lastHeader = found - HEADER_BYTES;
    at = padded(found + bytes);
    lastEnd = at;
    return stand(found, bytes, limit);
  }

  /**
   * At the end of a file that was read from its begin: how many excerpts Chronicle wrote behind the
   * last one that was found.
   */
  public long missingAtEnd() throws IOException {
    if (file == null) {
      return 0;
    }
    CycleFileHeader.Begin begin = CycleFileHeader.read(file);
    return begin.lastExcerpt() > lastHeader ? Math.max(1, begin.excerpts() - excerpts) : 0;
  }

  private void report(long payload, String what) {
    breaks.report(place(payload), what);
  }

  private static long padded(long end) {
    return end + HEADER_BYTES - 1 & -HEADER_BYTES;
  }

  private long place(long payload) {
    return Position.of(cycle, payload);
  }

  /** False when the file is gone. */
  private boolean openFile() throws IOException {
    if (file == null) {
      try {
        file = files.open(cycle);
      } catch (NoSuchFileException | FileNotFoundException gone) {
        LOG.debug("{} is gone", files.file(cycle), gone);
        return false;
      }
      size = file.size();
    } else if (at + HEADER_BYTES > size) {
      size = file.size();
    }
    return true;
  }

  /** Positions before the first excerpt of a cycle; false when there is no such file. */
  public boolean moveToCycle(int to) {
    if (to < 0 || !files.has(to)) {
      return false;
    }
    enter(to, 0);
    return true;
  }

  /** Positions so that {@link #next} reads the excerpt whose payload is at a position. */
  public void moveTo(long excerpt) {
    enter(Position.cycle(excerpt), Position.offset(excerpt) - HEADER_BYTES);
  }

  private void enter(int to, long header) {
    if (to != cycle) {
      leaveFile();
    }
    cycle = to;
    at = header;
    lastHeader = header;
    lastEnd = header;
    excerpts = 0;
    broken = false;
    notedEnd.forget();
  }

  private void leaveFile() {
    window.forget();
    if (file != null) {
      files.close(file);
      file = null;
    }
  }

  /**
   * Brings the record at a position into {@link #view}. The caller checks what it finds there.
   *
   * @param end file offset that the record goes up to at least
   * @return where in the view it begins, negative when the file is gone or ends before
   */
  public int attachTo(long excerpt, long end) throws IOException {
    int to = Position.cycle(excerpt);
    if ((to != cycle && !moveToCycle(to)) || !openFile()) {
      return -1;
    }
    long payload = Position.offset(excerpt);
    size = Math.max(size, end) == end ? file.size() : size;
    int bytes = (int) Math.max(format == null ? 1 : format.headBytes(), end - payload);
    if (payload + bytes > size) {
      return -1;
    }
    long written = to < files.completeBelow() ? size : files.writtenTo(to);
    long limit = written == LogFiles.UNKNOWN ? size : Math.min(size, written);
    int begin = window.load(file, payload, bytes, limit);
    if (begin >= 0 && format != null) {
      int own = window.view().getInt(begin + RecordCodec.LENGTH_OFFSET);
      bytes = own > bytes && own <= limit - payload ? own : bytes;
      begin = window.load(file, payload, bytes, limit);
    }
    if (begin >= 0) {
      position = excerpt;
      offset = begin;
      length = bytes;
    }
    return begin;
  }

  /** Says what is wrong with the record read last, null when it is whole. */
  public String defect() throws IOException {
    return format.defect(view(), offset, length, salt());
  }

  /** As {@link #defect}, of one whose head was found plausible. */
  public String crcDefect() throws IOException {
    return RecordCodec.crcDefect(view(), offset, format.headBytes(), salt());
  }

  private int salt() throws IOException {
    return isSalted() ? file.salt() : FileSalt.NONE;
  }

  private boolean isSalted() {
    return format != null && format.isSalted();
  }

  /** What the disk could not read of the excerpt read last, null when it could. */
  public String unreadable() {
    return file.defect(Position.offset(position), length);
  }

  /** Cycle and file offset of the excerpt read last, see {@link Position}. */
  public long position() {
    return position;
  }

  /** A piece of the file, big-endian; whoever moves position or limit puts them back. */
  public ByteBuffer view() {
    return window.view();
  }

  /** The same for {@link MessageView}, whose users are free to move position and limit. */
  public ByteBuffer bodies() {
    return window.bodies();
  }

  /** Where in {@link #view} the excerpt read last begins. */
  public int offset() {
    return offset;
  }

  /** Payload bytes of the excerpt read last. */
  public int length() {
    return length;
  }

  /** "file:offset" for messages to people. */
  public String where(long of) {
    return files.where(of);
  }

  /**
   * Lets go of a file that was removed: as long as it is open, the disk does not get its blocks
   * back.
   *
   * @return whether it was; this reader is closed then, until its next use
   */
  public boolean closeIfRemoved() {
    boolean removed = cycle >= 0 && !files.has(cycle);
    if (removed) {
      close();
    }
    return removed;
  }

  @Override
  public void close() {
    leaveFile();
    window.free();
    cycle = -1;
  }
}
