package io.holdfast.broker.limits;

import io.netty.util.concurrent.EventExecutor;
import java.util.function.BooleanSupplier;

/**
 * One connection's share of the {@link InputBudget}: the room for the command or request body that
 * is arriving.
 *
 * <p>Owned by the connection's event loop.
 */
public final class InputRoom implements InputBudget.Holder {
  /** What became of a claim. */
  public enum Claim {
    GRANTED,
    /** It will be granted later. */
    WAITING,
    /** Too many wait already. */
    REFUSED
  }

  private final InputBudget budget;
  private final EventExecutor loop;
  private final Runnable onGranted;
  private final BooleanSupplier onExpired;
  private InputBudget.Lease lease;

  private long claimedBytes;
  private boolean waiting;

  /**
   * @param loop of the connection
   * @param onGranted run when a claim that waited is granted
   * @param onExpired see {@link InputBudget.Holder#expired}
   */
  public InputRoom(
      InputBudget budget, EventExecutor loop, Runnable onGranted, BooleanSupplier onExpired) {
    this.budget = budget;
    this.loop = loop;
    this.onGranted = onGranted;
    this.onExpired = onExpired;
  }

  /** Claims room for so many bytes, of which few need none. Nothing is claimed yet. */
  public Claim claim(long bytes) {
    claimedBytes = bytes;
    if (bytes <= InputBudget.FREE_BYTES) {
      return Claim.GRANTED;
    }
    lease = budget.request(bytes, loop, this);
    if (lease == null) {
      return Claim.REFUSED;
    }
    waiting = !lease.isGranted();
    return waiting ? Claim.WAITING : Claim.GRANTED;
  }

  /**
   * Claims room for so many bytes where fewer have been claimed; never waits.
   *
   * @return false when there is no room
   */
  public boolean claimMore(long bytes) {
    if (lease == null) {
      if (claim(bytes) != Claim.GRANTED) {
        release();
      }
      return lease != null;
    }
    if (!budget.tryGrow(lease, bytes)) {
      return false;
    }
    claimedBytes = bytes;
    return true;
  }

  /** What was claimed last, 0 for nothing. */
  public long claimedBytes() {
    return claimedBytes;
  }

  /** Whether a claim is still to be granted. */
  public boolean isWaiting() {
    return waiting;
  }

  /** Whether there is a lease, or one is waited for. */
  public boolean isHeld() {
    return lease != null;
  }

  /** So many bytes are there now, of what was claimed and maybe what follows it. */
  public void received(long bytes) {
    if (lease != null && !waiting) {
      lease.received(bytes);
    }
  }

  /** What was claimed is done, or will never be. */
  public void release() {
    if (lease != null) {
      lease.release();
      lease = null;
    }
    claimedBytes = 0;
    waiting = false;
  }

  @Override
  public void granted() {
    waiting = false;
    onGranted.run();
  }

  @Override
  public boolean expired() {
    return onExpired.getAsBoolean();
  }
}
