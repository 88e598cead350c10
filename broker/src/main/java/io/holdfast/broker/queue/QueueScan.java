package io.holdfast.broker.queue;

import java.io.Closeable;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that finds timeouts and due deferrals. nsqd samples 20 channels each 100 ms and learns
 * of new ones each 5 s; here each channel with something in flight or deferred keeps the time of
 * its next event, and comparing it costs so little that all are looked at every few milliseconds.
 * Without such channels the thread sleeps.
 */
public final class QueueScan implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(QueueScan.class);
  private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(10);

  private final Set<ChannelScan> channels = ConcurrentHashMap.newKeySet();
  private final ChannelSettings.Clock clock;
  private final Thread thread;
  private volatile boolean stopped;

  /** Starts the thread. */
  public QueueScan(ChannelSettings.Clock clock) {
    this(clock, true);
  }

  /**
   * @param started false for a test that calls {@link #scan} itself
   */
  QueueScan(ChannelSettings.Clock clock, boolean started) {
    this.clock = clock;
    thread = new Thread(this::run, "queueScan");
    thread.setDaemon(true);
    if (started) {
      thread.start();
    }
  }

  void add(ChannelScan channel) {
    if (channels.add(channel)) {
      LockSupport.unpark(thread);
    }
  }

  void remove(ChannelScan channel) {
    channels.remove(channel);
  }

  private void run() {
    while (!stopped) {
      if (channels.isEmpty()) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, INTERVAL_NS);
      }
      scan(clock.nanos());
    }
  }

  /** Looks at all channels once. */
  @SuppressWarnings("ModifyCollectionInEnhancedForLoop") // a concurrent set
  void scan(long nowNs) {
    for (ChannelScan channel : channels) {
      if (channel.isDue(nowNs)) {
        // Removed first: a channel that gets work again while it is looked at adds itself.
        channels.remove(channel);
        try {
          if (channel.processQueues(nowNs)) {
            channels.add(channel);
          }
        } catch (RuntimeException | Error e) {
          LOG.error("{}: scan failed", channel.name(), e);
          channels.add(channel);
        }
        if (channel.isOver()) {
          // It may have taken itself out between the look and the adding.
          channels.remove(channel);
        }
      }
    }
  }

  @Override
  public void close() {
    stopped = true;
    LockSupport.unpark(thread);
  }
}
