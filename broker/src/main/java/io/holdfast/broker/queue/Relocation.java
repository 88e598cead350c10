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
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * Keeps a few unfinished messages from pinning a topic's disk: when more than half of the journal
 * is finished, those of the oldest file are relocated: copied to the journal's head, so that the
 * file can go.
 *
 * <p>A file's messages are relocated only when the finished ones take at least as many bytes as the
 * unfinished ones of the whole topic, so that on average a message is relocated no more often than
 * as many bytes are given back (log-structured cleaning, Rosenblum and Ousterhout 1991).
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

  /** What a message takes beside its body. */
  private static final long RECORD_BYTES = 56;

  /** After a look that found nothing to do it looks again after this time, or with more to gain. */
  private static final long LOOK_AGAIN_NS = TimeUnit.SECONDS.toNanos(10);

  private static final int GAIN_PART = 4;

  private final Journal journal;
  private final Appender appender;
  private final LongPredicate room;
  private final long slackBytes;

  // When it last looked in vain, and what seemed to be gained then.
  private long lookedNs;
  private long lookedBytes = -1;

  /**
   * @param room whether the disk has room for so many bytes
   * @param slackBytes finished bytes that may stay in any case: one journal file
   */
  Relocation(Journal journal, Appender appender, LongPredicate room, long slackBytes) {
    this.journal = journal;
    this.appender = appender;
    this.room = room;
    this.slackBytes = slackBytes;
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
    long spareBytes = journal.diskBytes() - 2 * journal.diskBytesAfter(backlogFile) - slackBytes;
    if (spareBytes <= 0 || !journal.mayGo(oldest, backlogFrom, Integer.MAX_VALUE, retention)) {
      return false;
    }
    boolean lookedJustNow = lookedBytes >= 0 && nowNs - lookedNs < LOOK_AGAIN_NS;
    if (lookedJustNow && spareBytes < lookedBytes + slackBytes / GAIN_PART) {
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
                  bytes[0] += message.bodyLength() + RECORD_BYTES;
                  bytes[1] += message.file() == oldest ? message.bodyLength() + RECORD_BYTES : 0;
                }
                if (message.file() == oldest) {
                  unfinished.put(message.ordinal(), message);
                }
              });
    }
    // Also after an error: what it cost is not to be paid at each turn.
    lookedNs = nowNs;
    lookedBytes = spareBytes;
    if (2 * bytes[0] >= spareBytes || !room.test(bytes[1])) {
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
    lookedBytes = -1;
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
