package io.holdfast.broker.stats;

import io.holdfast.broker.net.HostPort;

/**
 * How to report to statsd (contract §7, §8).
 *
 * @param address where the UDP packets go, host:port (statsd-address)
 * @param prefix before each key, see {@link #expandPrefix}
 * @param intervalMs between two reports, in ms, at least 1 (statsd-interval)
 * @param memStats whether to report memory (statsd-mem-stats)
 * @param udpPacketSize largest packet in bytes, at least 1 (statsd-udp-packet-size)
 * @param excludeEphemeral whether to leave out ephemeral topics and channels
 *     (statsd-exclude-ephemeral)
 */
public record StatsdOptions(
    String address,
    String prefix,
    long intervalMs,
    boolean memStats,
    int udpPacketSize,
    boolean excludeEphemeral) {
  public StatsdOptions {
    if (intervalMs < 1 || udpPacketSize < 1) {
      throw new IllegalArgumentException(
          "statsd interval "
              + intervalMs
              + " ms and packet size "
              + udpPacketSize
              + " must be > 0");
    }
  }

  /**
   * The statsd-prefix flag made concrete: each {@code %s} becomes {@code
   * {broadcastAddress}:{broadcastHttpPort}} with dots and colons turned to underscores, and a final
   * dot is added where missing. An empty prefix stays empty.
   */
  public static String expandPrefix(String flag, String broadcastAddress, int broadcastHttpPort) {
    if (flag.isEmpty()) {
      return "";
    }
    String host =
        new HostPort(broadcastAddress, broadcastHttpPort)
            .toString()
            .replace('.', '_')
            .replace(':', '_');
    String prefix = flag.replace("%s", host);
    return prefix.endsWith(".") ? prefix : prefix + ".";
  }
}
