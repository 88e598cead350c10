package io.holdfast.storage.group;

import io.holdfast.storage.journal.JournalEnd;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.List;
import java.util.Map;

/**
 * All of a group's state at one moment, but for the messages, of which it says in which files they
 * are: what a snapshot's {@code state.bin} has. Not to be changed.
 *
 * @param index of the last entry that was applied
 * @param crc rolling, over all entries and what they led to
 * @param format newest version of entries that the log has allowed
 * @param nextNumber of the next topic or channel
 * @param nextIdBase ids of topics that are made from now on begin at or above this
 */
public record GroupImage(
    int group,
    long index,
    long term,
    int crc,
    int format,
    long nextNumber,
    long nextIdBase,
    List<TopicImage> topics) {

  /**
   * What a journal file is called in a snapshot.
   *
   * @param topic its number
   * @param fileName as it is called in the journal
   */
  public static String linkName(long topic, String fileName) {
    return topic + "-" + fileName;
  }

  /**
   * One topic.
   *
   * @param nextOrdinal of the next message
   * @param skipped see {@link io.holdfast.storage.journal.ChronicleJournal#skipped}
   * @param end where the journal ends
   * @param files of the journal, by number, oldest first; the last one is that of {@code end}
   * @param carried messages that have copies in these files, by ordinal
   */
  public record TopicImage(
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
      List<CarriedMessage> carried,
      List<ChannelImage> channels) {
    /** One above the last ordinal that a channel has. */
    public long endOf(ChannelImage channel) {
      return Math.max(keptFrom < 0 ? nextOrdinal : keptFrom, channel.state().floor());
    }
  }

  /**
   * One channel.
   *
   * @param state of its own
   */
  public record ChannelImage(
      String name,
      long number,
      boolean paused,
      long epoch,
      Map<String, String> policy,
      LedgerState state) {}
}
