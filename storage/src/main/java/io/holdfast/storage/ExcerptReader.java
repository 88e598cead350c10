package io.holdfast.storage;

import io.holdfast.storage.ExcerptSalvage.RecordFormat;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.core.io.ReferenceOwner;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.wire.DocumentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the excerpts of an {@link ExcerptLog} in order, or single ones by position, as views of the
 * mapped file: nothing is copied. A view is valid until the next call that moves this reader.
 *
 * <p>At the end of a file that is older than the log's current one it goes on to the next file even
 * when the end mark is missing, as after a power cut. The current cycle is read before each attempt
 * to read: a later look could see a roll that happened after the attempt and skip what was written
 * in between.
 *
 * <p>Where the chain of Chronicle's headers is damaged, the rest of the file is searched by {@link
 * ExcerptSalvage}, and so is what lies behind the end that Chronicle sees of a file that is not
 * written any more.
 *
 * <p>One thread at a time (its owner's lock).
 */
final class ExcerptReader implements ExcerptSource, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ExcerptReader.class);

  private final ExcerptLog log;

  /** How a record must look to be searched for; null for excerpts of any content. */
  private final RecordFormat format;

  private final ReferenceOwner owner = ReferenceOwner.temporary("ExcerptReader");

  private ExcerptTailer tailer;
  private int tailerCycle = -1;

  /** Where the last excerpt read from the tailer's cycle ends, as file offset. */
  private int cycleReadTo;

  /** The cycle that the log tells of already. */
  private int salvageReported = -1;

  /** Whether Chronicle cannot be trusted to find what follows in the tailer's cycle. */
  private boolean suspect;

  /** Searches the rest of the tailer's cycle; null while that is not needed. */
  private ExcerptSalvage salvage;

  /** Whether the tailer's cycle is searched though it is still written. */
  private boolean readBySearch;

  private int viewCycle = -1;
  private BytesStore<?, ?> store;
  private ByteBuffer view;
  private ByteBuffer bodies;
  private long storeStart;

  private long index;
  private long position;
  private int offset;
  private int length;

  ExcerptReader(ExcerptLog log, RecordFormat format) {
    this.log = log;
    this.format = format;
  }

  /** Goes to the next excerpt; false when there is none yet. */
  @Override
  public boolean next() throws IOException {
    while (true) {
      int completeBelow = log.completeBelow();
      if (tailerCycle < 0 && !moveToCycle(log.firstCycle())) {
        return false;
      }
      int cycle = tailerCycle;
      boolean complete = cycle < completeBelow;
      if (salvage == null && !suspect && readByTailer(complete)) {
        return true;
      }
      if (!complete) {
        return readBySearch && search(cycle);
      }
      if (readBySearch) {
        // It has grown since it was searched.
        readBySearch = false;
        salvage = null;
        suspect = true;
      }
      if (format != null && search(cycle)) {
        return true;
      }
      if (!moveToCycle(log.cycleAfter(cycle))) {
        return false;
      }
    }
  }

  private boolean search(int cycle) throws IOException {
    if (salvage == null) {
      salvage = new ExcerptSalvage(log.file(cycle), format, cycleReadTo);
    }
    if (!salvage.next()) {
      return false;
    }
    captureSalvaged(cycle);
    return true;
  }

  /**
   * To be called when {@link #next} has found no excerpt though there must be more: the file that
   * is still written is then searched, too, up to what it holds now.
   *
   * @return whether {@link #next} has anywhere to look
   */
  boolean searchLiveFile() throws IOException {
    if (format == null || tailerCycle < 0 || tailerCycle < log.completeBelow()) {
      return false;
    }
    readBySearch = true;
    if (salvage != null && !salvage.restart(cycleReadTo)) {
      salvage = null;
    }
    return true;
  }

  /** Reads an excerpt of the tailer's cycle, or of a later one when there can be no more in it. */
  private boolean readByTailer(boolean complete) throws IOException {
    try (DocumentContext dc = tailer.readingDocument()) {
      if (!dc.isPresent()) {
        return false;
      }
      int cycle = (int) (dc.index() >>> 32);
      if (format != null && cycle != tailerCycle && complete) {
        // An end mark: the file is looked at once more, the mark may be damage.
        return false;
      }
      return capture(dc, cycle, complete);
    } catch (Exception | InternalError e) {
      // InternalError: the file became shorter than it was mapped.
      if (format == null) {
        throw new IOException("cannot read on in " + log.file(tailerCycle) + ": " + e, e);
      }
      suspect = true;
      LOG.error(
          "{} is damaged behind {}: {}",
          log.file(tailerCycle),
          cycleReadTo,
          e.getClass().getSimpleName());
      return false;
    }
  }

  /** Takes over the excerpt; false when it will be found again by searching. */
  private boolean capture(DocumentContext dc, int cycle, boolean complete) throws IOException {
    Bytes<?> bytes = dc.wire().bytes();
    BytesStore<?, ?> now = bytes.bytesStore();
    if (now != store) {
      attach(now);
    }
    long at = bytes.readPosition();
    index = dc.index();
    tailerCycle = cycle;
    viewCycle = cycle;
    position = ExcerptLog.position(cycle, at);
    offset = Math.toIntExact(at - storeStart);
    // A damaged header can say any length; the record has its own.
    length = (int) Math.min(bytes.readRemaining(), view.capacity() - offset);
    if (format == null || !format.contradicts(view, offset, length)) {
      cycleReadTo = (int) at + length;
      return true;
    }
    LOG.error("{}: an excerpt of {} bytes cannot be right", where(position), length);
    suspect = true;
    return format.defect(view, offset, length) != null;
  }

  private void captureSalvaged(int cycle) {
    if (view != salvage.view()) {
      detach();
      view = salvage.view();
      bodies = view.duplicate();
      storeStart = 0;
    }
    viewCycle = cycle;
    offset = salvage.offset();
    length = salvage.length();
    position = ExcerptLog.position(cycle, offset);
    cycleReadTo = offset + length;
    if (salvageReported != cycle) {
      // One line for what can be thousands of records.
      salvageReported = cycle;
      LOG.warn(
          "{}: Chronicle does not see the records from here on; searched for", where(position));
    }
  }

  private void attach(BytesStore<?, ?> now) throws IOException {
    if (now.capacity() > Integer.MAX_VALUE) {
      throw new IOException("a mapping of " + now.capacity() + " bytes");
    }
    detach();
    now.reserve(owner);
    store = now;
    storeStart = now.start();
    view = now.toTemporaryDirectByteBuffer();
    bodies = view.duplicate();
  }

  private void detach() {
    if (store != null) {
      store.release(owner);
      store = null;
    }
    view = null;
    bodies = null;
    viewCycle = -1;
  }

  /** Positions before the first excerpt of a cycle; false when there is no such file. */
  boolean moveToCycle(int cycle) throws IOException {
    if (cycle < 0) {
      return false;
    }
    open();
    boolean moved = false;
    try {
      moved = tailer.moveToCycle(cycle);
    } catch (Exception | InternalError e) {
      // Chronicle throws checked ones, too, which it does not declare.
      LOG.error("{} is damaged: {}", log.file(cycle), e.getClass().getSimpleName());
    }
    boolean searchable = format != null && log.cycles().contains(cycle);
    if (!moved && !searchable) {
      return false;
    }
    enter(cycle);
    // A file that Chronicle cannot open is searched from its begin.
    suspect = !moved;
    return true;
  }

  private void enter(int cycle) {
    tailerCycle = cycle;
    cycleReadTo = 0;
    suspect = false;
    salvage = null;
    readBySearch = false;
  }

  /** Positions so that {@link #next} reads the excerpt with this Chronicle index. */
  boolean moveToIndex(long excerptIndex) throws IOException {
    open();
    try {
      if (!tailer.moveToIndex(excerptIndex)) {
        return false;
      }
    } catch (Exception | InternalError e) {
      // A damaged index; whoever wanted this looks through the file instead.
      LOG.debug("{}: {}", log.file((int) (excerptIndex >>> 32)), e.toString());
      enter(-1);
      return false;
    }
    enter((int) (excerptIndex >>> 32));
    return true;
  }

  /**
   * Makes the file of a position available in {@link #view}, for access by offset. The caller
   * checks what it finds there. A view that was mapped while the file was shorter is replaced.
   *
   * @param end file offset that the record goes up to at least
   * @return the offset within the view, negative when the file is gone or holds no excerpt
   */
  int attachTo(long at, long end) throws IOException {
    int cycle = ExcerptLog.cycleOf(at);
    if (!covers(at, end)) {
      boolean found = moveToCycle(cycle) && next() && covers(at, end);
      if (!found && searchLiveFile()) {
        next();
      }
      if (viewCycle != cycle || ExcerptLog.offsetOf(at) - storeStart >= view.capacity()) {
        return -1;
      }
    }
    return Math.toIntExact(ExcerptLog.offsetOf(at) - storeStart);
  }

  /** Whether the view has the whole record at a position, as far as one can tell. */
  private boolean covers(long at, long end) {
    if (viewCycle != ExcerptLog.cycleOf(at)) {
      return false;
    }
    long begin = ExcerptLog.offsetOf(at) - storeStart;
    int capacity = view.capacity();
    if (begin < 0 || format == null) {
      return begin >= 0 && begin < capacity && end - storeStart <= capacity;
    }
    return begin + format.headBytes() <= capacity
        && end - storeStart <= capacity
        && begin + view.getInt((int) begin + RecordCodec.LENGTH_OFFSET) <= capacity;
  }

  private void open() throws IOException {
    if (tailer == null) {
      tailer = log.newTailer();
    }
  }

  /** Chronicle's index of the excerpt read last. */
  long index() {
    return index;
  }

  /** Cycle and file offset of the excerpt read last, see {@link ExcerptLog#position}. */
  @Override
  public long position() {
    return position;
  }

  /** The mapped file, big-endian; whoever moves position or limit puts them back. */
  @Override
  public ByteBuffer view() {
    return view;
  }

  /** The same for {@link MessageView}, whose users are free to move position and limit. */
  ByteBuffer bodies() {
    return bodies;
  }

  /** Where in {@link #view} the excerpt read last begins. */
  @Override
  public int offset() {
    return offset;
  }

  /** Payload bytes of the excerpt read last. */
  @Override
  public int length() {
    return length;
  }

  /** "file:offset" for messages to people. */
  @Override
  public String where(long at) {
    return log.file(ExcerptLog.cycleOf(at)) + ":" + ExcerptLog.offsetOf(at);
  }

  /**
   * Lets go of files that were removed: as long as they are mapped, the disk does not get their
   * blocks back.
   *
   * @return whether there were any; this reader is closed then, until its next use
   */
  boolean closeIfRemoved() {
    boolean removed =
        tailerCycle >= 0 && !log.cycles().contains(tailerCycle)
            || viewCycle >= 0 && !log.cycles().contains(viewCycle);
    if (removed) {
      close();
    }
    return removed;
  }

  @Override
  public void close() {
    detach();
    if (tailer != null) {
      tailer.close();
      tailer = null;
      enter(-1);
      log.readerClosed();
    }
  }
}
