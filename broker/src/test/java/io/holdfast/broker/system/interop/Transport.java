package io.holdfast.broker.system.interop;

/** What a client asks for in IDENTIFY. */
public enum Transport {
  PLAIN(false, ""),
  TLS(true, ""),
  SNAPPY(false, "snappy"),
  DEFLATE(false, "deflate"),
  TLS_SNAPPY(true, "snappy");

  private final boolean tls;
  private final String compression;

  Transport(boolean tls, String compression) {
    this.tls = tls;
    this.compression = compression;
  }

  /** Whether it is encrypted. */
  public boolean isTls() {
    return tls;
  }

  /** Whether it is compressed by snappy. */
  public boolean isSnappy() {
    return compression.equals("snappy");
  }

  /** Whether it is compressed by deflate. */
  public boolean isDeflate() {
    return compression.equals("deflate");
  }
}
