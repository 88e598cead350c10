package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.state.LedgerEntry;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of a channel's messages and waits to go into the log. Of each message only the last
 * counts: what is finished need not be said to have been delivered. Not thread-safe.
 */
final class PendingRecords {
  /** Estimates of what they take in an entry, and roughly in memory. */
  private static final int RANGE_BYTES = 8;

  private static final int HELD_BYTES = 32;

  /** Records of more are split, so that an entry stays near what it is meant to be. */
  private static final int MAX_IN_RECORD = 1000;

  private final OrdinalRanges finished = new OrdinalRanges();
  private final OrdinalRanges delivered = new OrdinalRanges();
  private final Map<Long, HeldMessage> held = new LinkedHashMap<>();

  /** Takes records; gives them to whoever sends them, when there are enough for an entry. */
  interface Sink {
    /** The entry that is being filled. */
    LedgerEntry entry();

    /** Something was added to it. */
    void added();
  }

  /** Returns the bytes that this adds. */
  int finish(OrdinalRanges ranges) {
    return add(ranges, finished);
  }

  /** Returns the bytes that this adds. */
  int deliver(OrdinalRanges ranges) {
    return add(ranges, delivered);
  }

  private static int add(OrdinalRanges ranges, OrdinalRanges to) {
    int before = to.count();
    for (int i = 0; i < ranges.count(); i++) {
      to.add(ranges.from(i), ranges.to(i));
    }
    return (to.count() - before) * RANGE_BYTES;
  }

  /** Returns the bytes that this adds. */
  int hold(List<HeldMessage> messages) {
    int before = held.size();
    for (HeldMessage message : messages) {
      // Attempts never fall, so the last one said is the one that holds.
      held.put(message.ref().ordinal(), copy(message));
    }
    return (held.size() - before) * HELD_BYTES;
  }

  /** The reference goes on being changed by its channel. */
  private static HeldMessage copy(HeldMessage message) {
    return message.at(
        new MessageRef(
            message.ref().ordinal(), MessageRef.NOWHERE, 0, 0, message.ref().packedAttempts()));
  }

  boolean isEmpty() {
    return finished.isEmpty() && delivered.isEmpty() && held.isEmpty();
  }

  /**
   * Says all of it.
   *
   * @param topic the topic's number
   * @param channel the channel's
   * @param epoch of the channel when it became so
   */
  void writeTo(Sink to, long topic, long channel, long epoch) {
    MergedRanges over = new MergedRanges(finished);
    MergedRanges wentOut = new MergedRanges(new MergedRanges(delivered).minus(over));
    for (int i = 0; i < wentOut.count(); i += MAX_IN_RECORD) {
      to.entry().deliver(topic, channel, epoch, wentOut.part(i, MAX_IN_RECORD));
      to.added();
    }
    List<HeldMessage> waiting = new ArrayList<>(held.values());
    waiting.removeIf(message -> over.contains(message.ref().ordinal()));
    for (int i = 0; i < waiting.size(); i += MAX_IN_RECORD) {
      int end = Math.min(waiting.size(), i + MAX_IN_RECORD);
      to.entry().hold(topic, channel, epoch, waiting.subList(i, end));
      to.added();
    }
    for (int i = 0; i < over.count(); i += MAX_IN_RECORD) {
      to.entry().finish(topic, channel, epoch, over.part(i, MAX_IN_RECORD));
      to.added();
    }
  }
}
