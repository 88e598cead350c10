package io.holdfast.storage.raft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.log.LogFiles;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The cursors of a log, one for each thread that reads: followers that are behind read in order,
 * each somewhere else. Thread-safe (own monitor).
 */
final class EntryCursors implements Closeable {
  /** More are not kept. */
  private static final int KEPT = 4;

  private final LogFiles files;

  /** Those that nobody reads with, the one that was used last at the end. */
  @GuardedBy("this")
  private final List<EntryCursor> idle = new ArrayList<>();

  @GuardedBy("this")
  private boolean closed;

  EntryCursors(LogFiles files) {
    this.files = files;
  }

  /** One to read an entry with, to be given back. */
  synchronized EntryCursor take(long index) {
    for (Iterator<EntryCursor> all = idle.iterator(); all.hasNext(); ) {
      EntryCursor cursor = all.next();
      if (cursor.index() + 1 == index) {
        all.remove();
        return cursor;
      }
    }
    return idle.size() < KEPT ? new EntryCursor(files) : idle.remove(0);
  }

  synchronized void giveBack(EntryCursor cursor) {
    if (closed || idle.size() >= KEPT) {
      cursor.close();
    } else {
      cursor.closeIfRemoved();
      idle.add(cursor);
    }
  }

  /**
   * The record of an entry that the log has.
   *
   * @param place where it has it
   * @throws DamagedException when it is not there
   */
  RaftRecord find(long index, RaftLogState.Place place) throws IOException {
    EntryCursor cursor = take(index);
    try {
      RaftRecord record = cursor.find(index, place);
      if (record == null) {
        throw cursor.damaged(place.position(), "entry " + index + " is not found");
      }
      return record;
    } finally {
      giveBack(cursor);
    }
  }

  /** Files were removed: as long as they are open the disk does not get their blocks back. */
  synchronized void closeRemoved() {
    idle.forEach(EntryCursor::closeIfRemoved);
  }

  /** Closes those that nobody reads with. */
  synchronized void closeIdle() {
    idle.forEach(EntryCursor::close);
    idle.clear();
  }

  @Override
  public synchronized void close() {
    closed = true;
    closeIdle();
  }
}
