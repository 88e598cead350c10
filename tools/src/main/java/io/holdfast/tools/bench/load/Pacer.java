package io.holdfast.tools.bench.load;

import io.holdfast.tools.ToolException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends each command when it is due, whether or not the broker keeps up. A thread of its own; the
 * loop's thread reads the answers.
 */
final class Pacer implements Runnable {
  private final List<LoadPublisher> publishers;
  private final double intervalNs;
  private final double lengthNs;
  private final int batch;

  private volatile boolean stop;
  private volatile boolean done;
  private volatile String failure;
  private volatile long sentMessages;

  /** Set before the thread starts. */
  private long startNs;

  /**
   * @param intervalNs between two commands, all connections together
   * @param lengthNs of the whole
   */
  Pacer(List<LoadPublisher> publishers, double intervalNs, double lengthNs, int batch) {
    this.publishers = publishers;
    this.intervalNs = intervalNs;
    this.lengthNs = lengthNs;
    this.batch = batch;
  }

  void start(long nowNs) {
    startNs = nowNs;
    Thread thread = new Thread(this, "pacer");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void run() {
    try {
      long command = 0;
      while (!stop && command * intervalNs < lengthNs) {
        long dueNs = startNs + (long) (command * intervalNs);
        long waitNs = dueNs - System.nanoTime();
        if (waitNs > 0) {
          LockSupport.parkNanos(waitNs);
        } else {
          publishers.get((int) (command % publishers.size())).sendDue(dueNs);
          command++;
          sentMessages = command * batch;
        }
      }
    } catch (java.io.IOException e) {
      failure = ToolException.describe(e);
    }
    done = true;
  }

  /** When the n-th command of a publisher was due. */
  long dueNs(LoadPublisher publisher, long n) {
    long command = n * publishers.size() + publishers.indexOf(publisher);
    return startNs + (long) (command * intervalNs);
  }

  void stop() {
    stop = true;
  }

  /** Whether it sends nothing any more. */
  boolean isDone() {
    return done;
  }

  /** Messages sent so far. */
  long sentMessages() {
    return sentMessages;
  }

  /** Null while nothing has gone wrong. */
  String failure() {
    return failure;
  }
}
