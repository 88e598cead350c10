package io.holdfast.broker.wire;

import io.holdfast.broker.limits.OutputBudget;
import io.holdfast.broker.limits.RunningTime;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What one client has not taken yet of what was flushed to it, as part of what all of them have
 * not. Looked at after each flush, and while there is some of it every few ms. Who has more than
 * its share gets no more messages. Only when the memory for all of them is full, the larger ones of
 * those clients that take nothing at all lose their connections.
 *
 * <p>Owned by the connection's event loop.
 */
final class PendingOutput {
  /** Less is not worth counting: a socket takes it soon, or nothing more comes. */
  private static final long FREE_BYTES = 4 * 1024;

  private static final long LOOK_MS = 20;

  /**
   * As long as a heartbeat interval is by default. Not less: what a slow client takes is seen only
   * when the socket's buffer, which may be megabytes, has room again.
   */
  private static final long STUCK_NS = TimeUnit.SECONDS.toNanos(30);

  /** What the client must do without. */
  private enum Hold {
    NONE,
    DELIVERY,
    /** Its replies are what fills the memory: no more commands of it are read either. */
    READING
  }

  private final ChannelHandlerContext ctx;
  private final OutputBudget budget;
  private final Runnable onChange;
  private final long stuckNs;
  private final LongSupplier clock;
  private long countedBytes;
  private boolean looking;
  private Hold noticed = Hold.NONE;
  private boolean released;

  /** Whether something waits of which the client has taken nothing, and since when. */
  private boolean stuck;

  private long stuckSinceNs;

  private long stuckAtBytes;
  private long stuckAtProgress;

  /**
   * @param onChange run when {@link #mayDeliver} or {@link #mayRead} changed by itself
   */
  PendingOutput(ChannelHandlerContext ctx, OutputBudget budget, Runnable onChange) {
    this(ctx, budget, onChange, STUCK_NS, RunningTime::nowNs);
  }

  /**
   * @param stuckNs who takes nothing for so long while memory is full may be closed
   * @param clock ns
   */
  PendingOutput(
      ChannelHandlerContext ctx,
      OutputBudget budget,
      Runnable onChange,
      long stuckNs,
      LongSupplier clock) {
    this.ctx = ctx;
    this.budget = budget;
    this.onChange = onChange;
    this.stuckNs = stuckNs;
    this.clock = clock;
  }

  /** Whether the client may be sent messages; if not, it will be told when that changes. */
  boolean mayDeliver() {
    Hold hold = hold();
    if (hold != Hold.NONE) {
      if (noticed == Hold.NONE) {
        noticed = Hold.DELIVERY;
      }
      lookLater();
    }
    return hold == Hold.NONE;
  }

  /** Whether commands may be read, which have replies; if not, as {@link #mayDeliver}. */
  boolean mayRead() {
    if (hold() == Hold.READING) {
      noticed = Hold.READING;
      lookLater();
      return false;
    }
    return true;
  }

  private Hold hold() {
    boolean isLarge = countedBytes > budget.shareBytes();
    if (budget.isFull()) {
      return isLarge ? Hold.READING : Hold.DELIVERY;
    }
    return isLarge ? Hold.DELIVERY : Hold.NONE;
  }

  /** Something was flushed. */
  void flushed() {
    count();
    noticeChange();
    if (countedBytes > 0) {
      lookLater();
    }
  }

  private void lookLater() {
    if (!looking && !released) {
      looking = true;
      ctx.executor().schedule(this::look, LOOK_MS, TimeUnit.MILLISECONDS);
    }
  }

  private void look() {
    looking = false;
    if (released) {
      return;
    }
    count();
    noticeChange();
    if (countedBytes > 0) {
      checkProgress();
    } else {
      stuck = false;
    }
    if (countedBytes > 0 || noticed != Hold.NONE) {
      lookLater();
    }
  }

  private void noticeChange() {
    Hold hold = hold();
    if (hold != noticed) {
      noticed = hold;
      onChange.run();
    }
  }

  private void checkProgress() {
    long nowNs = clock.getAsLong();
    ChannelOutboundBuffer buffer = ctx.channel().unsafe().outboundBuffer();
    // Of the buffer that is being written; the number of bytes waiting does not show it.
    long progress = buffer == null ? 0 : buffer.currentProgress();
    if (!stuck || countedBytes < stuckAtBytes || progress != stuckAtProgress) {
      stuck = true;
      stuckSinceNs = nowNs;
      stuckAtProgress = progress;
    } else if (nowNs - stuckSinceNs > stuckNs
        && budget.isFull()
        && countedBytes >= budget.averageBytes()) {
      // At once, so that the next one who looks may find room.
      release();
      ctx.close();
    }
    stuckAtBytes = countedBytes;
  }

  private void count() {
    ChannelOutboundBuffer buffer = ctx.channel().unsafe().outboundBuffer();
    long bytes = buffer == null || released ? 0 : buffer.totalPendingWriteBytes();
    if (bytes <= FREE_BYTES) {
      bytes = 0;
    }
    if (bytes != countedBytes) {
      budget.change(countedBytes, bytes);
      countedBytes = bytes;
    }
  }

  /** The connection is closed: what it had waiting is gone. */
  void release() {
    released = true;
    count();
  }
}
