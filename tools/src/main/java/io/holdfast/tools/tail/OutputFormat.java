package io.holdfast.tools.tail;

import io.holdfast.tools.cli.Given;

/** How {@code tail} prints a message. */
enum OutputFormat {
  /** The body as it is, then a newline. */
  TEXT,
  /**
   * One JSON object per line, with id, time, attempts and broker; pub --format json reads it back.
   */
  JSON,
  /** The body in hex digits. */
  HEX,
  /** The body in base64. */
  BASE64;

  @Override
  public String toString() {
    return Given.lower(this);
  }
}
