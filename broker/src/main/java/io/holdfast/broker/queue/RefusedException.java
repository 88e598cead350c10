package io.holdfast.broker.queue;

/**
 * The disk, or a limit on its use, takes no more for now. The text names the limit, and over HTTP
 * too it is what the client gets.
 */
public class RefusedException extends BrokerException {
  private static final long serialVersionUID = 1L;

  /**
   * @param reason in one line
   */
  public RefusedException(String reason) {
    super(reason);
  }
}
