package io.holdfast.broker.cluster.state;

import io.holdfast.storage.journal.JournalEnd;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.List;
import java.util.Map;

/**
 * All of a group's state at one moment, but for the messages, of which it says in which files they
 * are: what a snapshot's {@code state.bin} has. Not to be changed.
 *
 * @param index of the last entry that was applied
 * @param crc see {@link RollingCrc}
 * @param format newest version of entries that the log has allowed
 * @param nextNumber of the next topic or channel
 * @param nextIdBase see {@link GroupTopics#nextIdBase}
 */
record GroupImage(
    int group,
    long index,
    long term,
    int crc,
    int format,
    long nextNumber,
    long nextIdBase,
    List<TopicImage> topics) {

  /**
   * One topic.
   *
   * @param nextOrdinal of the next message
   * @param skipped see {@link io.holdfast.storage.journal.ChronicleJournal#skipped}
   * @param end where the journal ends
   * @param files of the journal, by number, oldest first; the last one is that of {@code end}
   */
  record TopicImage(
      String name,
      long number,
      long idBase,
      boolean paused,
      long keptFrom,
      long retainFrom,
      long neededFrom,
      Map<String, String> policy,
      long nextOrdinal,
      OrdinalRanges skipped,
      JournalEnd end,
      List<Integer> files,
      List<ChannelImage> channels) {}

  /**
   * One channel.
   *
   * @param state of its own
   */
  record ChannelImage(
      String name,
      long number,
      boolean paused,
      long epoch,
      Map<String, String> policy,
      LedgerState state) {}
}
