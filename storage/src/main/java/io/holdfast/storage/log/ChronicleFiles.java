package io.holdfast.storage.log;

import net.openhft.chronicle.core.io.Closeable;
import net.openhft.chronicle.queue.ExcerptAppender;

/**
 * Chronicle's side of a log: its queue and appender, opened at first use and closed while nobody
 * appends, and which files Chronicle gets to know.
 *
 * <p>The log's owner's lock guards it; opening and closing is under the monitor of the {@link
 * LogDirectory} as well.
 */
final class ChronicleFiles {
  /** Four pages of the largest common size, so that block and overlap are whole pages. */
  private static final long BLOCK_ALIGNMENT = 256 << 10;

  private final LogDirectory directory;
  private final long blockSize;
  private final SizeRollCycle rollCycle;

  /** Chronicle does not know of files before. */
  private volatile int shownFrom;

  private OwnFilesQueue queue;
  private ExcerptAppender appender;

  /**
   * @param blockSize bytes mapped at once; at least the largest file, so that each file is one
   *     mapping
   */
  ChronicleFiles(LogDirectory directory, long blockSize) {
    this.directory = directory;
    this.blockSize = (blockSize + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
    shownFrom = directory.firstOwnCycle();
    rollCycle = new SizeRollCycle(shownFrom);
  }

  long blockSize() {
    return blockSize;
  }

  /** The appender that is open, null when none is. */
  ExcerptAppender appender() {
    return appender;
  }

  /** The next append goes to this file. */
  void rollTo(int cycle) {
    rollCycle.cycle(cycle);
  }

  /** Keeps Chronicle from files before a cycle, from the next opening on. */
  void showFrom(int cycle) {
    shownFrom = cycle;
  }

  /**
   * Opens the appender.
   *
   * @throws Exception of Chronicle's, which does not declare them; close it then
   */
  ExcerptAppender open() throws Exception {
    CompiledStores.compile();
    directory.setStraysAside();
    queue =
        OwnFilesQueue.open(
            directory.path(),
            rollCycle,
            blockSize,
            () -> directory.cycles().tailSet(shownFrom, true));
    OpenLogs.opened();
    appender = queue.createAppender();
    appender.singleThreadedCheckDisabled(true);
    return appender;
  }

  /** Closes queue and appender, or what of them could be opened. */
  void close() {
    ExcerptAppender openAppender = appender;
    OwnFilesQueue openQueue = queue;
    appender = null;
    queue = null;
    if (openQueue != null) {
      OpenLogs.closed();
    }
    Closeable.closeQuietly(openAppender, openQueue);
  }
}
