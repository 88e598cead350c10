package io.holdfast.broker.http;

import io.holdfast.broker.limits.InputBudget;
import io.netty.util.concurrent.EventExecutor;
import java.util.function.LongConsumer;

/**
 * One HTTP connection's share of what the broker receives at a time: room for the whole of a
 * request's body. Owned by the connection's event loop.
 */
final class BodyRoom implements InputBudget.Holder {
  /** What became of a claim. */
  enum Claim {
    GRANTED,
    /** It will be granted later. */
    WAITING,
    /** Too many wait already. */
    REFUSED
  }

  private final InputBudget budget;
  private final Runnable onGranted;
  private final LongConsumer mustHaveBytes;
  private InputBudget.Lease lease;

  /** Of a body that turned out larger. */
  private InputBudget.Lease more;

  private long bytes;

  /**
   * @param onGranted run when a claim that waited is granted
   * @param mustHaveBytes told how much of the body must have come, because others wait
   */
  BodyRoom(InputBudget budget, Runnable onGranted, LongConsumer mustHaveBytes) {
    this.budget = budget;
    this.onGranted = onGranted;
    this.mustHaveBytes = mustHaveBytes;
  }

  Claim claim(long bodyBytes, EventExecutor loop) {
    bytes = bodyBytes;
    if (bytes <= InputBudget.FREE_BYTES) {
      return Claim.GRANTED;
    }
    InputBudget.Answer answer = budget.request(bytes, loop, this);
    lease = answer.lease();
    if (lease == null) {
      return Claim.REFUSED;
    }
    return answer.isGranted() ? Claim.GRANTED : Claim.WAITING;
  }

  /**
   * Claims room for a body that turns out larger than what was claimed for it.
   *
   * @return false when there is none now: who has some must not wait for more, as those before it
   *     might wait for what it has
   */
  boolean claimMore(long bodyBytes, EventExecutor loop) {
    InputBudget.Answer answer = budget.request(bodyBytes - bytes, loop, this);
    if (answer.lease() == null || !answer.isGranted()) {
      if (answer.lease() != null) {
        answer.lease().release();
      }
      return false;
    }
    more = answer.lease();
    bytes = bodyBytes;
    return true;
  }

  /** So much of the body is there now. */
  void received(long bodyBytes) {
    if (lease != null) {
      double part = Math.min(1.0, (double) bodyBytes / bytes);
      lease.received(part);
      if (more != null) {
        more.received(part);
      }
    }
  }

  void release() {
    if (more != null) {
      more.release();
      more = null;
    }
    if (lease != null) {
      lease.release();
      lease = null;
    }
  }

  @Override
  public void granted() {
    onGranted.run();
  }

  @Override
  public void mustHave(double part) {
    mustHaveBytes.accept((long) (part * bytes));
  }
}
