package io.holdfast.tools.bench;

import io.holdfast.tools.ToolException;
import io.holdfast.tools.client.CommandBuffer;
import io.holdfast.tools.client.NsqConnection;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes at a fixed rate whether or not the broker keeps up. Every message carries the time at
 * which it was due, and latencies count from there, so that a stall shows in every message it
 * delayed (no coordinated omission). Two threads: the worker's reads the OKs, another writes.
 */
final class OpenLoopPublisher extends Worker {
  private static final Logger log = LoggerFactory.getLogger(OpenLoopPublisher.class);
  private static final int MAX_WRITE = 64 << 10;

  /** How long the last OKs may take. */
  private static final long LAST_OK_NS = 5_000_000_000L;

  private final List<PubTemplate> templates;
  private final double intervalNs;
  private final double phaseNs;
  private final long maxCommands;

  // Written by the writing thread, read by the reading one.
  private volatile long sent;
  private volatile boolean allSent;
  private volatile String writeFailure;

  /**
   * @param intervalNs time between two commands of this connection
   * @param phaseNs its first command's time after the start
   * @param maxCommands commands to send; {@link Long#MAX_VALUE} = until the time is over
   */
  OpenLoopPublisher(
      NsqConnection conn,
      Schedule schedule,
      List<PubTemplate> templates,
      double intervalNs,
      double phaseNs,
      long maxCommands) {
    super(conn, schedule);
    this.templates = templates;
    this.intervalNs = intervalNs;
    this.phaseNs = phaseNs;
    this.maxCommands = maxCommands;
  }

  private long intendedNs(long command) {
    return schedule.startNs() + (long) (phaseNs + command * intervalNs);
  }

  @Override
  void work() throws IOException {
    Thread writer = new Thread(this::write, Thread.currentThread().getName() + "-writer");
    writer.setDaemon(true);
    writer.start();
    long acked = 0;
    try {
      while (!(allSent && acked == sent)) {
        conn.readOk();
        long nowNs = System.nanoTime();
        do {
          long intendedNs = intendedNs(acked);
          boolean measured = schedule.measures(intendedNs);
          if (measured) {
            record(nowNs - intendedNs);
          }
          tally.add(templates.get((int) (acked % templates.size())).messages(), measured, nowNs);
          acked++;
          if (!conn.frameBuffered()) {
            break;
          }
          conn.readOk();
        } while (true);
      }
    } catch (IOException e) {
      if (writeFailure != null) {
        throw new IOException(writeFailure, e);
      }
      if (allSent && acked < sent) {
        throw new IOException((sent - acked) + " commands not answered: " + e.getMessage(), e);
      }
      if (!allSent) {
        throw e;
      }
    }
  }

  private void write() {
    try {
      writeOnTime();
      allSent = true;
      // The reader may wait for a frame that will never come: all OKs were there before it knew.
      long giveUpNs = System.nanoTime() + LAST_OK_NS;
      while (running() && tally.all() < sentMessages() && System.nanoTime() - giveUpNs < 0) {
        LockSupport.parkNanos(1_000_000);
      }
      conn.close();
    } catch (IOException e) {
      writeFailure = ToolException.describe(e);
      breakOff();
    }
  }

  /** Wakes the reading thread, which reports the failure. */
  private void breakOff() {
    try {
      conn.close();
    } catch (IOException e) {
      log.debug("closing {}", conn.address(), e);
    }
  }

  private long sentMessages() {
    return sent * templates.get(0).messages();
  }

  private void writeOnTime() throws IOException {
    CommandBuffer out = new CommandBuffer(2 * MAX_WRITE);
    long command = 0;
    while (command < maxCommands) {
      long dueNs = intendedNs(command);
      long nowNs = System.nanoTime();
      if (schedule.over(nowNs)) {
        return;
      }
      if (dueNs - nowNs > 0) {
        LockSupport.parkNanos(dueNs - nowNs);
        continue;
      }
      do {
        PubTemplate template = templates.get((int) (command % templates.size()));
        template.stamp(dueNs, command * template.messages());
        out.raw(template.bytes(), 0, template.length());
        command++;
        dueNs = intendedNs(command);
      } while (dueNs - nowNs <= 0 && command < maxCommands && out.length() < MAX_WRITE);
      sent = command; // Before the write: the OK must not come first.
      conn.send(out);
    }
  }
}
