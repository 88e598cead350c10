package io.holdfast.broker.limits;

import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory that all connections together take for commands and requests which have begun to
 * arrive: a semaphore of bytes, first come first served. A large one is received only with a {@link
 * Lease} over its whole size, so that whatever was begun can also be ended; who gets none at once
 * waits, unread. While somebody waits, each eighth of a leased size has five seconds to arrive;
 * whose does not, gives the lease back.
 *
 * <p>Thread-safe; fields are guarded by this.
 */
public final class InputBudget {
  /** What a connection may hold without a lease, bytes. */
  public static final int FREE_BYTES = 4 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(InputBudget.class);
  private static final long PART_MS = 5000;
  private static final int PARTS = 8;
  private static final int LOOKS_PER_PART = 5;

  /** Each who waits holds what one read brought, so their number has a limit too. */
  private static final int MAX_WAITING = 512;

  private final long maxBytes;
  private final long partMs;
  private final LongSupplier clock;
  private final Set<Lease> held = new HashSet<>();
  private final ArrayDeque<Lease> waiting = new ArrayDeque<>();
  private long usedBytes;
  private final SeldomLog full = new SeldomLog();

  /** A connection that wants to receive something large. Called on its event loop. */
  public interface Holder {
    /** The lease it waited for is granted. */
    void granted();

    /**
     * Others wait and its bytes do not come: it is to give the lease back.
     *
     * @return false if that is not the client's fault; its time begins anew then
     */
    boolean expired();
  }

  /** Leave to receive so many bytes. Belongs to the event loop that asked for it. */
  public final class Lease {
    private final EventExecutor loop;
    private final Holder holder;
    private boolean released;
    private int partsReceived;

    /** Written by its event loop, under the budget's lock. */
    private long bytes;

    /** Since when the next part is awaited; written by its event loop once it is granted. */
    private volatile long sinceNs;

    /** Guarded by the budget. */
    private boolean granted;

    private Lease(long bytes, EventExecutor loop, Holder holder) {
      this.bytes = bytes;
      this.loop = loop;
      this.holder = holder;
    }

    /** Whether there was room at once; if not, {@link Holder#granted} is called. */
    public boolean isGranted() {
      synchronized (InputBudget.this) {
        return granted;
      }
    }

    /** Gives it back, or ends the wait. Further calls do nothing. */
    public void release() {
      if (!released) {
        released = true;
        InputBudget.this.release(this);
      }
    }

    /** So many bytes have come by now. */
    public void received(long receivedBytes) {
      int parts = (int) Math.min(PARTS, PARTS * receivedBytes / Math.max(1, bytes));
      if (parts > partsReceived) {
        partsReceived = parts;
        sinceNs = clock.getAsLong();
      }
    }

    private boolean isExpired() {
      return clock.getAsLong() - sinceNs >= TimeUnit.MILLISECONDS.toNanos(partMs);
    }

    private void tellGranted() {
      if (!released) {
        holder.granted();
      }
    }

    private void tellExpired() {
      // Something may have come while this waited for its turn.
      if (!released && isExpired() && !holder.expired()) {
        sinceNs = clock.getAsLong();
      }
    }
  }

  /**
   * @param maxBytes for all leases together
   */
  public InputBudget(long maxBytes) {
    this(maxBytes, PART_MS, RunningTime::nowNs);
  }

  /**
   * @param partMs for each part of a lease while others wait
   * @param clock ns
   */
  InputBudget(long maxBytes, long partMs, LongSupplier clock) {
    this.maxBytes = maxBytes;
    this.partMs = partMs;
    this.clock = clock;
  }

  /**
   * Asks for a lease, to be released in the end.
   *
   * @param bytes more than the whole budget counts as the whole budget
   * @param loop of the connection; the caller is on it
   * @return null when too many wait already
   */
  public Lease request(long bytes, EventExecutor loop, Holder holder) {
    Lease lease = new Lease(Math.min(bytes, maxBytes), loop, holder);
    synchronized (this) {
      if (waiting.isEmpty() && usedBytes + lease.bytes <= maxBytes) {
        grant(lease);
        return lease;
      }
      if (waiting.size() >= MAX_WAITING) {
        return null;
      }
      waiting.add(lease);
      if (full.isDue()) {
        LOG.warn(
            "bodies being received take their {} bytes (max-input-bytes); more are read when"
                + " these are complete",
            maxBytes);
      }
    }
    checkLater(lease);
    return lease;
  }

  /**
   * Makes a granted lease larger, if there is room: its holder must not wait, as those who do might
   * wait for what it has.
   *
   * @param toBytes as for {@link #request}, more than the whole budget counts as the whole budget
   */
  public boolean tryGrow(Lease lease, long toBytes) {
    long bytes = Math.min(toBytes, maxBytes);
    synchronized (this) {
      if (!waiting.isEmpty() || usedBytes + bytes - lease.bytes > maxBytes) {
        return false;
      }
      usedBytes += bytes - lease.bytes;
      lease.bytes = bytes;
    }
    lease.partsReceived = 0;
    return true;
  }

  private void grant(Lease lease) {
    usedBytes += lease.bytes;
    lease.granted = true;
    lease.sinceNs = clock.getAsLong();
    held.add(lease);
  }

  private void release(Lease lease) {
    List<Lease> granted = new ArrayList<>();
    synchronized (this) {
      if (held.remove(lease)) {
        usedBytes -= lease.bytes;
      } else {
        waiting.remove(lease);
      }
      while (!waiting.isEmpty() && usedBytes + waiting.peek().bytes <= maxBytes) {
        Lease next = waiting.poll();
        grant(next);
        granted.add(next);
      }
    }
    for (Lease next : granted) {
      next.loop.execute(next::tellGranted);
    }
  }

  private void checkLater(Lease lease) {
    lease.loop.schedule(
        () -> check(lease), Math.max(1, partMs / LOOKS_PER_PART), TimeUnit.MILLISECONDS);
  }

  /** On behalf of one that has waited for a while. */
  private void check(Lease lease) {
    List<Lease> expired = new ArrayList<>();
    synchronized (this) {
      if (lease.released || lease.granted) {
        return;
      }
      if (waiting.peek() == lease) {
        for (Lease holding : held) {
          if (holding.isExpired()) {
            expired.add(holding);
          }
        }
      }
    }
    for (Lease one : expired) {
      one.loop.execute(one::tellExpired);
    }
    checkLater(lease);
  }

  /** Bytes of all leases at most. */
  public long limitBytes() {
    return maxBytes;
  }

  /** Bytes leased now. */
  public synchronized long usedBytes() {
    return usedBytes;
  }

  /** Connections that wait for a lease. */
  public synchronized int waiting() {
    return waiting.size();
  }
}
