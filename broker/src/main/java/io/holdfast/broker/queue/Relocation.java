package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.Retention;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * Keeps a few unfinished messages from pinning a topic's disk: when more than half of the journal
 * is finished ({@link RelocationGain}), those of the oldest file are relocated: copied to the
 * journal's head, so that the file can go.
 *
 * <p>Order is what makes it safe: the copies are on the disk before a ledger names them, and the
 * ledgers' words are before the file goes; a crash in between leaves copies that nobody refers to.
 *
 * <p>Housekeeping thread.
 */
final class Relocation {
  private static final Comparator<MessageRef> BY_PLACE =
      Comparator.comparingLong(MessageRef::batchPosition).thenComparingInt(MessageRef::bodyOffset);

  /** Appends to the journal under the topic's lock. */
  interface Appender {
    /** As {@link Journal#relocate}; null when the topic ends. */
    MessageRef relocate(MessageView message) throws IOException;
  }

  private final Journal journal;
  private final Appender appender;
  private final LongPredicate room;
  private final RelocationGain gain;

  /**
   * @param room whether the disk has room for so many bytes
   * @param slackBytes finished bytes that may stay in any case: one journal file
   */
  Relocation(Journal journal, Appender appender, LongPredicate room, long slackBytes) {
    this.journal = journal;
    this.appender = appender;
    this.room = room;
    gain = new RelocationGain(slackBytes);
  }

  /**
   * Makes the oldest journal file superfluous if that pays.
   *
   * @param backlogFrom every message from this ordinal on is counted as unfinished
   * @param retention which files have to stay in any case
   * @param nowNs monotonic
   * @return whether it is superfluous now
   */
  boolean relocate(Collection<Channel> channels, long backlogFrom, Retention retention, long nowNs)
      throws IOException {
    int oldest = journal.oldestFile();
    int backlogFile = journal.fileOf(backlogFrom);
    if (oldest < 0 || oldest >= backlogFile) {
      return false;
    }
    long spareBytes = gain.spareBytes(journal, oldest, backlogFile);
    if (spareBytes <= 0
        || !journal.mayGo(oldest, backlogFrom, Integer.MAX_VALUE, retention)
        || !gain.isDue(spareBytes, nowNs)) {
      return false;
    }
    Map<Long, MessageRef> unfinished = new HashMap<>();
    Roaring64Bitmap seen = new Roaring64Bitmap();
    long[] bytes = new long[2];
    for (Channel channel : channels) {
      channel
          .upkeep()
          .outsideBacklog(
              backlogFile,
              message -> {
                if (!seen.contains(message.ordinal())) {
                  seen.addLong(message.ordinal());
                  bytes[0] += message.bodyLength() + RelocationGain.RECORD_BYTES;
                  bytes[1] +=
                      message.file() == oldest
                          ? message.bodyLength() + RelocationGain.RECORD_BYTES
                          : 0;
                }
                if (message.file() == oldest) {
                  unfinished.put(message.ordinal(), message);
                }
              });
    }
    gain.looked(spareBytes, nowNs);
    if (!RelocationGain.pays(bytes[0], spareBytes) || !room.test(bytes[1])) {
      return false;
    }
    Map<Long, MessageRef> places = append(unfinished.values());
    if (places.isEmpty()) {
      return false;
    }
    journal.force();
    for (Channel channel : channels) {
      channel.upkeep().relocate(oldest, places);
    }
    gain.copied();
    return true;
  }

  private Map<Long, MessageRef> append(Collection<MessageRef> originals) throws IOException {
    List<MessageRef> inOrder = new ArrayList<>(originals);
    inOrder.sort(BY_PLACE);
    Map<Long, MessageRef> places = new HashMap<>();
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      for (MessageRef original : inOrder) {
        // What cannot be read any more stays where it is; whoever delivers it reports it.
        if (cursor.read(original, view)) {
          MessageRef place = appender.relocate(view);
          if (place == null) {
            return Map.of();
          }
          places.put(original.ordinal(), place);
        }
      }
    }
    return places;
  }
}
