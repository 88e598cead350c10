package io.holdfast.broker.limits;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How the process's file descriptors are shared out, so that clients cannot take those that the
 * files of topics need. Thread-safe.
 */
public final class Descriptors {
  /** What the JVM, the event loops and the listeners have open; of a very low limit half. */
  private static final long OVERHEAD = 64;

  /** For files: at least a tenth and some, up to a quarter. */
  private static final int FILE_PARTS = 10;

  private static final int MIN_FILES = 64;
  private static final int MAX_FILE_PARTS = 4;

  /** One log, a journal that is read as well, has three. */
  private static final int LOG_PARTS = 10;

  /** Of what is left, the part of HTTP; TCP has the rest. */
  private static final int HTTP_PARTS = 8;

  private final int tcpConnections;
  private final int httpConnections;
  private final AtomicInteger openHttp = new AtomicInteger();

  private Descriptors(int tcpConnections, int httpConnections) {
    this.tcpConnections = tcpConnections;
    this.httpConnections = httpConnections;
  }

  /**
   * Shares out what the process may have, not what is free now: files that are open after a restart
   * are closed when they are not used.
   */
  public static Descriptors ofThisProcess() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
      return of(unix.getMaxFileDescriptorCount());
    }
    return of(Integer.MAX_VALUE);
  }

  static Descriptors of(long limit) {
    long most = Math.min(limit, Integer.MAX_VALUE);
    long usable = most - Math.min(OVERHEAD, most / 2);
    long files = Math.min(usable / MAX_FILE_PARTS, MIN_FILES + usable / FILE_PARTS);
    long connections = usable - files;
    long http = Math.max(2, connections / HTTP_PARTS);
    return new Descriptors((int) Math.max(2, connections - http), (int) http);
  }

  /** How many this process may have open. */
  public static long limit() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : Integer.MAX_VALUE;
  }

  /** How many logs, journals or ledgers, may be open before those in no use are closed. */
  public static int mostOpenLogs() {
    return (int) Math.min(Integer.MAX_VALUE, limit() / LOG_PARTS);
  }

  /**
   * Whether more than half of what this process may have is open: files that are not in use are to
   * be closed then. Looks at each one, so not for a hot path.
   */
  public static boolean areShort() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        && unix.getOpenFileDescriptorCount() > unix.getMaxFileDescriptorCount() / 2;
  }

  /** For NSQ clients. */
  public int tcpConnections() {
    return tcpConnections;
  }

  /** For all HTTP and HTTPS listeners together. */
  public int httpConnections() {
    return httpConnections;
  }

  /**
   * Counts a new HTTP connection.
   *
   * @param max not counted, and false, when as many are open, or {@link #httpConnections}
   */
  public boolean admitHttp(int max) {
    int most = Math.min(max, httpConnections);
    return openHttp.getAndUpdate(open -> open < most ? open + 1 : open) < most;
  }

  /** An admitted HTTP connection is closed. */
  public void httpClosed() {
    openHttp.decrementAndGet();
  }
}
