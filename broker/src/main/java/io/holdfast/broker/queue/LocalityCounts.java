package io.holdfast.broker.queue;

/**
 * How many messages went out of memory, by where their consumers are. The channel's lock guards it.
 */
final class LocalityCounts {
  private long zone;
  private long region;
  private long global;

  void add(Locality where, long messages) {
    switch (where) {
      case ZONE -> zone += messages;
      case REGION -> region += messages;
      case GLOBAL -> global += messages;
    }
  }

  /** To consumers of the broker's own zone. */
  long zone() {
    return zone;
  }

  /** To others of its region. */
  long region() {
    return region;
  }

  /** To any other; to all without topology awareness. */
  long global() {
    return global;
  }
}
