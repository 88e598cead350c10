package io.holdfast.broker.wire;

import java.util.concurrent.TimeUnit;

/**
 * What IDENTIFY settles (contract §2).
 *
 * @param clientId remote IP until IDENTIFY
 * @param hostname remote IP until IDENTIFY
 * @param heartbeatIntervalMs -1 for no heartbeats
 * @param outputBufferSize bytes; reported. Our output has no such buffer, but a client that asks
 *     for none (1 or less) has its messages at once also when the broker is busy
 * @param outputBufferTimeoutMs reported; the longest that a message for it is held when the broker
 *     is busy, if that is less than what it would be
 * @param sampleRate percent, 0 for all messages
 * @param msgTimeoutMs how long a message stays in flight
 * @param askedMsgTimeout whether it asked for that timeout, so that no policy changes it
 */
public record ClientSettings(
    String clientId,
    String hostname,
    String userAgent,
    String topologyRegion,
    String topologyZone,
    long heartbeatIntervalMs,
    long outputBufferSize,
    long outputBufferTimeoutMs,
    int sampleRate,
    long msgTimeoutMs,
    boolean askedMsgTimeout) {

  /** Characters of all names together that each connection may have. */
  private static final int SHORT_NAMES = 128;

  /** Of a client that asked for its timeout. */
  public ClientSettings(
      String clientId,
      String hostname,
      String userAgent,
      String topologyRegion,
      String topologyZone,
      long heartbeatIntervalMs,
      long outputBufferSize,
      long outputBufferTimeoutMs,
      int sampleRate,
      long msgTimeoutMs) {
    this(
        clientId,
        hostname,
        userAgent,
        topologyRegion,
        topologyZone,
        heartbeatIntervalMs,
        outputBufferSize,
        outputBufferTimeoutMs,
        sampleRate,
        msgTimeoutMs,
        true);
  }

  /** What the names take of the heap beyond what each connection's may, in bytes. */
  long longNamesBytes() {
    int characters =
        clientId.length()
            + hostname.length()
            + userAgent.length()
            + topologyRegion.length()
            + topologyZone.length();
    return Math.max(0, 2L * (characters - SHORT_NAMES));
  }

  /** How long a message may wait for others to be sent with, ns; 0 for not at all. */
  long maxHoldNs() {
    return outputBufferSize > 1 && outputBufferTimeoutMs > 0
        ? TimeUnit.MILLISECONDS.toNanos(outputBufferTimeoutMs)
        : 0;
  }

  /** With another's heartbeat, sampling and timeout: a second IDENTIFY does not change them. */
  public ClientSettings withTimingOf(ClientSettings first) {
    return new ClientSettings(
        clientId,
        hostname,
        userAgent,
        topologyRegion,
        topologyZone,
        first.heartbeatIntervalMs,
        outputBufferSize,
        outputBufferTimeoutMs,
        first.sampleRate,
        first.msgTimeoutMs,
        first.askedMsgTimeout);
  }
}
