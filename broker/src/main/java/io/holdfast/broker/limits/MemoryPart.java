package io.holdfast.broker.limits;

import java.util.concurrent.atomic.AtomicLong;

/**
 * One part of the {@link MemoryBudget}: so many bytes at most, as their users estimate them. Those
 * who use it often do so by a {@link MemoryShare}. Thread-safe.
 */
public final class MemoryPart {
  private final long limitBytes;

  /** What of it somebody else has for now. */
  private volatile long lentBytes;

  private final AtomicLong usedBytes = new AtomicLong();

  /**
   * @param limitBytes not negative
   */
  public MemoryPart(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  /** Takes so many bytes, or none and false when there are fewer left. */
  public boolean tryReserve(long bytes) {
    if (usedBytes.get() + bytes > limitBytes()) {
      return false;
    }
    if (usedBytes.addAndGet(bytes) > limitBytes()) {
      usedBytes.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  /** Takes so many bytes also beyond the limit: for what is there already, or must go on. */
  public void reserve(long bytes) {
    usedBytes.addAndGet(bytes);
  }

  /** Gives back what was taken. */
  public void release(long bytes) {
    usedBytes.addAndGet(-bytes);
  }

  /** Bytes there are to take. */
  public long limitBytes() {
    return limitBytes - lentBytes;
  }

  /** Of the limit so much is not there to be taken, until this is said again. */
  void lend(long bytes) {
    lentBytes = bytes;
  }

  /** The limit while nothing is lent. */
  long ownBytes() {
    return limitBytes;
  }

  /** Bytes taken now; more than the limit after {@link #reserve}. */
  public long usedBytes() {
    return usedBytes.get();
  }
}
