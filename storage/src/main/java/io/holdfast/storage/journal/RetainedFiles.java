package io.holdfast.storage.journal;

import io.holdfast.storage.log.ExcerptLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which files of a journal have to stay although everything in them is finished. Any thread. */
final class RetainedFiles {
  private static final Logger LOG = LoggerFactory.getLogger(RetainedFiles.class);

  /** A file system's clock may be so far ahead of ours. */
  private static final long CLOCK_SLACK_MS = 100;

  private final ExcerptLog log;
  private final JournalFiles files;

  /** From when on the age of a file counts whose time was ahead of the clock, monotonic, ns. */
  private final Map<Integer, Long> countsFromNs = new ConcurrentHashMap<>();

  RetainedFiles(ExcerptLog log, JournalFiles files) {
    this.log = log;
    this.files = files;
  }

  /** See {@link Journal#mayGo}. */
  boolean mayGo(int file, long ordinal, int pinned, Retention retention) throws IOException {
    if (isWrittenBefore(file, retention.writtenBeforeMs())) {
      return true;
    }
    if (retention.bytes() == Long.MAX_VALUE) {
      return false;
    }
    // The file with the first message that is not finished has finished ones, too.
    int last = Math.min(pinned, files.cycleFor(ordinal));
    return log.diskBytesAfter(file) - log.diskBytesAfter(last) >= retention.bytes();
  }

  /** Whether nothing was written to a file since a time, ms since 1970. */
  private boolean isWrittenBefore(int file, long timeMs) throws IOException {
    if (timeMs == Long.MIN_VALUE) {
      return false;
    }
    Path path = log.file(file);
    // The file system's clock, not ours to choose.
    long nowMs = System.currentTimeMillis();
    long writtenMs = Files.getLastModifiedTime(path).toMillis();
    if (writtenMs > nowMs + CLOCK_SLACK_MS) {
      // A clock was wrong then: its age counts from now on, or the file would stay until that time.
      LOG.warn("{} was written {} ms from now; its age counts from now", path, writtenMs - nowMs);
      Files.setLastModifiedTime(path, FileTime.fromMillis(nowMs));
      writtenMs = nowMs;
      countsFromNs.put(file, System.nanoTime());
    }
    if (writtenMs > timeMs) {
      return false;
    }
    // Or it was now that the clock was wrong, behind, and when it is right again the file seems
    // older than it is.
    Long fromNs = countsFromNs.get(file);
    if (fromNs != null
        && System.nanoTime() - fromNs < TimeUnit.MILLISECONDS.toNanos(nowMs - timeMs)) {
      return false;
    }
    countsFromNs.remove(file);
    return true;
  }
}
