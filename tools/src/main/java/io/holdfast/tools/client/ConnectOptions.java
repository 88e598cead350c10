package io.holdfast.tools.client;

/**
 * What a connection asks for in IDENTIFY (PROTOCOL.md §2) and how long it waits.
 *
 * @param userAgent shown in the broker's /stats
 * @param readTimeoutMs longest silence of the broker; 0 = no limit
 * @param heartbeatMs heartbeat interval; 0 = the broker's default, -1 = none
 * @param outputBufferTimeoutMs longest time the broker may hold messages back; -1 = not at all, 0 =
 *     the broker's default
 * @param looks whether this only looks: an ephemeral channel of its own must change nothing of what
 *     topics keep, and the broker is asked whether it sees to that
 * @param wire TLS, compression and AUTH
 */
public record ConnectOptions(
    String userAgent,
    int readTimeoutMs,
    int heartbeatMs,
    int outputBufferTimeoutMs,
    boolean looks,
    Wire wire) {

  /**
   * Patient defaults for a command that runs long: heartbeats every 10 s, a broker silent for 30 s
   * counts as gone.
   *
   * @param command name of the command, for the user agent
   * @param wire TLS, compression and AUTH
   * @return the options
   */
  public static ConnectOptions defaults(String command, Wire wire) {
    return new ConnectOptions("holdfast-tools/" + command, 30_000, 10_000, 0, false, wire);
  }

  /**
   * @param timeoutMs longest silence; 0 = no limit
   * @return the same with another read timeout
   */
  public ConnectOptions withReadTimeoutMs(int timeoutMs) {
    return new ConnectOptions(
        userAgent, timeoutMs, heartbeatMs, outputBufferTimeoutMs, looks, wire);
  }

  /**
   * @param intervalMs as {@link #heartbeatMs}
   * @return the same with other heartbeats
   */
  public ConnectOptions withHeartbeatMs(int intervalMs) {
    return new ConnectOptions(
        userAgent, readTimeoutMs, intervalMs, outputBufferTimeoutMs, looks, wire);
  }

  /**
   * @param timeoutMs as {@link #outputBufferTimeoutMs}
   * @return the same with another output buffer timeout
   */
  public ConnectOptions withOutputBufferTimeoutMs(int timeoutMs) {
    return new ConnectOptions(userAgent, readTimeoutMs, heartbeatMs, timeoutMs, looks, wire);
  }

  /**
   * @return the same for somebody who only looks
   */
  public ConnectOptions looking() {
    return new ConnectOptions(
        userAgent, readTimeoutMs, heartbeatMs, outputBufferTimeoutMs, true, wire);
  }
}
