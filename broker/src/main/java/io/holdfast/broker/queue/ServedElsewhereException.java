package io.holdfast.broker.queue;

/** Another broker leads a topic. */
public final class ServedElsewhereException extends NoLeaderException {
  private static final long serialVersionUID = 1;

  private final String node;

  /**
   * @param node which one
   * @param address where its clients connect; null when that is not known
   */
  public ServedElsewhereException(String topic, String node, String address) {
    super("topic " + topic + " is served by " + node + (address == null ? "" : ", " + address));
    this.node = node;
  }

  /** The name of the broker that leads it. */
  public String node() {
    return node;
  }
}
