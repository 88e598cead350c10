package io.holdfast.storage.journal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.DirtyFiles;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.FilePart;
import io.holdfast.storage.redo.Redoable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Forces what a journal has appended, answers all publishers who wait for that at once, and has
 * nothing more appended while a force fails.
 *
 * <p>The topic's lock guards what is called beside an append; forces come one after the other,
 * under this object's monitor.
 */
final class GroupCommit implements Redoable {
  /**
   * Messages that may be written but not forced: far more than the disk ever lags behind. What the
   * process before this one left behind comes on top, while it is being forced.
   */
  static final long MAX_UNFORCED = 1 << 24;

  /** With more than this a force is mostly writing, and writing twice would be most of it. */
  private static final long MAX_COPIED_BYTES = 128 << 10;

  private final ExcerptLog log;
  private final StorageOptions options;
  private final SyncThread syncThread;

  /** Messages appended since {@link SyncThread} was asked for a force. Topic's lock. */
  private long unsyncedMessages;

  /** Messages appended by this process. Written under the topic's lock. */
  private volatile long appended;

  /** How many of them are on disk. Under this object's monitor. */
  private volatile long forced;

  private final Object waitersLock = new Object();

  /** Publishers waiting for the disk. */
  @GuardedBy("waitersLock")
  private List<Journal.DurabilityListener> waiters = new ArrayList<>();

  /** The error of the last force, null when it worked; no OK is given meanwhile. */
  private volatile SyncFailedException syncError;

  /** Set when a force failed: what comes next does not go to a file the disk refused. */
  private volatile boolean rollWanted;

  /** Whether nobody but the journal's owner has it forced, as it is a copy: however much is not. */
  private final boolean isForcedByOwner;

  GroupCommit(
      ExcerptLog log, StorageOptions options, SyncThread syncThread, boolean isForcedByOwner) {
    this.isForcedByOwner = isForcedByOwner;
    this.log = log;
    this.options = options;
    this.syncThread = syncThread;
  }

  /**
   * Before an append: fails while the disk refuses, or lags behind too far. Topic's lock.
   *
   * @throws IOException what the last force failed with, say
   */
  void requireForced() throws IOException {
    SyncFailedException failed = syncError;
    if (failed != null) {
      throw failed;
    }
    if (appended - forced > MAX_UNFORCED && !isForcedByOwner) {
      throw new IOException(MAX_UNFORCED + " messages wait to be forced to disk");
    }
  }

  /** Whether the next record is to begin a new file; asked once for each failure. Topic's lock. */
  boolean takeRollWanted() {
    boolean wanted = rollWanted;
    if (wanted) {
      rollWanted = false;
    }
    return wanted;
  }

  /** Messages were appended. Topic's lock. */
  void appended(int messages) {
    unsyncedMessages += messages;
    // Nobody else writes it.
    long now = appended + messages;
    appended = now;
    if (!options.synced() && !isForcedByOwner) {
      syncThread.written(this);
      boolean due = options.syncEvery() > 0 && unsyncedMessages >= options.syncEvery();
      if (due || unsyncedMessages >= MAX_UNFORCED / 2) {
        unsyncedMessages = 0;
        syncThread.urgent(this);
      }
    }
  }

  /** Something without messages was appended. */
  void written() {
    if (!isForcedByOwner) {
      syncThread.written(this);
    }
  }

  /** See {@link Journal#whenDurable}. */
  boolean whenDurable(Journal.DurabilityListener listener) {
    if (!options.synced() || isForcedByOwner) {
      return true;
    }
    syncThread.publishWaits();
    synchronized (waitersLock) {
      waiters.add(listener);
    }
    syncThread.urgent(this);
    return false;
  }

  /** Waits until everything appended so far is on the disk. Without the topic's lock. */
  void force() throws IOException {
    syncThread.now(this);
  }

  /**
   * Forces the files and answers those who waited before it began. When that fails they get the
   * error, and nothing is taken until a force works: of bytes that were really written again, see
   * {@link DirtyFiles}, and what comes next goes to a new file. One at a time, under this object's
   * monitor: the state of the last force is the one that counts.
   */
  @Override
  public synchronized void sync() throws SyncFailedException {
    List<Journal.DurabilityListener> group = takeWaiters();
    long written = appended;
    SyncFailedException error = null;
    Error fatal = null;
    try {
      log.force();
      onDisk(written);
    } catch (SyncFailedException e) {
      error = e;
    } catch (RuntimeException e) {
      error = new SyncFailedException(log.dir().toString(), new IOException(e.toString(), e));
    } catch (Error e) {
      // Out of memory, say: whoever waits is told all the same.
      error = new SyncFailedException(log.dir().toString(), new IOException(e.toString(), e));
      fatal = e;
    }
    answer(group, error);
    if (fatal != null) {
      throw fatal;
    }
    if (error != null) {
      throw error;
    }
  }

  private List<Journal.DurabilityListener> takeWaiters() {
    synchronized (waitersLock) {
      List<Journal.DurabilityListener> group = waiters;
      waiters = new ArrayList<>();
      return group;
    }
  }

  private void putBack(List<Journal.DurabilityListener> group) {
    synchronized (waitersLock) {
      waiters.addAll(0, group);
    }
  }

  @Override
  public synchronized Copied copy(Copier by) throws IOException {
    if (!options.synced() || isForcedByOwner || syncError != null) {
      return null;
    }
    List<Journal.DurabilityListener> group = takeWaiters();
    boolean copied = false;
    try {
      long written = appended;
      List<FilePart> parts = log.unforced();
      long bytes = parts.stream().mapToLong(FilePart::bytes).sum();
      if (group.isEmpty() || bytes > MAX_COPIED_BYTES) {
        return null;
      }
      by.copy(log, parts);
      copied = true;
      return new CopiedGroup(group, parts, written);
    } finally {
      if (!copied) {
        putBack(group);
      }
    }
  }

  /** Those who wait for what somebody has a copy of. */
  private final class CopiedGroup implements Copied {
    private final List<Journal.DurabilityListener> group;
    private final List<FilePart> parts;
    private final long written;

    CopiedGroup(List<Journal.DurabilityListener> group, List<FilePart> parts, long written) {
      this.group = group;
      this.parts = parts;
      this.written = written;
    }

    @Override
    public void durable() {
      // First: the copy stays until a pass has forced what was written.
      syncThread.written(GroupCommit.this);
      log.safe(parts);
      onDisk(written);
      syncThread.answered(group.size());
      group.forEach(Journal.DurabilityListener::onDurable);
    }

    @Override
    public void putBack() {
      GroupCommit.this.putBack(group);
    }
  }

  private synchronized void onDisk(long messages) {
    forced = Math.max(forced, messages);
  }

  /**
   * @param error null when the force worked
   */
  private void answer(List<Journal.DurabilityListener> group, SyncFailedException error) {
    if (error != null) {
      rollWanted = true;
    }
    syncError = error;
    // Before anybody is told: whoever hears of a failure finds it in the broker's health.
    if (error == null) {
      syncThread.worked(this);
    } else {
      syncThread.failed(this, error);
    }
    syncThread.answered(group.size());
    for (Journal.DurabilityListener waiter : group) {
      if (error == null) {
        waiter.onDurable();
      } else {
        waiter.onFailed(error);
      }
    }
  }

  /** Forces a last time. */
  void close() {
    if (isForcedByOwner) {
      syncThread.forget(this);
    } else {
      syncThread.closing(this);
    }
  }

  /** For errors and logs: it is the journal to people. */
  @Override
  public String toString() {
    return "journal " + log.dir();
  }
}
