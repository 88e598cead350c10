package io.holdfast.tools.bench.load;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends each command when it is due, whether or not the broker keeps up; what is due already goes
 * out in one write. A thread of its own; the loop's thread reads the answers.
 */
final class Pacer implements Runnable {
  /** A broker that does not keep up gets no more so long after the end. */
  private static final long LATE_NS = 1_000_000_000L;

  private final List<LoadPublisher> publishers;
  private final double intervalNs;
  private final long startNs;
  private final double lengthNs;
  private final long maxCommands;
  private final Thread thread = new Thread(this, "pacer");

  private volatile boolean stop;
  private volatile boolean done;
  private volatile IOException failure;

  /** Which publisher it sends by, or failed to; written before {@link #failure}. */
  private LoadPublisher current;

  /**
   * @param intervalNs between two commands, all connections together
   * @param startNs when the first one is due
   * @param lengthNs of the whole; infinite for no end
   * @param maxCommands ends it, too
   */
  Pacer(
      List<LoadPublisher> publishers,
      double intervalNs,
      long startNs,
      double lengthNs,
      long maxCommands) {
    this.publishers = publishers;
    this.intervalNs = intervalNs;
    this.startNs = startNs;
    this.lengthNs = lengthNs;
    this.maxCommands = maxCommands;
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void run() {
    try {
      long command = 0;
      while (!stop && command < maxCommands && command * intervalNs < lengthNs) {
        long dueNs = startNs + (long) (command * intervalNs);
        long nowNs = System.nanoTime();
        if (dueNs - nowNs > 0) {
          flush();
          LockSupport.parkNanos(dueNs - System.nanoTime());
        } else if (nowNs - startNs > lengthNs + LATE_NS) {
          break;
        } else {
          current = publishers.get((int) (command % publishers.size()));
          current.addDue(dueNs);
          command++;
        }
      }
      flush();
    } catch (IOException e) {
      failure = e;
    }
    done = true;
  }

  private void flush() throws IOException {
    for (LoadPublisher publisher : publishers) {
      current = publisher;
      current.flushDue();
    }
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

  /** Null while nothing has gone wrong. */
  IOException failure() {
    return failure;
  }

  /** Only when there is a {@link #failure}. */
  LoadPublisher failedOn() {
    return current;
  }
}
