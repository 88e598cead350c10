package io.holdfast.broker.net;

import java.nio.charset.StandardCharsets;

/** Strings of others' JSON, which can hold half a character ({@code "\ud800"}). */
public final class WellFormed {
  private WellFormed() {}

  /** The text with U+FFFD for each half of a surrogate pair that stands alone, as Go reads it. */
  public static String of(String text) {
    return text.chars().noneMatch(c -> Character.isSurrogate((char) c))
        ? text
        : new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
  }
}
