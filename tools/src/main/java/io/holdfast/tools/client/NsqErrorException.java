package io.holdfast.tools.client;

import java.io.IOException;

/** The broker answered a command with an error frame. */
public final class NsqErrorException extends IOException {
  private static final long serialVersionUID = 1;

  private final String code;

  /**
   * @param text the frame's data, such as {@code E_BAD_TOPIC PUB topic name "" is not valid}
   */
  public NsqErrorException(String text) {
    super(text);
    int space = text.indexOf(' ');
    this.code = space < 0 ? text : text.substring(0, space);
  }

  /**
   * @return the first word, such as {@code E_BAD_TOPIC}
   */
  public String code() {
    return code;
  }

  /**
   * Whether the same publish may succeed later: the disk was full or the topic was just being
   * deleted. Everything else is about the command itself.
   *
   * @return true for {@code E_PUB_FAILED}, {@code E_MPUB_FAILED} and {@code E_DPUB_FAILED}
   */
  public boolean retryable() {
    return code.equals("E_PUB_FAILED")
        || code.equals("E_MPUB_FAILED")
        || code.equals("E_DPUB_FAILED");
  }
}
