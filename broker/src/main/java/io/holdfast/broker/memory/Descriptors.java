package io.holdfast.broker.memory;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How the process's file descriptors are shared out, so that clients cannot take those that the
 * files of topics need.
 *
 * @param tcpConnections half of them
 * @param httpConnections a quarter of them; the last quarter is for files
 */
public record Descriptors(int tcpConnections, int httpConnections) {
  private static final int TCP_PARTS = 2;
  private static final int HTTP_PARTS = 4;

  /** Shares out what is free now, before anything listens. */
  public static Descriptors ofThisProcess() {
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
      return of(unix.getMaxFileDescriptorCount() - unix.getOpenFileDescriptorCount());
    }
    return of(Integer.MAX_VALUE);
  }

  static Descriptors of(long free) {
    long counted = Math.max(HTTP_PARTS, Math.min(free, Integer.MAX_VALUE));
    return new Descriptors((int) (counted / TCP_PARTS), (int) (counted / HTTP_PARTS));
  }
}
