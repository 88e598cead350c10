package io.holdfast.broker.policy;

import io.holdfast.broker.config.GoValues;

/**
 * One field of a policy.
 *
 * @param name the same everywhere
 * @param unset the value where nothing was set
 */
record PolicyField(String name, FieldType type, Object unset) {
  private static final int MAX_SHOWN = 100;

  /** The value for a message: clipped, on one line. */
  static String clip(String text) {
    boolean isLong = text.codePointCount(0, text.length()) > MAX_SHOWN;
    String shown = isLong ? text.substring(0, text.offsetByCodePoints(0, MAX_SHOWN)) + "..." : text;
    return GoValues.oneLine(shown);
  }
}
