package io.holdfast.broker.cluster.engine;

/**
 * What became of an entry that was proposed. Exactly one of these is called, once; none may block.
 */
public interface Proposal {
  /**
   * It is committed, and {@link GroupMember#apply} returned for it. On the apply thread.
   *
   * @param index of the entry
   */
  void applied(long index);

  /**
   * It is not in the log and never will be.
   *
   * @param reason for people
   */
  void refused(String reason);

  /**
   * Nobody knows here: it may still be applied later.
   *
   * @param reason for people
   */
  void unknown(String reason);
}
