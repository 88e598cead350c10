package io.holdfast.broker.cluster.state;

/**
 * Told on every node which publish commands of the log were applied, for whoever sent them on to a
 * leader and has to know what became of them. On the apply thread; must not block.
 */
public interface PublishWatch {
  /**
   * A publish command was applied.
   *
   * @param stored whether its messages are in the topic; not when the topic was deleted before
   */
  void applied(Origin origin, boolean stored);

  /** A leader of this term begins: what it did not apply of older terms never will be. */
  void termBegins(long term);

  /** A snapshot took the place of entries, or may have: what they were is not known. */
  void snapshotInstalled();
}
