package io.holdfast.broker.config;

import java.util.Locale;
import java.util.Optional;

/** Who must use TLS (contract §8, {@code tls-required}). */
public enum TlsRequired {
  /** 0: nobody. */
  FALSE(0),
  /** 1: TCP clients must, plain HTTP stays open. */
  TCP_HTTPS(1),
  /** 2: TCP clients must, plain HTTP is refused. */
  TRUE(2);

  private final int number;

  TlsRequired(int number) {
    this.number = number;
  }

  /** Returns the number {@code /config/tls_required} shows: 0, 1 or 2. */
  public int number() {
    return number;
  }

  /** Returns the name as flags and file write it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads {@code tcp-https} or a Go boolean, in any case.
   *
   * @return the mode, empty if it is neither
   */
  public static Optional<TlsRequired> parse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (lower.equals(TCP_HTTPS.text())) {
      return Optional.of(TCP_HTTPS);
    }
    return GoValues.parseBool(lower).map(required -> required ? TRUE : FALSE);
  }
}
