package io.holdfast.tools.client;

import javax.net.ssl.SSLContext;

/**
 * What lies around the protocol on a TCP connection, and as whom it is spoken. Immutable.
 *
 * @param tls null for none
 * @param compression by what both directions are compressed
 * @param authSecret for AUTH, when the broker wants one; null for none
 */
public record Wire(SSLContext tls, Compression compression, String authSecret) {
  /** In clear, as nobody. */
  public static final Wire PLAIN = new Wire(null, Compression.NONE, null);

  /** How a connection is compressed. */
  public enum Compression {
    NONE,
    SNAPPY,
    DEFLATE
  }

  /**
   * @return whether what is sent is what the other side reads, neither encrypted nor compressed
   */
  public boolean isPlain() {
    return tls == null && compression == Compression.NONE;
  }

  /** Without the secret, so that no log shows it. */
  @Override
  public String toString() {
    return (tls == null ? "plain" : "TLS") + " " + compression;
  }
}
