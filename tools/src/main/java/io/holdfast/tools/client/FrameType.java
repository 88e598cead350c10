package io.holdfast.tools.client;

/** The three kinds of frame a broker sends (PROTOCOL.md §1.1). */
public enum FrameType {
  /** Answer to a command: {@code OK}, {@code CLOSE_WAIT}, or IDENTIFY's JSON. */
  RESPONSE,
  /** {@code E_...} and a text. */
  ERROR,
  /** A message of the subscribed channel. */
  MESSAGE
}
