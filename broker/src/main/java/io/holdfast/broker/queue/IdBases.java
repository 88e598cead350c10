package io.holdfast.broker.queue;

import io.holdfast.storage.topic.Metadata;

/** Gives each new topic the number that its message ids begin at. Thread-safe. */
final class IdBases {
  private final ChannelSettings.Clock clock;
  private long next;

  /**
   * @param next bases begin at or above this
   */
  IdBases(long next, ChannelSettings.Clock clock) {
    this.next = next;
    this.clock = clock;
  }

  /** A base above every id given out before. */
  synchronized long take() {
    next = Metadata.newIdBase(next, clock.wallMs());
    return next;
  }

  /** Bases are at or above this from now on. */
  synchronized void retire(long idEnd) {
    next = Math.max(next, idEnd);
  }

  /** Bases that are taken from now on are above this: what the metadata file remembers. */
  synchronized long next() {
    return next;
  }
}
