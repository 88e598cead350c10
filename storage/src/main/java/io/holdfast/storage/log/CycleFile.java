package io.holdfast.storage.log;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.NoSpaceException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.core.Jvm;
import net.openhft.posix.PosixAPI;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file that a log is writing, beside Chronicle's mapping of it. It sees to it that what is
 * stored through the mapping finds its disk blocks reserved, so that it cannot fail, and its pages
 * in the page cache, so that it is fast; and it writes large bodies by call.
 *
 * <p>A store into a page that is not in the page cache is a fault in which the kernel reads ahead,
 * here: clears as many pages as the disk's readahead has (128 KiB to some MiB), one by one; 8 us a
 * page have been measured. Clearing 64 KiB by one call costs 5 us, and the faults that remain 0.3
 * us a page ({@code JournalAppendBenchmark}).
 *
 * <p>The log's owner's lock guards it.
 */
public final class CycleFile implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(CycleFile.class);

  /** What Chronicle may write behind a body and expects to be zeros: an index array. */
  private static final int ARRAY_BYTES = 8 * SizeRollCycle.INDEX_COUNT + 128;

  /** What Chronicle may write beyond an excerpt: two index arrays and headers. */
  static final long SLACK_BYTES = 2L * ARRAY_BYTES + 4096;

  private static final long FIRST_RESERVE_BYTES = 64 << 10;

  /** How pages are cleared ahead of the appends. */
  public enum Clearing {
    /** Forces come now and then: large pages are least work. */
    RARELY_FORCED(64 << 10, 64 << 10, 256 << 10),

    /**
     * Each publish is forced. A force writes each page that was touched, whole, so they are small;
     * the first force of a page also writes what the file system has to note of its blocks, so many
     * are cleared at once (90 us a force of 12 KiB where 16 KiB at once have 130).
     */
    OFTEN_FORCED(256 << 10, 16 << 10, 0);

    private final int stepBytes;
    private final int pageBytes;
    private final int bodyStepBytes;

    /**
     * @param stepBytes how much is cleared ahead at most
     * @param pageBytes by one call
     * @param bodyStepBytes how much is cleared, by one call, ahead of bodies that are written by
     *     call; 0 for nothing
     */
    Clearing(int stepBytes, int pageBytes, int bodyStepBytes) {
      this.stepBytes = stepBytes;
      this.pageBytes = pageBytes;
      this.bodyStepBytes = bodyStepBytes;
    }
  }

  /** Small files are common: a ledger's first record should not clear much. */
  private static final int FIRST_CLEAR_BYTES = 16 << 10;

  /** What is stored through the mapping behind a body: the next excerpt's header and head. */
  private static final int NEXT_HEAD_BYTES = 128;

  private static final long PAGE_BYTES = 4096;
  private static final long GIVE_BACK_BYTES = 256 << 10;

  /** errno EINTR. */
  private static final int INTERRUPTED = 4;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(256 << 10);

  private final Path dir;
  private final long maxReserveBytes;
  private final Clearing clearing;

  /** Where the file is, for opening it. */
  private Path path;

  private int fd = -1;

  /** Where the descriptor writes next. */
  private long fdPosition;

  private long reservedTo;
  private long reserveBytes;

  /** Up to here each page was written; between the last excerpt and this there are zeros. */
  private long clearedTo;

  /** How much is cleared ahead; more each time. */
  private int clearBytes;

  /** The same for what is cleared ahead of bodies. */
  private int bodyClearBytes;

  /** Whether there is something behind what was cleared: the file is used again. */
  private boolean usedAgain;

  /** Up to here the mapping's pages were given back. */
  private long givenBackTo;

  /** Bytes since then that did not go through the mapping. */
  private long notMapped;

  /**
   * @param dir for errors
   * @param maxReserveBytes how many bytes are reserved ahead at most
   */
  CycleFile(Path dir, long maxReserveBytes, Clearing clearing) {
    this.dir = dir;
    this.maxReserveBytes = maxReserveBytes;
    this.clearing = clearing;
  }

  /** Begins with a new file, which is empty. */
  void start(Path file) {
    close();
    path = file;
    reservedTo = 0;
    reserveBytes = FIRST_RESERVE_BYTES;
    clearedTo = 0;
    givenBackTo = 0;
    notMapped = 0;
    clearBytes = FIRST_CLEAR_BYTES;
    bodyClearBytes = FIRST_CLEAR_BYTES;
    usedAgain = false;
  }

  /**
   * Begins with a file that is used again.
   *
   * @param reserved bytes that have their blocks
   * @param cleared bytes that are cleared
   */
  void startAgain(Path file, long reserved, long cleared) {
    start(file);
    usedAgain = true;
    reservedTo = reserved;
    reserveBytes = maxReserveBytes;
    clearedTo = cleared;
  }

  /** The file is about to get another name. What has that name then is opened, whoever made it. */
  void renamed(Path to) {
    close();
    path = to;
  }

  /**
   * Makes sure that the blocks up to an offset exist, and what Chronicle adds: on a full disk JDK
   * 17 would report success for a corrupt excerpt (CHRONICLE.md, "A full disk").
   *
   * @throws NoSpaceException when the disk has not so many
   */
  void reserve(long upToBytes) throws IOException {
    long needed = upToBytes + SLACK_BYTES;
    if (reservedTo >= needed) {
      return;
    }
    open();
    long least = needed - reservedTo;
    long step = Math.max(reserveBytes, least);
    try {
      DurableFiles.reserve(fd, reservedTo, step, dir);
    } catch (NoSpaceException full) {
      if (step == least) {
        throw full;
      }
      // The last room of a disk is for records, not for what is reserved ahead.
      step = least;
      DurableFiles.reserve(fd, reservedTo, step, dir);
    }
    reservedTo += step;
    reserveBytes = Math.min(maxReserveBytes, reserveBytes * 2);
  }

  /**
   * Brings the pages up to an offset, and what Chronicle adds, into the page cache, and some more.
   * Those asked for must have been reserved.
   *
   * @param from where the excerpt begins that is being written; behind it there is nothing, while
   *     between the last one and it Chronicle may have put an index array
   */
  void clear(long from, long upToBytes) throws IOException {
    long needed = upToBytes + SLACK_BYTES;
    if (clearedTo >= needed) {
      return;
    }
    clearedTo = Math.max(clearedTo, from);
    long stepEnd = needed + clearBytes - needed % clearBytes;
    clearBytes = Math.min(clearing.stepBytes, clearBytes * 2);
    clear(stepEnd, clearing.pageBytes);
  }

  /**
   * Writes the last bytes of an excerpt, and the page of the next one's head. The page cache is the
   * mapping's, so readers find them there.
   *
   * @param body of direct memory; its position moves
   */
  void writeBody(ByteBuffer body, long offset) throws IOException {
    long end = offset + body.remaining();
    // All but the pages that it shares with what is before and behind it.
    notMapped += body.remaining() - 2 * PAGE_BYTES;
    clearAhead(offset, end);
    write(body, offset);
    int behind = usedAgain ? ARRAY_BYTES + NEXT_HEAD_BYTES : NEXT_HEAD_BYTES;
    if (clearedTo < end + behind) {
      write(ZEROS.slice(0, behind), end);
      clearedTo = end + behind;
    }
  }

  /**
   * Makes new pages large ones. A call that begins anywhere gets small ones, each of which costs as
   * much: with the zeros before it a body takes half as long (storage/README.md, Ways to append).
   */
  private void clearAhead(long from, long upToBytes) throws IOException {
    int step = clearing.bodyStepBytes;
    // Pages that are there already need none, and large bodies get large ones by themselves.
    if (usedAgain || clearedTo >= upToBytes || upToBytes - from >= step) {
      return;
    }
    clearedTo = Math.max(clearedTo, from);
    bodyClearBytes = Math.min(step, bodyClearBytes * 2);
    clear(upToBytes + bodyClearBytes - upToBytes % bodyClearBytes, step);
  }

  /** Clears up to an offset, but not where there may be no blocks, by calls of one page each. */
  private void clear(long upToBytes, int pageBytes) throws IOException {
    long to = Math.min(reservedTo, upToBytes);
    while (clearedTo < to) {
      int bytes = (int) Math.min(pageBytes - clearedTo % pageBytes, to - clearedTo);
      write(ZEROS.slice(0, bytes), clearedTo);
      clearedTo += bytes;
    }
  }

  private void write(ByteBuffer from, long offset) throws IOException {
    open();
    PosixAPI posix = PosixAPI.posix();
    if (fdPosition != offset) {
      // Not the library's WhenceFlag, whose values are one too high.
      final int fromBegin = 0;
      if (posix.lseek(fd, offset, fromBegin) != offset) {
        throw DurableFiles.lastError(posix, "cannot seek", path);
      }
      fdPosition = offset;
    }
    while (from.hasRemaining()) {
      long written = posix.write(fd, Jvm.address(from) + from.position(), from.remaining());
      if (written > 0) {
        from.position(from.position() + (int) written);
        fdPosition += written;
      } else if (written == 0 || posix.lastError() != INTERRUPTED) {
        throw DurableFiles.lastError(posix, "cannot write", path);
      }
    }
  }

  /**
   * Takes pages that were written out of the process, not out of the page cache: with hundreds of
   * topics each with some MiB of journal they would be most of its resident memory. Who reads there
   * maps them again, 16 at a time.
   *
   * @param mapping where the file is mapped
   * @param begin of the excerpt being written
   */
  void giveBackBehind(BytesStore<?, ?> mapping, long begin) {
    if (begin - givenBackTo - notMapped < GIVE_BACK_BYTES) {
      return;
    }
    long to = begin / PAGE_BYTES * PAGE_BYTES;
    long bytes = to - givenBackTo;
    // A ledger can pass the end of a mapping, and goes on in another one.
    if (mapping.inside(givenBackTo, bytes)) {
      final int dontNeed = 4;
      PosixAPI.posix().madvise(mapping.addressForRead(givenBackTo), bytes, dontNeed);
    }
    givenBackTo = to;
    notMapped = 0;
  }

  private void open() throws IOException {
    if (fd < 0) {
      fd = DurableFiles.openToWrite(path);
      fdPosition = 0;
    }
  }

  /**
   * Gives back the blocks behind the end of a file that is complete, or not written for a while.
   */
  void release(long end) {
    long from = end + SLACK_BYTES;
    if (from < reservedTo) {
      try {
        open();
        final int punchHoleKeepSize = 3;
        PosixAPI.posix().fallocate(fd, punchHoleKeepSize, from, reservedTo - from);
        reservedTo = from;
        reserveBytes = FIRST_RESERVE_BYTES;
        clearedTo = Math.min(clearedTo, from);
        clearBytes = FIRST_CLEAR_BYTES;
        bodyClearBytes = FIRST_CLEAR_BYTES;
      } catch (IOException e) {
        LOG.warn("{}: {} unused bytes stay reserved", path, reservedTo - from, e);
      }
    }
    close();
  }

  /** Closes the descriptor; it is opened again when it is needed. */
  @Override
  public void close() {
    if (fd >= 0) {
      PosixAPI.posix().close(fd);
      fd = -1;
    }
  }
}
