package io.holdfast.broker.stats;

import io.holdfast.broker.net.HostPort;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports counters and gauges to statsd by UDP (contract §7), the first time after one interval.
 * One daemon thread does all of it; nothing is queued for it. The packets of one report are spread
 * over the interval less one second; with an interval of a second or less they leave together.
 */
public final class StatsdPusher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StatsdPusher.class);
  private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);

  private final StatsdOptions options;
  private final Supplier<StatsSnapshot> sampler;
  private final StatsdReport report;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  /**
   * @param options where, how often and what
   * @param sampler asked once per interval, on the pusher's thread
   */
  public StatsdPusher(StatsdOptions options, Supplier<StatsSnapshot> sampler) {
    this.options = options;
    this.sampler = sampler;
    this.report = new StatsdReport(options);
    this.thread = new Thread(this::run, "statsd-pusher");
    thread.setDaemon(true);
  }

  /** Starts the thread. */
  public void start() {
    thread.start();
  }

  /** Ends the thread; the rest of a report under way is sent at once. Waits up to 1 s. */
  @Override
  public void close() {
    closing.countDown();
    boolean interrupted = false;
    try {
      thread.join(1000);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    long intervalNs = TimeUnit.MILLISECONDS.toNanos(options.intervalMs());
    long next = System.nanoTime() + intervalNs;
    try {
      while (!closing.await(next - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        push(Math.max(0, intervalNs - SECOND_NS));
        // A report that took too long (a slow name lookup) is not made up for.
        next = Math.max(next + intervalNs, System.nanoTime());
      }
    } catch (InterruptedException e) {
      LOG.debug("STATSD: interrupted");
    }
    LOG.info("STATSD: closing");
  }

  private void push(long spreadNs) throws InterruptedException {
    List<byte[]> packets;
    try {
      packets = report.packets(sampler.get());
    } catch (RuntimeException e) {
      LOG.error("STATSD: cannot collect stats", e);
      return;
    }
    LOG.debug("STATSD: pushing {} packets to {}", packets.size(), options.address());
    try (DatagramSocket socket = new DatagramSocket()) {
      // Looked up anew each time, so that a moved statsd is found.
      HostPort target = HostPort.parse(options.address());
      InetSocketAddress address = new InetSocketAddress(target.host(), target.port());
      if (address.isUnresolved()) {
        throw new IOException("unknown host");
      }
      long pauseNs = packets.isEmpty() ? 0 : spreadNs / packets.size();
      for (byte[] packet : packets) {
        socket.send(new DatagramPacket(packet, packet.length, address));
        if (pauseNs > 0) {
          // True once closing: then the rest goes without pauses.
          boolean closed = closing.await(pauseNs, TimeUnit.NANOSECONDS);
          pauseNs = closed ? 0 : pauseNs;
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.error("STATSD: cannot send to {}: {}", options.address(), e.toString());
    }
  }
}
