package io.holdfast.broker.queue;

/** What became of a FIN, REQ or TOUCH; texts of contract §1.3. */
public enum Outcome {
  OK(""),
  NOT_IN_FLIGHT("ID not in flight"),
  NOT_OWNER("client does not own message"),
  EXITING("exiting"),
  TOO_MANY_DEFERRED("too many deferred messages");

  private final String text;

  Outcome(String text) {
    this.text = text;
  }

  /** The {@code {why}} of the error frame. */
  public String text() {
    return text;
  }
}
