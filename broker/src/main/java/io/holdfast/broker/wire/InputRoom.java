package io.holdfast.broker.wire;

import io.holdfast.broker.limits.InputBudget;
import io.netty.util.concurrent.EventExecutor;

/**
 * One connection's share of what the broker receives at a time. A command that is not complete
 * claims the room for all of it before more of it is read.
 *
 * <p>Owned by the connection's event loop.
 */
final class InputRoom implements InputBudget.Holder {
  /** What one read can bring beyond the command, and what buffers are rounded up by. */
  static final int SLACK_BYTES = 64 * 1024;

  private final InputBudget budget;
  private final ProtocolV2Decoder decoder;
  private EventExecutor loop;
  private InputBudget.Lease lease;

  /** Of a command that turned out larger than it said. */
  private InputBudget.Lease more;

  private long claimedBytes;
  private boolean waiting;

  InputRoom(InputBudget budget, ProtocolV2Decoder decoder) {
    this.budget = budget;
    this.decoder = decoder;
  }

  void start(EventExecutor eventLoop) {
    loop = eventLoop;
  }

  /** What is charged for a command of so many bytes. */
  private static long charge(long bytes) {
    return bytes + Math.min(bytes, SLACK_BYTES);
  }

  /**
   * Claims room for a command.
   *
   * @param bytes it is known to have so far
   * @param atMost it can have; claimed at once if it has already turned out larger than it said
   * @return false when the connection has to wait; it is suspended then
   * @throws ClientException when too many wait
   */
  boolean claim(long bytes, long atMost) throws ClientException {
    if (waiting) {
      return false;
    }
    if (bytes <= Math.max(claimedBytes, InputBudget.FREE_BYTES)) {
      return true;
    }
    long wanted = lease == null ? bytes : Math.max(bytes, atMost);
    InputBudget.Answer answer =
        budget.request(charge(wanted) - (lease == null ? 0 : charge(claimedBytes)), loop, this);
    if (answer.lease() == null) {
      throw decoder.noRoom();
    }
    claimedBytes = wanted;
    if (lease == null) {
      lease = answer.lease();
    } else {
      more = answer.lease();
    }
    if (!answer.isGranted()) {
      waiting = true;
      decoder.waitForRoom();
    }
    return !waiting;
  }

  boolean isWaiting() {
    return waiting;
  }

  boolean isHeld() {
    return lease != null;
  }

  /** So many bytes are there now, of the command and maybe what follows it. */
  void received(long bytes) {
    if (lease != null) {
      double part = Math.min(1.0, (double) bytes / claimedBytes);
      lease.received(part);
      if (more != null) {
        more.received(part);
      }
    }
  }

  /** What may be held: what was granted, and otherwise what few reads bring. */
  long mayHoldBytes() {
    return (lease == null || waiting ? 0 : claimedBytes) + 2 * SLACK_BYTES;
  }

  /** The command is done, or will never be. */
  void release() {
    if (lease != null) {
      lease.release();
      lease = null;
      claimedBytes = 0;
      waiting = false;
      if (more != null) {
        more.release();
        more = null;
      }
    }
  }

  @Override
  public void granted() {
    waiting = false;
    decoder.roomGranted();
  }

  @Override
  public void mustHave(double part) {
    if (!waiting || more != null) {
      decoder.mustHave((long) (part * claimedBytes));
    }
  }
}
