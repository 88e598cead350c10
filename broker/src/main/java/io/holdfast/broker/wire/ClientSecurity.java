package io.holdfast.broker.wire;

import io.holdfast.broker.queue.SubscriberInfo;

/**
 * What a connection was upgraded to, and who the client is, for /stats; the strings are empty where
 * they do not apply.
 *
 * @param tlsVersion such as TLS1.3
 */
public record ClientSecurity(
    boolean tls,
    boolean deflate,
    boolean snappy,
    String tlsVersion,
    String tlsCipherSuite,
    String tlsNegotiatedProtocol,
    boolean tlsNegotiatedProtocolIsMutual,
    boolean authed,
    String authIdentity,
    String authIdentityUrl) {

  /** A plain connection of nobody in particular. */
  public static final ClientSecurity NONE =
      new ClientSecurity(false, false, false, "", "", "", false, false, "", "");

  /** With the connection compressed. */
  public ClientSecurity compressed(boolean byDeflate, boolean bySnappy) {
    return new ClientSecurity(
        tls,
        byDeflate,
        bySnappy,
        tlsVersion,
        tlsCipherSuite,
        tlsNegotiatedProtocol,
        tlsNegotiatedProtocolIsMutual,
        authed,
        authIdentity,
        authIdentityUrl);
  }

  /** With the connection encrypted. */
  public ClientSecurity encrypted(
      String version, String cipherSuite, String protocol, boolean mutual) {
    return new ClientSecurity(
        true,
        deflate,
        snappy,
        version,
        cipherSuite,
        protocol,
        mutual,
        authed,
        authIdentity,
        authIdentityUrl);
  }

  /** With the client authenticated. */
  public ClientSecurity identified(String identity, String url) {
    return new ClientSecurity(
        tls,
        deflate,
        snappy,
        tlsVersion,
        tlsCipherSuite,
        tlsNegotiatedProtocol,
        tlsNegotiatedProtocolIsMutual,
        true,
        identity,
        url);
  }

  /** For another broker. */
  SubscriberInfo.Security toInfo() {
    return new SubscriberInfo.Security(
        tls,
        deflate,
        snappy,
        tlsVersion,
        tlsCipherSuite,
        tlsNegotiatedProtocol,
        tlsNegotiatedProtocolIsMutual,
        authed,
        authIdentity,
        authIdentityUrl);
  }
}
