package io.holdfast.broker.wire;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Heartbeats and deadlines of one connection (contract §1.5): a heartbeat each interval; the
 * connection is closed when no command was complete for two intervals while it was read from, or
 * when the client has not taken what it was sent for one. What is counted is time in which this
 * process ran: one that was stopped and continued, or had no processor, first looks at what clients
 * have sent and taken meanwhile.
 *
 * <p>Owned by the connection's event loop.
 */
final class ConnectionTimers {
  private static final byte[] HEARTBEAT = FrameEncoder.ascii("_heartbeat_");

  /** Some turns of an event loop, in which it reads and writes what it can. */
  private static final long HEARING_NS = TimeUnit.MILLISECONDS.toNanos(20);

  private final ChannelHandlerContext ctx;
  private final ClientOutput output;
  private final ConnectionLog log;
  private ScheduledFuture<?> heartbeat;
  private ScheduledFuture<?> deadline;
  private long intervalNs;
  private long lastCommandNs;

  /** Whether one has come since the clock was looked at. */
  private boolean isHeard;

  private long beatDueNs;
  private long deadlineDueNs;

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
    beginWait();
    if (intervalMs <= 0) {
      return;
    }
    intervalNs = TimeUnit.MILLISECONDS.toNanos(intervalMs);
    scheduleBeat(intervalNs);
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
    isHeard = true;
  }

  /** The bytes of one read were taken: one look at the clock for all their commands. */
  void readComplete() {
    if (isHeard) {
      isHeard = false;
      beginWait();
    }
  }

  /** The time that a client has for its next command begins now. */
  void beginWait() {
    lastCommandNs = System.nanoTime();
  }

  void writable(boolean isWritable) {
    if (isWritable) {
      stuckSinceNs = 0;
    } else if (stuckSinceNs == 0) {
      stuckSinceNs = Math.max(1, System.nanoTime());
    }
  }

  private void scheduleBeat(long delayNs) {
    beatDueNs = System.nanoTime() + delayNs;
    heartbeat = ctx.executor().schedule(this::beat, delayNs, TimeUnit.NANOSECONDS);
  }

  private void beat() {
    long lateNs = System.nanoTime() - beatDueNs;
    // Heartbeats that were missed are not made up for.
    scheduleBeat(intervalNs - lateNs % intervalNs);
    if (stuckSinceNs == 0) {
      output.outOfOrder(HEARTBEAT);
      output.flush();
      return;
    }
    // A client that takes nothing gets nothing more.
    if (wasHeldUp(lateNs)) {
      stuckSinceNs = System.nanoTime();
    } else if (isStuck()) {
      hear(this::decideIfStuck);
    }
  }

  private void decideIfStuck() {
    if (isStuck() && heartbeat != null) {
      close("took nothing of its output for a heartbeat interval");
    }
  }

  private boolean isStuck() {
    return stuckSinceNs != 0 && System.nanoTime() - stuckSinceNs >= intervalNs;
  }

  private void scheduleDeadline(long delayNs) {
    deadlineDueNs = System.nanoTime() + delayNs;
    deadline = ctx.executor().schedule(this::checkDeadline, delayNs, TimeUnit.NANOSECONDS);
  }

  private void checkDeadline() {
    if (!ctx.channel().config().isAutoRead()) {
      // It cannot be heard; its time begins when it can.
      scheduleDeadline(2 * intervalNs);
    } else if (leftNs() > 0) {
      scheduleDeadline(leftNs());
    } else if (wasHeldUp(System.nanoTime() - deadlineDueNs)) {
      beginWait();
      scheduleDeadline(2 * intervalNs);
    } else {
      deadline = hear(this::decide);
    }
  }

  private void decide() {
    if (leftNs() <= 0 && ctx.channel().config().isAutoRead()) {
      close("no command for two heartbeat intervals");
    } else {
      scheduleDeadline(Math.max(leftNs(), HEARING_NS));
    }
  }

  private long leftNs() {
    return lastCommandNs + 2 * intervalNs - System.nanoTime();
  }

  /** Whether a timer is so late that no client could have had its turn. */
  private boolean wasHeldUp(long lateNs) {
    return lateNs > intervalNs / 2;
  }

  /** Has what the socket holds looked at before a client is judged. */
  private ScheduledFuture<?> hear(Runnable then) {
    return ctx.executor().schedule(then, HEARING_NS, TimeUnit.NANOSECONDS);
  }

  private void close(String why) {
    log.closing(why);
    ctx.close();
  }
}
