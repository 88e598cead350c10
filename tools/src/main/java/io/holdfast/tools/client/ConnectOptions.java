package io.holdfast.tools.client;

/**
 * What a connection asks for in IDENTIFY (contract §2) and how long it waits.
 *
 * @param userAgent shown in the broker's /stats
 * @param connectTimeoutMs longest wait for the TCP connection
 * @param readTimeoutMs longest silence of the broker; 0 = no limit (a steadier, cheaper read: the
 *     JDK polls before each read otherwise)
 * @param heartbeatMs heartbeat interval; 0 = the broker's default
 * @param msgTimeoutMs message timeout; 0 = the broker's default
 * @param outputBufferTimeoutMs longest time the broker may hold messages back; -1 = not at all, 0 =
 *     the broker's default
 * @param looks whether this only looks: an ephemeral channel of its own must change nothing of what
 *     topics keep, and the broker is asked whether it sees to that
 * @param wire TLS, compression and AUTH
 */
public record ConnectOptions(
    String userAgent,
    int connectTimeoutMs,
    int readTimeoutMs,
    int heartbeatMs,
    int msgTimeoutMs,
    int outputBufferTimeoutMs,
    boolean looks,
    Wire wire) {

  /**
   * Patient defaults for a command that runs long: heartbeats every 10 s, a broker silent for 30 s
   * counts as gone.
   *
   * @param command name of the command, for the user agent
   * @return the options
   */
  public static ConnectOptions defaults(String command) {
    return new ConnectOptions(
        "holdfast-tools/" + command, 5_000, 30_000, 10_000, 0, 0, false, Wire.PLAIN);
  }

  /**
   * @param timeoutMs longest silence; 0 = no limit
   * @return the same with another read timeout
   */
  public ConnectOptions withReadTimeoutMs(int timeoutMs) {
    return new ConnectOptions(
        userAgent,
        connectTimeoutMs,
        timeoutMs,
        heartbeatMs,
        msgTimeoutMs,
        outputBufferTimeoutMs,
        looks,
        wire);
  }

  /**
   * @param intervalMs as {@link #heartbeatMs}; -1 = none
   * @return the same with other heartbeats
   */
  public ConnectOptions withHeartbeatMs(int intervalMs) {
    return new ConnectOptions(
        userAgent,
        connectTimeoutMs,
        readTimeoutMs,
        intervalMs,
        msgTimeoutMs,
        outputBufferTimeoutMs,
        looks,
        wire);
  }

  /**
   * @param timeoutMs as {@link #outputBufferTimeoutMs}
   * @return the same with another output buffer timeout
   */
  public ConnectOptions withOutputBufferTimeoutMs(int timeoutMs) {
    return new ConnectOptions(
        userAgent,
        connectTimeoutMs,
        readTimeoutMs,
        heartbeatMs,
        msgTimeoutMs,
        timeoutMs,
        looks,
        wire);
  }

  /**
   * @param timeoutMs as {@link #msgTimeoutMs}
   * @return the same with another message timeout
   */
  public ConnectOptions withMsgTimeoutMs(int timeoutMs) {
    return new ConnectOptions(
        userAgent,
        connectTimeoutMs,
        readTimeoutMs,
        heartbeatMs,
        timeoutMs,
        outputBufferTimeoutMs,
        looks,
        wire);
  }

  /**
   * @return the same for somebody who only looks
   */
  public ConnectOptions looking() {
    return new ConnectOptions(
        userAgent,
        connectTimeoutMs,
        readTimeoutMs,
        heartbeatMs,
        msgTimeoutMs,
        outputBufferTimeoutMs,
        true,
        wire);
  }

  /**
   * @return the same with this around the protocol
   */
  public ConnectOptions over(Wire other) {
    return new ConnectOptions(
        userAgent,
        connectTimeoutMs,
        readTimeoutMs,
        heartbeatMs,
        msgTimeoutMs,
        outputBufferTimeoutMs,
        looks,
        other);
  }
}
