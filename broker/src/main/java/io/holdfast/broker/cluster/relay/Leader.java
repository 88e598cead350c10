package io.holdfast.broker.cluster.relay;

/**
 * Who leads a group.
 *
 * @param node null when nobody is known
 */
record Leader(String node, long term) {
  static final Leader NONE = new Leader(null, 0);

  boolean isKnown() {
    return node != null;
  }
}
