package io.holdfast.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.core.io.ReferenceOwner;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.wire.DocumentContext;

/**
 * Reads the excerpts of an {@link ExcerptLog} in order, or single ones by position, as views of the
 * mapped file: nothing is copied. A view is valid until the next call that moves this reader.
 *
 * <p>At the end of a file that is older than the log's current one it goes on to the next file even
 * when the end mark is missing, as after a power cut. The current cycle is read before each attempt
 * to read: a later look could see a roll that happened after the attempt and skip what was written
 * in between.
 *
 * <p>One thread at a time (its owner's lock).
 */
final class ExcerptReader implements ExcerptSource, Closeable {
  private final ExcerptLog log;
  private final ReferenceOwner owner = ReferenceOwner.temporary("ExcerptReader");

  private ExcerptTailer tailer;
  private int tailerCycle = -1;
  private BytesStore<?, ?> store;
  private ByteBuffer view;
  private ByteBuffer bodies;
  private long storeStart;

  private long index;
  private long position;
  private int offset;
  private int length;

  ExcerptReader(ExcerptLog log) {
    this.log = log;
  }

  /** Goes to the next excerpt; false when there is none yet. */
  @Override
  public boolean next() throws IOException {
    while (true) {
      int current = log.currentCycle();
      if (tailerCycle < 0 && !moveToCycle(log.firstCycle())) {
        return false;
      }
      try (DocumentContext dc = tailer.readingDocument()) {
        if (dc.isPresent()) {
          capture(dc);
          return true;
        }
      }
      int at = Math.max(tailer.cycle(), tailerCycle);
      if (at >= current || !moveToCycle(log.cycleAfter(at))) {
        return false;
      }
    }
  }

  private void capture(DocumentContext dc) throws IOException {
    Bytes<?> bytes = dc.wire().bytes();
    index = dc.index();
    tailerCycle = (int) (index >>> 32);
    BytesStore<?, ?> now = bytes.bytesStore();
    if (now != store) {
      attach(now);
    }
    long at = bytes.readPosition();
    position = ExcerptLog.position(tailerCycle, at);
    offset = Math.toIntExact(at - storeStart);
    length = Math.toIntExact(bytes.readRemaining());
    if (length > view.capacity() - offset) {
      throw new IOException(
          "excerpt of " + length + " bytes beyond the mapping at " + where(position));
    }
  }

  private void attach(BytesStore<?, ?> now) {
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
      view = null;
      bodies = null;
    }
  }

  /** Positions before the first excerpt of a cycle; false when there is no such file. */
  boolean moveToCycle(int cycle) throws IOException {
    if (cycle < 0) {
      return false;
    }
    open();
    if (!tailer.moveToCycle(cycle)) {
      return false;
    }
    tailerCycle = cycle;
    return true;
  }

  /** Positions so that {@link #next} reads the excerpt with this Chronicle index. */
  boolean moveToIndex(long excerptIndex) throws IOException {
    open();
    if (!tailer.moveToIndex(excerptIndex)) {
      return false;
    }
    tailerCycle = (int) (excerptIndex >>> 32);
    return true;
  }

  /**
   * Makes the file of a position available in {@link #view}, for access by offset. The caller
   * checks what it finds there.
   *
   * @return the offset within the view
   * @throws IOException when the file is gone or holds no excerpt
   */
  int attachTo(long at) throws IOException {
    int cycle = ExcerptLog.cycleOf(at);
    if (store == null || tailerCycle != cycle) {
      if (!moveToCycle(cycle)) {
        throw new IOException("no such file: " + log.file(cycle));
      }
      try (DocumentContext dc = tailer.readingDocument()) {
        if (!dc.isPresent()) {
          throw new IOException("nothing can be read from " + log.file(cycle));
        }
        capture(dc);
      }
    }
    return Math.toIntExact(ExcerptLog.offsetOf(at) - storeStart);
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

  @Override
  public void close() {
    detach();
    if (tailer != null) {
      tailer.close();
      tailer = null;
      tailerCycle = -1;
      log.readerClosed();
    }
  }
}
