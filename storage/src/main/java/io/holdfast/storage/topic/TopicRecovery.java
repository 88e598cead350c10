package io.holdfast.storage.topic;

import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalContents;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a topic's directory means when it is opened: what the topic keeps back from its channels,
 * where ordinals go on, where a channel begins that has no ledger yet. The one place that decides
 * it, for the broker, for those who only look, and for the power-cut test.
 *
 * @param keptFrom the first ordinal kept back from the channels, or {@link #NOTHING_KEPT}
 * @param skipped ordinals that no message has, see {@link JournalContents#skip}
 * @param first where a channel begins whose creation a crash cut short
 * @param paused whether it hands nothing to its channels
 * @param entry what the metadata file says, null when nothing
 */
public record TopicRecovery(
    long keptFrom, OrdinalRanges skipped, long first, boolean paused, Metadata.TopicEntry entry) {

  /** {@link #keptFrom} of a topic that hands everything to its channels at once. */
  public static final long NOTHING_KEPT = -1;

  /** One comes with each power cut between two publishes; ledgers have the older ones, too. */
  private static final int MAX_SKIPPED = 100;

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
    long keptFrom = entry == null ? journal.firstOrdinal() : entry.handedOver();
    // After a power cut the metadata can be ahead of the journal, as a ledger can.
    journal.raiseNextOrdinal(keptFrom);
    if (keptFrom != NOTHING_KEPT) {
      // A mark that a crash kept from being rewritten: what is gone was handed over and finished.
      keptFrom = Math.max(keptFrom, journal.firstOrdinal());
    }
    OrdinalRanges skipped = skipped(journal, entry);
    if (mayHaveLostPower) {
      long from = Math.max(end(skipped), journal.nextOrdinal());
      skipped.add(from, from + ChronicleJournal.MAX_LOST);
    }
    journal.skip(skipped);
    long first = keptFrom == NOTHING_KEPT ? journal.nextOrdinal() : keptFrom;
    if (keptFrom == NOTHING_KEPT && channels.isEmpty()) {
      // Its channels were ephemeral: they had everything.
      keptFrom = journal.nextOrdinal();
    }
    boolean paused = entry != null && entry.paused();
    if (!paused && !channels.isEmpty()) {
      // Creating the first channel took the messages over, whatever meta.json remembers.
      keptFrom = NOTHING_KEPT;
    }
    return new TopicRecovery(keptFrom, skipped, first, paused, entry);
  }

  /** What earlier recoveries have left out. */
  private static OrdinalRanges skipped(JournalContents journal, Metadata.TopicEntry entry)
      throws IOException {
    OrdinalRanges skipped = new OrdinalRanges();
    if (entry == null) {
      return skipped;
    }
    List<Metadata.Skipped> known = entry.skipped() == null ? List.of() : entry.skipped();
    for (Metadata.Skipped range :
        known.subList(Math.max(0, known.size() - MAX_SKIPPED), known.size())) {
      if (range != null && range.to() > range.from() && range.from() >= end(skipped)) {
        skipped.add(range.from(), range.to());
      }
    }
    long to = entry.skippedTo();
    if (to > end(skipped)) {
      // By a broker of 1.0, which did not say from where: what lies before it in the journal does.
      long from = journal.nextOrdinal() < to ? journal.nextOrdinal() : journal.endBelow(to);
      if (from < to) {
        skipped.add(Math.max(from, end(skipped)), to);
      }
    }
    return skipped;
  }

  private static long end(OrdinalRanges ranges) {
    return ranges.isEmpty() ? 0 : ranges.to(ranges.count() - 1);
  }

  /** What the metadata file is to say of {@link #skipped}. */
  public List<Metadata.Skipped> skippedEntries() {
    List<Metadata.Skipped> entries = new ArrayList<>();
    for (int i = 0; i < skipped.count(); i++) {
      entries.add(new Metadata.Skipped(skipped.from(i), skipped.to(i)));
    }
    return entries;
  }

  /** Messages kept back from the channels; a range that is never used has none. */
  public long depth(JournalContents journal) {
    if (keptFrom == NOTHING_KEPT) {
      return 0;
    }
    long next = journal.nextOrdinal();
    return Math.max(0, next - keptFrom - journal.skipped().overlap(keptFrom, next));
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

  /** What was set by hand for a channel, field to value as text. */
  public Map<String, String> policy(String name) {
    Metadata.ChannelEntry channel = channel(name);
    return channel == null ? Map.of() : channel.policy();
  }
}
