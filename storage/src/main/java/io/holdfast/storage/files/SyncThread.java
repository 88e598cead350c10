package io.holdfast.storage.files;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that forces files to disk: at once for logs whose publishers wait (group commit:
 * while one force runs, the next group gathers), and every {@code sync-timeout} for all that were
 * written. It keeps account of the logs that cannot be forced, and tries them again.
 */
public final class SyncThread implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(SyncThread.class);

  /**
   * How long a force waits at most for publishers that are known to come. With 50 of them, one
   * publish at a time, a group is 50 that was 9, and a publish costs 15 us of processor time that
   * cost 18 (pub1x50, 2 cores).
   */
  private static final long GATHER_NS = 200_000;

  /** How often a log is tried whose last force failed. */
  private static final long RETRY_NS = 500_000_000;

  /** Something with files to force. */
  public interface Syncable {
    /**
     * Forces what was written before the call and tells whoever waits for it. Called with this
     * object's monitor.
     *
     * @throws IOException when the disk refuses; {@link SyncThread} reports it and asks again
     */
    void sync() throws IOException;
  }

  private final long timeoutNs;
  private final Disk disk;
  private final Set<Syncable> written;
  private final Set<Syncable> urgent;

  /** By what many logs are made durable at once. */
  private volatile SharedForce shared = SharedForce.NONE;

  /** From so many urgent logs on it is asked. */
  private volatile int sharedFrom = Integer.MAX_VALUE;

  /** Publishes that wait for a force. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** How many publishes were under way at the end of the last force: so many may come again. */
  private volatile int expected;

  /** What cannot be forced, and why. */
  private final Map<Syncable, IOException> failed = new ConcurrentHashMap<>();

  /** The same for people, by name: the first one is told. */
  private final Map<String, String> errors = new ConcurrentSkipListMap<>();

  /** What earlier processes wrote and did not force; null when it is on disk. */
  private volatile LeftBehind leftBehind;

  /** Told how many ns each force took. */
  private volatile LongConsumer onForced = ns -> {};

  /** null when somebody else calls {@link #pass}. */
  private final Thread thread;

  /**
   * Set when a log was closed that could not be forced; or could not be while others had copies of
   * it, as what the kernel has of it since may be what was on the disk before. The next start
   * begins with the copies.
   */
  private volatile boolean unclean;

  private volatile boolean stopped;

  /**
   * Starts the thread.
   *
   * @param timeoutMs the longest time that written data stays unforced
   */
  public SyncThread(long timeoutMs) {
    this(timeoutMs, Disk.LOCAL);
  }

  /** As {@link #SyncThread(long)}, on a disk of the caller. */
  public SyncThread(long timeoutMs, Disk disk) {
    timeoutNs = timeoutMs * 1_000_000;
    this.disk = disk;
    written = ConcurrentHashMap.newKeySet();
    urgent = ConcurrentHashMap.newKeySet();
    thread = new Thread(this::run, "sync");
    thread.setDaemon(true);
    thread.start();
  }

  private SyncThread(Disk disk) {
    timeoutNs = Long.MAX_VALUE;
    this.disk = disk;
    // In the same order in every run.
    written = new ConcurrentSkipListSet<>(Comparator.comparing(Syncable::toString));
    urgent = new ConcurrentSkipListSet<>(Comparator.comparing(Syncable::toString));
    thread = null;
  }

  /** One without a thread, for a simulation that calls {@link #pass} when it wants to. */
  public static SyncThread stepped(Disk disk) {
    return new SyncThread(disk);
  }

  /** Has somebody told how many ns each force took, by whichever thread forced. */
  public void onForced(LongConsumer listener) {
    onForced = listener;
  }

  /**
   * Has many logs made durable at once where that can be.
   *
   * @param from at how many logs that wait at the same time that begins
   */
  public void share(SharedForce by, int from) {
    shared = by;
    sharedFrom = from;
  }

  /** What it forces with. */
  public Disk disk() {
    return disk;
  }

  /** Has the log forced within the timeout. Any thread. */
  public void written(Syncable log) {
    written.add(log);
  }

  /** Has the log forced as soon as possible. Any thread. */
  public void urgent(Syncable log) {
    if (urgent.add(log) && thread != null) {
      LockSupport.unpark(thread);
    }
  }

  /**
   * A publish is about to wait for a force; {@link #urgent} is to follow when it does, and {@link
   * #answered}. Any thread.
   */
  public void publishWaits() {
    if (waiting.incrementAndGet() == expected && thread != null) {
      LockSupport.unpark(thread);
    }
  }

  /** So many publishes wait no longer. Any thread. */
  public void answered(int publishes) {
    if (publishes > 0) {
      expected = publishes + waiting.addAndGet(-publishes);
    }
  }

  /**
   * Before a force: lets as many publishes come as last time, so that it is one for all of them.
   * Who publishes alone, one message at a time, never waits for others.
   */
  private void gather() {
    long endNs = System.nanoTime() + GATHER_NS;
    long leftNs = GATHER_NS;
    while (waiting.get() > 0 && waiting.get() < expected && leftNs > 0 && !stopped) {
      LockSupport.parkNanos(this, leftNs);
      leftNs = endNs - System.nanoTime();
    }
  }

  /**
   * Forces the log now, in the caller's thread.
   *
   * @throws IOException when the disk refuses; it is tried again later
   */
  public void now(Syncable log) throws IOException {
    Syncable before = leftBehind;
    if (before != null) {
      // Part of what the log holds may be a dead process's, which is not dirty here.
      attempt(before);
    }
    attempt(log);
  }

  private void attempt(Syncable log) throws IOException {
    // With its monitor: a force that fails beside one that works must not be forgotten.
    synchronized (log) {
      try {
        long startNs = System.nanoTime();
        log.sync();
        onForced.accept(System.nanoTime() - startNs);
      } catch (IOException e) {
        failed(log, e);
        throw e;
      }
      worked(log);
    }
  }

  /** Remembers that a log cannot be forced; a log itself calls it before it tells who waits. */
  public void failed(Syncable log, IOException e) {
    if (shared.hasCopies()) {
      unclean = true;
    }
    if (failed.put(log, e) == null) {
      LOG.error("{}: {}", log, e.getMessage(), e);
    }
    errors.put(log.toString(), e.getMessage());
  }

  /** As {@link #failed}, for the opposite. */
  public void worked(Syncable log) {
    if (log.equals(leftBehind)) {
      leftBehind = null;
    }
    if (!failed.isEmpty() && failed.remove(log) != null) {
      LOG.info("{}: forcing to disk works again", log);
      errors.remove(log.toString());
    }
  }

  /** Forces the log a last time; no calls for it after that (one that runs now may still end). */
  public void closing(Syncable log) {
    urgent.remove(log);
    // Among those that were written until it is forced: a pass that ends has forced all of them.
    sync(log);
    written.remove(log);
    if (failed.containsKey(log)) {
      // In this order, and allForced looks in the other: at no moment it seems to be forced.
      unclean = true;
      failed.remove(log);
      errors.remove(log.toString());
    }
  }

  /** Nothing of a log is asked for any more: what was not forced is not needed. */
  public void forget(Syncable log) {
    written.remove(log);
    urgent.remove(log);
    failed.remove(log);
    errors.remove(log.toString());
  }

  /** Whether everything is on disk that was written to the logs that were closed. */
  public boolean allForced() {
    return failed.isEmpty() && !unclean;
  }

  /**
   * Has everything forced that processes before this one wrote to a directory's file system and did
   * not live to force; before anything that is asked for later.
   */
  public void forceLeftBehind(Path dir) {
    leftBehind = new LeftBehind(dir, disk);
    urgent(leftBehind);
  }

  private record LeftBehind(Path dir, Disk disk) implements Syncable {
    @Override
    public void sync() throws IOException {
      try {
        disk.forceAll(dir);
      } catch (IOException e) {
        throw new SyncFailedException(dir.toString(), e);
      }
    }
  }

  /** Why something cannot be forced to the disk, null when everything can. Any thread. */
  public String error() {
    for (String error : errors.values()) {
      return error;
    }
    return null;
  }

  private void run() {
    long lastNs = System.nanoTime();
    long lastTryNs = lastNs;
    while (!stopped) {
      if (urgent.isEmpty()) {
        long waitNs = timeoutNs - (System.nanoTime() - lastNs);
        if (!failed.isEmpty()) {
          waitNs = Math.min(waitNs, RETRY_NS);
        }
        if (waitNs > 0) {
          LockSupport.parkNanos(this, waitNs);
        }
      }
      gather();
      long nowNs = System.nanoTime();
      boolean due = nowNs - lastNs >= timeoutNs || shared.isPassDue();
      boolean again = nowNs - lastTryNs >= RETRY_NS;
      lastNs = due ? nowNs : lastNs;
      lastTryNs = again ? nowNs : lastTryNs;
      pass(again, due);
    }
  }

  /**
   * Forces what is urgent.
   *
   * @param again what failed before, too
   * @param all everything else that was written, too
   */
  public void pass(boolean again, boolean all) {
    syncUrgent();
    if (again && !failed.isEmpty()) {
      for (Syncable log : new ArrayList<>(failed.keySet())) {
        sync(log);
      }
    }
    if (all) {
      guarded(() -> shared.passBegins(stopped));
      for (Syncable log : new ArrayList<>(written)) {
        // Removed before it is forced: a write that comes in between asks again.
        if (written.remove(log)) {
          sync(log);
        }
        // Publishers do not wait for all the rest.
        syncUrgent();
      }
      if (allForced() && leftBehind == null) {
        guarded(shared::passEnds);
      }
    }
  }

  private static void guarded(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      // Whatever it was, this thread has to go on.
      LOG.error("what many logs share failed", e);
    }
  }

  private void syncUrgent() {
    if (urgent.isEmpty()) {
      return;
    }
    List<Syncable> now = new ArrayList<>(urgent);
    if (now.size() >= sharedFrom && !unclean) {
      // Before anybody is taken over who waits: who comes after that asks again.
      now.removeIf(log -> !urgent.remove(log));
      long startNs = System.nanoTime();
      Collection<Syncable> left = shared.force(now);
      if (left.size() < now.size()) {
        onForced.accept(System.nanoTime() - startNs);
      }
      left.forEach(this::sync);
      return;
    }
    for (Syncable log : now) {
      if (urgent.remove(log)) {
        sync(log);
      }
    }
  }

  private void sync(Syncable log) {
    try {
      attempt(log);
    } catch (IOException reported) {
      LOG.debug("{} is tried again", log, reported);
    } catch (RuntimeException | Error e) {
      // Whatever it was, this thread has to go on.
      LOG.error("sync of {} failed", log, e);
    }
  }

  /** Forces everything that was written and ends the thread. */
  @Override
  public void close() {
    stopped = true;
    LockSupport.unpark(thread);
    boolean interrupted = false;
    while (thread != null && thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    pass(true, true);
  }
}
