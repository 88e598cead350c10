package io.holdfast.broker.queue;

/** A publish is refused by {@code max_depth} or {@code max_bytes} of the topic's policy. */
public final class TopicFullException extends RefusedException {
  private static final long serialVersionUID = 1L;

  /**
   * @param reason in one line
   */
  public TopicFullException(String reason) {
    super(reason);
  }
}
