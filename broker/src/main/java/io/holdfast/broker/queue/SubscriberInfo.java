package io.holdfast.broker.queue;

/**
 * What a client that consumes has said of itself and asked for, and how it is connected; strings
 * are empty where they do not apply.
 *
 * @param connectTimeMs since 1970
 * @param connectedMs for how long it was connected when this was asked
 * @param keepsBacklog see {@link Topic#channel(String, boolean)}
 */
public record SubscriberInfo(
    String clientId,
    String hostname,
    String userAgent,
    String remoteAddress,
    String topologyZone,
    String topologyRegion,
    long connectTimeMs,
    long connectedMs,
    long msgTimeoutNs,
    boolean askedMsgTimeout,
    int sampleRate,
    long maxHoldNs,
    boolean keepsBacklog,
    Security security) {

  /**
   * What the connection was upgraded to, and who the client has proved to be.
   *
   * @param tlsVersion such as TLS1.3
   */
  public record Security(
      boolean tls,
      boolean deflate,
      boolean snappy,
      String tlsVersion,
      String tlsCipherSuite,
      String tlsNegotiatedProtocol,
      boolean tlsNegotiatedProtocolIsMutual,
      boolean authed,
      String authIdentity,
      String authIdentityUrl) {}
}
