package io.holdfast.broker.client;

import io.holdfast.broker.memory.OutputBudget;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.TimeUnit;

/**
 * What one client has not taken yet of what was flushed to it, as part of what all of them have
 * not. Looked at after each flush, and while there is much of it every few ms. A client that takes
 * next to nothing while memory is tight loses its connection.
 *
 * <p>Owned by the connection's event loop.
 */
final class PendingOutput {
  /** Less is not worth counting: a socket takes it soon, or nothing more comes. */
  private static final long FREE_BYTES = 4 * 1024;

  private static final long LOOK_MS = 20;
  private static final long SLOW_NS = TimeUnit.SECONDS.toNanos(5);

  /** What a client must at least take in that time. */
  private static final long PROGRESS_BYTES = 64 * 1024;

  private final ChannelHandlerContext ctx;
  private final OutputBudget budget;
  private final Runnable onChange;
  private long countedBytes;
  private boolean looking;
  private boolean wasHeld;
  private boolean released;
  private long slowSinceNs;
  private long slowFromBytes;

  /**
   * @param onChange run when {@link #mustWait} changed by itself
   */
  PendingOutput(ChannelHandlerContext ctx, OutputBudget budget, Runnable onChange) {
    this.ctx = ctx;
    this.budget = budget;
    this.onChange = onChange;
  }

  /** Whether the client must wait for others; if so, it will be told when that is over. */
  boolean mustWait() {
    if (isHeld()) {
      wasHeld = true;
      lookLater();
      return true;
    }
    return false;
  }

  private boolean isHeld() {
    return countedBytes > 0 && budget.isTight() || budget.isFull();
  }

  /** Something was flushed. */
  void flushed() {
    count();
    if (isHeld() != wasHeld) {
      changed();
    }
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
    if (isHeld() != wasHeld) {
      changed();
    }
    if (countedBytes > 0 && budget.isTight()) {
      checkProgress();
    } else {
      slowSinceNs = 0;
    }
    if (countedBytes > 0 || wasHeld) {
      lookLater();
    }
  }

  private void checkProgress() {
    long nowNs = System.nanoTime();
    if (slowSinceNs == 0 || slowFromBytes - countedBytes >= PROGRESS_BYTES) {
      slowSinceNs = Math.max(1, nowNs);
      slowFromBytes = countedBytes;
    } else if (nowNs - slowSinceNs > SLOW_NS) {
      ctx.close();
    }
  }

  private void changed() {
    wasHeld = isHeld();
    onChange.run();
    if (wasHeld) {
      lookLater();
    }
  }

  private void count() {
    ChannelOutboundBuffer buffer = ctx.channel().unsafe().outboundBuffer();
    long bytes = buffer == null || released ? 0 : buffer.totalPendingWriteBytes();
    if (bytes <= FREE_BYTES) {
      bytes = 0;
    }
    if (bytes != countedBytes) {
      budget.add(bytes - countedBytes);
      countedBytes = bytes;
    }
  }

  /** The connection is closed: what it had waiting is gone. */
  void release() {
    released = true;
    count();
  }
}
