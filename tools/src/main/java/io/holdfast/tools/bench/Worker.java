package io.holdfast.tools.bench;

import io.holdfast.tools.ToolException;
import io.holdfast.tools.client.NsqConnection;
import java.io.IOException;
import org.HdrHistogram.Histogram;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection with its thread, counters and latencies. */
abstract class Worker implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(Worker.class);
  private static final long MAX_LATENCY_NS = 3_600_000_000_000L;

  /** The connection; its reading thread is this worker's. */
  protected final NsqConnection conn;

  /** Shared by all workers of the run. */
  protected final Schedule schedule;

  /** What came through. */
  protected final Tally tally = new Tally();

  // Owned by the worker's thread until it ended.
  private final Histogram latency = new Histogram(100, MAX_LATENCY_NS, 3);

  private volatile boolean closing;
  private volatile String failure;
  private Thread thread;

  Worker(NsqConnection conn, Schedule schedule) {
    this.conn = conn;
    this.schedule = schedule;
  }

  /** The work. Returns when done; an exception after {@link #close} is the end, not a failure. */
  abstract void work() throws IOException;

  @Override
  public final void run() {
    try {
      work();
    } catch (IOException | RuntimeException e) {
      if (!closing) {
        failure = conn.address() + ": " + ToolException.describe(e);
        schedule.stop();
      }
    }
  }

  /** Starts the thread. */
  void start(String name) {
    thread = new Thread(this, name);
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Waits for the thread.
   *
   * @param millis longest wait
   * @return whether it ended
   */
  boolean join(long millis) throws InterruptedException {
    thread.join(Math.max(1, millis));
    return !thread.isAlive();
  }

  boolean running() {
    return thread.isAlive();
  }

  /** Closes the connection; ends the thread if it still waits for the broker. */
  void close() {
    closing = true;
    try {
      conn.close();
    } catch (IOException e) {
      log.debug("closing {}", conn.address(), e);
    }
  }

  /**
   * Ends a worker that waits for the broker in vain.
   *
   * @param why becomes its failure, unless it has one
   */
  void giveUp(String why) {
    close();
    if (failure == null) {
      failure = conn.address() + ": " + why;
    }
  }

  /** Records a latency in ns. A clock that seems to run backwards counts as zero. */
  protected final void record(long nanos) {
    latency.recordValue(Math.max(0, Math.min(nanos, MAX_LATENCY_NS)));
  }

  Tally tally() {
    return tally;
  }

  /** Only after the thread has ended. */
  Histogram latency() {
    return latency;
  }

  /** Null while nothing has gone wrong. */
  String failure() {
    return failure;
  }
}
