package io.holdfast.broker.protocol;

import io.holdfast.broker.client.ClientOutput;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Heartbeats and deadlines of one connection (contract §1.5): a heartbeat each interval; the
 * connection is closed when no command was complete for two intervals while it was read from, or
 * when the client has not taken what it was sent for one.
 *
 * <p>Owned by the connection's event loop.
 */
final class ConnectionTimers {
  private static final byte[] HEARTBEAT = FrameEncoder.ascii("_heartbeat_");

  private final ChannelHandlerContext ctx;
  private final ClientOutput output;
  private final ConnectionLog log;
  private ScheduledFuture<?> heartbeat;
  private ScheduledFuture<?> deadline;
  private long intervalNs;
  private long lastCommandNs;

  /** Since when the client takes nothing; 0 while it does. */
  private long stuckSinceNs;

  ConnectionTimers(ChannelHandlerContext ctx, ClientOutput output, ConnectionLog log) {
    this.ctx = ctx;
    this.log = log;
    this.output = output;
  }

  /**
   * Begins anew.
   *
   * @param intervalMs negative for neither heartbeats nor deadlines
   */
  void start(long intervalMs) {
    stop();
    lastCommandNs = System.nanoTime();
    if (intervalMs <= 0) {
      return;
    }
    intervalNs = TimeUnit.MILLISECONDS.toNanos(intervalMs);
    heartbeat =
        ctx.executor()
            .scheduleAtFixedRate(this::beat, intervalNs, intervalNs, TimeUnit.NANOSECONDS);
    scheduleDeadline(2 * intervalNs);
  }

  /** Closes the connection after a while, unless it is closed before. */
  void closeAfter(long ms) {
    stop();
    deadline = ctx.executor().schedule(() -> ctx.close(), ms, TimeUnit.MILLISECONDS);
  }

  void stop() {
    if (heartbeat != null) {
      heartbeat.cancel(false);
      heartbeat = null;
    }
    if (deadline != null) {
      deadline.cancel(false);
      deadline = null;
    }
  }

  /** A command line has come. */
  void commandRead() {
    lastCommandNs = System.nanoTime();
  }

  void writable(boolean isWritable) {
    if (isWritable) {
      stuckSinceNs = 0;
    } else if (stuckSinceNs == 0) {
      stuckSinceNs = Math.max(1, System.nanoTime());
    }
  }

  private void beat() {
    if (stuckSinceNs != 0) {
      if (System.nanoTime() - stuckSinceNs >= intervalNs) {
        log.closing("took nothing of its output for a heartbeat interval");
        ctx.close();
      }
      // A client that takes nothing gets nothing more.
      return;
    }
    output.outOfOrder(HEARTBEAT);
    output.flush();
  }

  private void scheduleDeadline(long delayNs) {
    deadline = ctx.executor().schedule(this::checkDeadline, delayNs, TimeUnit.NANOSECONDS);
  }

  private void checkDeadline() {
    long leftNs = lastCommandNs + 2 * intervalNs - System.nanoTime();
    if (!ctx.channel().config().isAutoRead()) {
      // It cannot be heard; its time begins when it can.
      scheduleDeadline(2 * intervalNs);
    } else if (leftNs <= 0) {
      log.closing("no command for two heartbeat intervals");
      ctx.close();
    } else {
      scheduleDeadline(leftNs);
    }
  }
}
