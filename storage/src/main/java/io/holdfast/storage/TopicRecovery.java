package io.holdfast.storage;

import java.io.IOException;
import java.util.List;

/**
 * What a topic's directory means when it is opened: what the topic keeps back from its channels,
 * where ordinals go on, where a channel begins that has no ledger yet. The one place that decides
 * it, for the broker, for those who only look, and for the power-cut test.
 *
 * @param heldFrom the first ordinal kept back from the channels, or {@link #NOTHING_HELD}
 * @param skippedTo ordinals below that are not in the journal are never used, see {@link
 *     JournalContents#skipTo}; 0 for nothing
 * @param first where a channel begins whose creation a crash cut short
 * @param paused whether it hands nothing to its channels
 * @param entry what the metadata file says, null when nothing
 */
public record TopicRecovery(
    long heldFrom, long skippedTo, long first, boolean paused, Metadata.TopicEntry entry) {

  /** {@link #heldFrom} of a topic that hands everything to its channels at once. */
  public static final long NOTHING_HELD = -1;

  /**
   * Recovers a topic and settles where the journal's ordinals go on.
   *
   * @param journal just opened
   * @param entry what the metadata file says of the topic, null when nothing
   * @param channels those that have a directory
   * @param mayHaveLostPower see {@link DataDir#mayHaveLostPower}
   */
  public static TopicRecovery of(
      JournalContents journal,
      Metadata.TopicEntry entry,
      List<String> channels,
      boolean mayHaveLostPower)
      throws IOException {
    long heldFrom = entry == null ? journal.firstOrdinal() : entry.handedOver();
    // After a power cut the metadata can be ahead of the journal, as a ledger can.
    journal.raiseNextOrdinal(heldFrom);
    if (heldFrom != NOTHING_HELD) {
      // A mark that a crash kept from being rewritten: what is gone was handed over and finished.
      heldFrom = Math.max(heldFrom, journal.firstOrdinal());
    }
    long skippedTo = entry == null ? 0 : entry.skippedTo();
    if (mayHaveLostPower) {
      skippedTo = Math.max(skippedTo, journal.nextOrdinal()) + ChronicleJournal.MAX_LOST;
    }
    journal.skipTo(skippedTo);
    long first = heldFrom == NOTHING_HELD ? journal.nextOrdinal() : heldFrom;
    if (heldFrom == NOTHING_HELD && channels.isEmpty()) {
      // Its channels were ephemeral: they had everything.
      heldFrom = journal.nextOrdinal();
    }
    boolean paused = entry != null && entry.paused();
    if (!paused && !channels.isEmpty()) {
      // Creating the first channel took the messages over, whatever meta.json remembers.
      heldFrom = NOTHING_HELD;
    }
    return new TopicRecovery(heldFrom, skippedTo, first, paused, entry);
  }

  /** What the metadata file says of a channel, null when nothing. */
  public Metadata.ChannelEntry channel(String name) {
    if (entry != null && entry.channels() != null) {
      for (Metadata.ChannelEntry channel : entry.channels()) {
        if (channel.name().equals(name)) {
          return channel;
        }
      }
    }
    return null;
  }

  /** Whether a channel is known to have been there before. */
  public boolean isKnown(String name) {
    return channel(name) != null;
  }

  /** Whether a channel delivers nothing. */
  public boolean isPaused(String name) {
    Metadata.ChannelEntry channel = channel(name);
    return channel != null && channel.paused();
  }
}
