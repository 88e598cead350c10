package io.holdfast.broker.limits;

import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory that all connections together take for commands and requests which have begun to
 * arrive. A large one is received only with a {@link Lease} over its whole size, so that whatever
 * was begun can also be ended. Who gets none at once waits in order, unread, until somebody is
 * done. While somebody waits, holders whose bytes come too slowly lose their connections.
 *
 * <p>Thread-safe; fields are guarded by this.
 */
public final class InputBudget {
  /** What a connection may hold without a lease, bytes. */
  public static final int FREE_BYTES = 4 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(InputBudget.class);

  /** While others wait, all bytes must have come within that time, at an even pace. */
  private static final long RECEIVE_MS = 5000;

  /** How often the pace is looked at; before, nobody is slow. */
  private static final int LOOKS = 5;

  /** Whose bytes come so slowly, as part of the pace, is hardly sending at all. */
  private static final double HOPELESS_PACE = 1.0 / 16;

  /** Each who waits holds what one read brought, so their number has a limit too. */
  private static final int MAX_WAITING = 512;

  private final long maxBytes;
  private final long receiveMs;

  /** In the order in which they were granted. */
  private final Set<Lease> held = new LinkedHashSet<>();

  private final ArrayDeque<Lease> waiting = new ArrayDeque<>();
  private long usedBytes;
  private final SeldomLog full = new SeldomLog();

  /** A connection that wants to receive something large. Called on its event loop. */
  public interface Holder {
    /** The lease it waited for is granted. */
    void granted();

    /**
     * Others wait: if less of its bytes has come by now, it is to give the lease back.
     *
     * @param part of the leased bytes, 0 to 1
     */
    void mustHave(double part);
  }

  /** Leave to receive so many bytes. Belongs to the event loop that asked for it. */
  public final class Lease {
    private final long bytes;
    private final EventExecutor loop;
    private final Holder holder;

    /** Guarded by the budget. */
    private long grantedNs;

    private boolean released;

    /** Of what the holder receives with it, 0 to 1. Written by its event loop. */
    private volatile double receivedPart;

    private Lease(long bytes, EventExecutor loop, Holder holder) {
      this.bytes = bytes;
      this.loop = loop;
      this.holder = holder;
    }

    /** Gives it back, or ends the wait. Further calls do nothing. */
    public void release() {
      if (!released) {
        released = true;
        InputBudget.this.release(this);
      }
    }

    /**
     * So much has come.
     *
     * @param part of all that the holder receives, 0 to 1
     */
    public void received(double part) {
      receivedPart = part;
    }

    private void tellGranted() {
      if (!released) {
        holder.granted();
      }
    }

    private void tellMustHave(double part) {
      if (!released) {
        holder.mustHave(part);
      }
    }
  }

  /**
   * @param lease to be released in the end; null when too many wait already
   * @param isGranted false when {@link Holder#granted} is still to be called
   */
  public record Answer(Lease lease, boolean isGranted) {}

  /**
   * @param maxBytes for all leases together
   */
  public InputBudget(long maxBytes) {
    this(maxBytes, RECEIVE_MS);
  }

  /**
   * @param receiveMs how long a lease may be held while others wait
   */
  InputBudget(long maxBytes, long receiveMs) {
    this.maxBytes = maxBytes;
    this.receiveMs = receiveMs;
  }

  /**
   * Asks for a lease.
   *
   * @param bytes more than the whole budget counts as the whole budget
   * @param loop of the connection; the caller is on it
   */
  public Answer request(long bytes, EventExecutor loop, Holder holder) {
    Lease lease = new Lease(Math.min(bytes, maxBytes), loop, holder);
    synchronized (this) {
      if (waiting.isEmpty() && usedBytes + lease.bytes <= maxBytes) {
        grant(lease);
        return new Answer(lease, true);
      }
      if (waiting.size() >= MAX_WAITING) {
        return new Answer(null, false);
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
    return new Answer(lease, false);
  }

  private void grant(Lease lease) {
    usedBytes += lease.bytes;
    lease.grantedNs = System.nanoTime();
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
    lease.loop.schedule(() -> check(lease), receiveMs / LOOKS, TimeUnit.MILLISECONDS);
  }

  /** On behalf of one that has waited for long. */
  private void check(Lease lease) {
    long receiveNs = TimeUnit.MILLISECONDS.toNanos(receiveMs);
    synchronized (this) {
      if (lease.released || held.contains(lease)) {
        return;
      }
      if (waiting.peek() == lease) {
        tellSlow(lease.bytes - (maxBytes - usedBytes), receiveNs);
      }
    }
    checkLater(lease);
  }

  /**
   * As many of the slow, slowest first, as the next one needs to give way: under honest load all
   * may be slow, and if all lost what has come, nobody would ever be done. Those of whom next to
   * nothing comes give way in any case. Under the lock.
   */
  private void tellSlow(long neededBytes, long receiveNs) {
    long nowNs = System.nanoTime();
    record Slow(Lease lease, double part, double pace) {}
    List<Slow> slow = new ArrayList<>();
    for (Lease holding : held) {
      long ageNs = nowNs - holding.grantedNs;
      if (ageNs < receiveNs / LOOKS) {
        break;
      }
      double part = Math.min(1.0, (double) ageNs / receiveNs);
      double pace = holding.receivedPart / part;
      if (pace < 1) {
        slow.add(new Slow(holding, part, pace));
      }
    }
    slow.sort(Comparator.comparingDouble(Slow::pace));
    long toldBytes = 0;
    for (Slow one : slow) {
      if (toldBytes >= neededBytes && one.pace() >= HOPELESS_PACE) {
        break;
      }
      toldBytes += one.lease().bytes;
      one.lease().loop.execute(() -> one.lease().tellMustHave(one.part()));
    }
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
