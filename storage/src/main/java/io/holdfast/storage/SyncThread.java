package io.holdfast.storage;

import java.io.Closeable;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that forces files to disk: at once for logs whose publishers wait (group commit:
 * while one force runs, the next group gathers), and every {@code sync-timeout} for all that were
 * written.
 */
public final class SyncThread implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(SyncThread.class);

  /** Something with files to force. */
  interface Syncable {
    /** Forces what was written and tells whoever waits. Never throws; failures are its own. */
    void sync();
  }

  private final long timeoutNs;
  private final Set<Syncable> written = ConcurrentHashMap.newKeySet();
  private final Set<Syncable> urgent = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean stopped;

  /**
   * Starts the thread.
   *
   * @param timeoutMs the longest time that written data stays unforced
   */
  public SyncThread(long timeoutMs) {
    timeoutNs = timeoutMs * 1_000_000;
    thread = new Thread(this::run, "sync");
    thread.setDaemon(true);
    thread.start();
  }

  /** Has the log forced within the timeout. Any thread. */
  void written(Syncable log) {
    written.add(log);
  }

  /** Has the log forced as soon as possible. Any thread. */
  void urgent(Syncable log) {
    if (urgent.add(log)) {
      LockSupport.unpark(thread);
    }
  }

  /** No further calls for this log (one that runs now may still end). */
  void forget(Syncable log) {
    written.remove(log);
    urgent.remove(log);
  }

  private void run() {
    long lastNs = System.nanoTime();
    while (!stopped) {
      if (urgent.isEmpty()) {
        long waitNs = timeoutNs - (System.nanoTime() - lastNs);
        if (waitNs > 0) {
          LockSupport.parkNanos(this, waitNs);
        }
      }
      syncAll(urgent);
      if (System.nanoTime() - lastNs >= timeoutNs) {
        lastNs = System.nanoTime();
        syncAll(written);
      }
    }
  }

  private static void syncAll(Set<Syncable> logs) {
    for (Syncable log : logs) {
      // Removed before it is forced: a write that comes in between asks again.
      if (logs.remove(log)) {
        try {
          log.sync();
        } catch (RuntimeException | Error e) {
          // Whatever it was, this thread has to go on.
          LOG.error("sync of {} failed", log, e);
        }
      }
    }
  }

  /** Forces everything that was written and ends the thread. */
  @Override
  public void close() {
    stopped = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    syncAll(urgent);
    syncAll(written);
  }
}
