package io.holdfast.storage.inspect;

import io.holdfast.storage.files.ChronicleSetup;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.ledger.HeldMessages;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.topic.ChannelRecovery;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;

/**
 * Writes a mended copy of a data directory to another one: every intact message, also those that
 * the broker cannot reach, under its old ordinal and with its old time, and what each channel knows
 * of them. The original is only read. Not thread-safe.
 *
 * <p>Messages get new places in the copy, so that references to held messages are translated; those
 * to messages that are gone are dropped, and the missing messages count as finished.
 */
public final class DataDirRepair implements Closeable {
  private static final long SYNC_MS = 1000;
  private static final long FILE_BYTES = 64 << 20;
  private static final int MAX_RECORD_BYTES = 64 << 20;

  private final DataDirView from;
  private final Defect.Listener listener;
  private final LongConsumer progress;
  private final DataDir to;
  private final SyncThread syncThread;
  private long copied;

  /** What a copy of a topic amounts to. */
  public record Result(String topic, long copied, OrdinalRanges missing, List<String> lost) {}

  /**
   * @param target an existing, empty directory
   * @param listener told of what is damaged in the original
   * @param progress given the messages copied so far, now and then
   * @throws IOException when the target cannot be used
   */
  public DataDirRepair(
      DataDirView from, Path target, Defect.Listener listener, LongConsumer progress)
      throws IOException {
    this.from = from;
    this.listener = listener;
    this.progress = progress;
    ChronicleSetup.requireNativeCalls();
    to = DataDir.open(target);
    syncThread = new SyncThread(SYNC_MS);
  }

  /** Writes the metadata; last, so that a copy that broke off is recognised. */
  public void finish() throws IOException {
    to.writeMetadata(from.metadata());
  }

  /** Copies a topic with its channels. */
  public Result copyTopic(String name) throws IOException {
    to.createTopic(name);
    StorageOptions options = new StorageOptions(FILE_BYTES, MAX_RECORD_BYTES, false, 0);
    OrdinalRanges missing = new OrdinalRanges();
    List<String> lost = new ArrayList<>();
    long before = copied;
    try (TopicView topic = from.topic(name);
        ChronicleJournal journal = new ChronicleJournal(to.journalDir(name), options, syncThread)) {
      TreeSet<Long> wanted = new TreeSet<>();
      for (ChannelView channel : topic.channels()) {
        channel.recovery().held().forEach(held -> wanted.add(held.ref().ordinal()));
      }
      Map<Long, MessageRef> places = copyJournal(topic, journal, wanted, missing);
      relocateHeld(topic, journal, places);
      journal.force();
      long end = topic.nextOrdinal();
      if (journal.nextOrdinal() < end) {
        missing.add(journal.nextOrdinal(), end);
      }
      for (ChannelView channel : topic.channels()) {
        ChannelRecovery recovery = channel.recovery();
        to.createChannel(name, channel.name());
        Path ledger = to.channelDir(name, channel.name());
        OrdinalRanges gone = without(recovery.held(), places, missing);
        long dropped = writeLedger(ledger, recovery, places, gone);
        long unfinished = countUnfinished(recovery.state(), gone);
        if (unfinished > 0) {
          lost.add("channel " + channel.name() + " loses " + unfinished + " unfinished message(s)");
        }
        if (dropped > unfinished) {
          lost.add("channel " + channel.name() + " loses attempts or due times of " + dropped);
        }
      }
    }
    return new Result(name, copied - before, missing, lost);
  }

  private Map<Long, MessageRef> copyJournal(
      TopicView topic, ChronicleJournal journal, NavigableSet<Long> wanted, OrdinalRanges missing)
      throws IOException {
    Map<Long, MessageRef> places = new HashMap<>();
    MessageView message = new MessageView();
    journal.raiseNextOrdinal(topic.firstOrdinal());
    try (JournalScan scan = topic.scan(listener)) {
      while (scan.next()) {
        if (scan.isRelocated()) {
          relocate(topic, scan, journal, message, places);
          continue;
        }
        if (scan.firstOrdinal() < journal.nextOrdinal()) {
          continue; // Numbers that begin again: the first ones have been copied.
        }
        if (scan.firstOrdinal() > journal.nextOrdinal()) {
          missing.add(journal.nextOrdinal(), scan.firstOrdinal());
        }
        journal.raiseNextOrdinal(scan.firstOrdinal());
        Batch batch = copy(scan);
        journal.append(batch);
        copied += scan.count();
        progress.accept(copied);
        Long next = wanted.ceiling(scan.firstOrdinal());
        if (next != null && next < scan.endOrdinal()) {
          notePlaces(scan, batch, message, wanted, places);
        }
      }
    }
    return places;
  }

  private void relocate(
      TopicView topic,
      JournalScan scan,
      ChronicleJournal journal,
      MessageView message,
      Map<Long, MessageRef> places)
      throws IOException {
    if (topic.needsRelocation(scan) && scan.nextMessage(message)) {
      places.put(message.ordinal(), journal.relocate(message));
      copied++;
    }
  }

  /** What a channel holds and reads by reference alone: no scan meets it any more. */
  private void relocateHeld(TopicView topic, ChronicleJournal journal, Map<Long, MessageRef> places)
      throws IOException {
    MessageView message = new MessageView();
    for (ChannelView channel : topic.channels()) {
      try (JournalCursor from = channel.cursor(unreadable -> {})) {
        for (HeldMessage held : channel.recovery().held()) {
          MessageRef ref = held.ref();
          if (!places.containsKey(ref.ordinal()) && from.read(ref, message)) {
            places.put(ref.ordinal(), journal.relocate(message));
            copied++;
          }
        }
      }
    }
  }

  private static Batch copy(JournalScan scan) {
    ByteBuffer section = scan.section();
    return new Batch(section, scan.count(), scan.deferMs(), scan.timestampNs());
  }

  private static void notePlaces(
      JournalScan scan,
      Batch batch,
      MessageView message,
      Set<Long> wanted,
      Map<Long, MessageRef> places) {
    scan.rewind();
    int shift = batch.sectionOffset() - RecordCodec.JOURNAL_HEAD_BYTES - scan.offset();
    while (scan.nextMessage(message)) {
      if (wanted.contains(message.ordinal())) {
        places.put(
            message.ordinal(),
            new MessageRef(
                message.ordinal(),
                batch.position(),
                message.bodyOffset() + shift,
                message.bodyLength(),
                0));
      }
    }
  }

  /** What is missing for a channel: what it holds may have been copied from elsewhere. */
  private static OrdinalRanges without(
      HeldMessages held, Map<Long, MessageRef> places, OrdinalRanges missing) {
    OrdinalRanges gone = new OrdinalRanges();
    Iterator<HeldMessage> all = held.iterator();
    HeldMessage next = all.hasNext() ? all.next() : null;
    for (int i = 0; i < missing.count(); i++) {
      long from = missing.from(i);
      while (next != null && next.ref().ordinal() < missing.to(i)) {
        long ordinal = next.ref().ordinal();
        if (ordinal >= from && places.containsKey(ordinal)) {
          addIfAny(from, ordinal, gone);
          from = ordinal + 1;
        }
        next = all.hasNext() ? all.next() : null;
      }
      addIfAny(from, missing.to(i), gone);
    }
    return gone;
  }

  private static void addIfAny(long from, long to, OrdinalRanges ranges) {
    if (from < to) {
      ranges.add(from, to);
    }
  }

  /** Writes a ledger of one checkpoint; returns how many held messages have gone. */
  private long writeLedger(
      Path dir, ChannelRecovery channel, Map<Long, MessageRef> places, OrdinalRanges missing)
      throws IOException {
    LedgerState state = channel.state();
    List<HeldMessage> held = new ArrayList<>();
    long dropped = 0;
    for (HeldMessage message : channel.held()) {
      MessageRef place = places.get(message.ref().ordinal());
      if (place == null) {
        dropped++;
        continue;
      }
      held.add(
          message.at(
              new MessageRef(
                  place.ordinal(),
                  place.batchPosition(),
                  place.bodyOffset(),
                  place.bodyLength(),
                  message.ref().packedAttempts(),
                  place.isRelocated())));
    }
    FinishedSet finished = new FinishedSet(state.floor());
    state.finished().segments().forEach((k, bitmap) -> finished.segments().put(k, bitmap.clone()));
    finished.add(missing);
    try (Ledger ledger = new Ledger(dir, syncThread)) {
      ledger.onFormat2(to.format()::needNewest);
      ledger.beginAt(state.begin());
      ledger.checkpoint(finished, channel.end(), held.iterator(), state.delivered());
    }
    return dropped;
  }

  private static long countUnfinished(LedgerState state, OrdinalRanges ranges) {
    long count = 0;
    for (int i = 0; i < ranges.count(); i++) {
      count += state.unfinished(ranges.from(i), ranges.to(i));
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    syncThread.close();
    to.close();
  }
}
