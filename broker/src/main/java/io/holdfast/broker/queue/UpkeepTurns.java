package io.holdfast.broker.queue;

import java.util.Collection;
import java.util.function.LongSupplier;

/**
 * Which turns of housekeeping a topic needs: each while anything becomes of its messages or is left
 * to do, and of a topic at rest one in some, for what only time or somebody else changes. So
 * thousands of topics at rest cost little. Housekeeping thread.
 */
final class UpkeepTurns {
  /** Of a topic at rest one turn in so many: every four seconds. */
  static final int RESTING = 8;

  private final LongSupplier nextOrdinal;
  private final Collection<Channel> channels;

  /** Whether the last turn left nothing to do. */
  private boolean rests;

  private long seen;
  private int passed;

  /**
   * Of a topic that was never looked after.
   *
   * @param name of the topic: topics at rest take their turns at different times
   * @param nextOrdinal of its journal
   * @param channels a live view
   */
  UpkeepTurns(String name, LongSupplier nextOrdinal, Collection<Channel> channels) {
    this.nextOrdinal = nextOrdinal;
    this.channels = channels;
    passed = Math.floorMod(name.hashCode(), RESTING);
  }

  /** Whether the topic needs this turn; to be asked once in each. */
  boolean isDue() {
    long now = nextOrdinal.getAsLong();
    for (Channel channel : channels) {
      now += 1 + channel.upkeep().changes();
    }
    passed++;
    if (rests && now == seen && passed < RESTING) {
      return false;
    }
    seen = now;
    passed %= RESTING;
    rests = false;
    return true;
  }

  /**
   * A turn is over.
   *
   * @param isAllDone false when it is to go on in the next one, whatever becomes of the topic
   */
  void done(boolean isAllDone) {
    rests = isAllDone;
  }
}
