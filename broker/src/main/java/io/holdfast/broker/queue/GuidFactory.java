package io.holdfast.broker.queue;

/**
 * Message ids of a topic. An id is (id base + ordinal) * 1024 + node id in 16 lower-case hex
 * digits: from an id follows the ordinal without a table, ids rise in publish order, and because a
 * topic that is created again gets a base above every id ever given out, they stay distinct. nsqd
 * builds its ids from the clock; clients see 16 opaque characters in both. Immutable.
 */
public final class GuidFactory {
  private static final int NODE_BITS = 10;
  private static final long NODE_MASK = (1 << NODE_BITS) - 1;

  private final long idBase;
  private final int nodeId;

  /**
   * @param idBase of the topic, below 2^53
   * @param nodeId 0..1023
   */
  public GuidFactory(long idBase, int nodeId) {
    this.idBase = idBase;
    this.nodeId = nodeId;
  }

  /** Ids begin here. */
  long idBase() {
    return idBase;
  }

  /** Of the broker that made the topic. */
  int nodeId() {
    return nodeId;
  }

  /** The id of a message as a number. */
  public long idOf(long ordinal) {
    return (idBase + ordinal) << NODE_BITS | nodeId;
  }

  /** The ordinal an id stands for, or -1 when it is no id of this topic and node. */
  public long ordinalOf(long id) {
    long ordinal = (id >>> NODE_BITS) - idBase;
    return (id & NODE_MASK) == nodeId && ordinal >= 0 ? ordinal : -1;
  }
}
