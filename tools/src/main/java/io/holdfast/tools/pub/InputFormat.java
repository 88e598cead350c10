package io.holdfast.tools.pub;

import io.holdfast.tools.cli.Given;

/** How messages are told apart in the input. */
enum InputFormat {
  /** A message per line, without its newline. */
  LINE,
  /** {@code int32} big-endian length, then the body. */
  LENGTH,
  /**
   * A JSON object per line, with {@code body} or {@code body_base64}, as tail --format=json prints.
   */
  JSON;

  @Override
  public String toString() {
    return Given.lower(this);
  }
}
