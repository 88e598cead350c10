package io.holdfast.broker.config;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** TLS versions of contract §8, {@code tls-min-version}. */
public enum TlsVersion {
  /** TLS 1.0, 0x0301. */
  TLS1_0(769, "tls1.0", "TLSv1"),
  /** TLS 1.1, 0x0302. */
  TLS1_1(770, "tls1.1", "TLSv1.1"),
  /** TLS 1.2, 0x0303. */
  TLS1_2(771, "tls1.2", "TLSv1.2"),
  /** TLS 1.3, 0x0304. */
  TLS1_3(772, "tls1.3", "TLSv1.3");

  private final int number;
  private final String text;
  private final String jdkName;

  TlsVersion(int number, String text, String jdkName) {
    this.number = number;
    this.text = text;
    this.jdkName = jdkName;
  }

  /**
   * Returns the protocol number on the wire, 769..772, which {@code /config/tls_min_version} shows.
   */
  public int number() {
    return number;
  }

  /** Returns the name as flags and file write it. */
  public String text() {
    return text;
  }

  /** Returns the JDK's names of this version and all above. */
  public String[] jdkNamesFromHere() {
    return Arrays.stream(values())
        .filter(version -> version.compareTo(this) >= 0)
        .map(TlsVersion::jdkName)
        .toArray(String[]::new);
  }

  /** Returns the JDK's and Netty's name of the protocol. */
  public String jdkName() {
    return jdkName;
  }

  /**
   * Reads a version in any case; empty text is the default, as in nsqd's example file.
   *
   * @return the version, empty if unknown (also for {@code ssl3.0})
   */
  public static Optional<TlsVersion> parse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (lower.isEmpty()) {
      return Optional.of(TLS1_0);
    }
    for (TlsVersion version : values()) {
      if (version.text.equals(lower)) {
        return Optional.of(version);
      }
    }
    return Optional.empty();
  }
}
