package io.holdfast.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
      List<LedgerState> states = new ArrayList<>();
      TreeSet<Long> wanted = new TreeSet<>();
      for (ChannelView channel : topic.channels()) {
        LedgerState state = replay(from.channelDir(name, channel.name()), topic);
        states.add(state);
        state.held().forEach(held -> wanted.add(held.ref().ordinal()));
      }
      Map<Long, MessageRef> places = copyJournal(topic, journal, wanted, missing);
      journal.sync();
      long end = topic.nextOrdinal();
      if (journal.nextOrdinal() < end) {
        missing.add(journal.nextOrdinal(), end);
      }
      for (int i = 0; i < states.size(); i++) {
        String channel = topic.channels().get(i).name();
        to.createChannel(name, channel);
        long dropped =
            writeLedger(to.channelDir(name, channel), states.get(i), places, missing, end);
        long unfinished = countUnfinished(states.get(i), missing);
        if (unfinished > 0) {
          lost.add("channel " + channel + " loses " + unfinished + " unfinished message(s)");
        }
        if (dropped > unfinished) {
          lost.add("channel " + channel + " loses attempts or due times of " + dropped);
        }
      }
    }
    return new Result(name, copied - before, missing, lost);
  }

  private LedgerState replay(Path ledger, TopicView topic) throws IOException {
    try (LedgerScan scan = new LedgerScan(ledger, RecordScan.Mode.RECOVERING, listener)) {
      do {
        while (scan.next()) {
          // The scan adds it up.
        }
      } while (scan.records().recoverTail());
      LedgerState state = scan.state();
      return state == null ? new LedgerState(topic.firstOrdinal()) : state;
    }
  }

  private Map<Long, MessageRef> copyJournal(
      TopicView topic, ChronicleJournal journal, TreeSet<Long> wanted, OrdinalRanges missing)
      throws IOException {
    Map<Long, MessageRef> places = new HashMap<>();
    MessageView message = new MessageView();
    journal.raiseNextOrdinal(topic.firstOrdinal());
    try (JournalScan scan =
        new JournalScan(from.journalDir(topic.name()), RecordScan.Mode.RECOVERING, listener)) {
      do {
        while (scan.next()) {
          if (scan.isCarried()) {
            carry(topic, scan, journal, message, places);
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
      } while (scan.records().recoverTail());
    }
    return places;
  }

  private void carry(
      TopicView topic,
      JournalScan scan,
      ChronicleJournal journal,
      MessageView message,
      Map<Long, MessageRef> places)
      throws IOException {
    if (topic.needsCopy(scan) && scan.nextMessage(message)) {
      places.put(message.ordinal(), journal.carry(message));
      copied++;
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
      TreeSet<Long> wanted,
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

  /** Writes a ledger of one checkpoint; returns how many held messages have gone. */
  private long writeLedger(
      Path dir, LedgerState state, Map<Long, MessageRef> places, OrdinalRanges missing, long end)
      throws IOException {
    List<HeldMessage> held = new ArrayList<>();
    long dropped = 0;
    for (HeldMessage message : state.held()) {
      MessageRef place = places.get(message.ref().ordinal());
      if (place == null) {
        dropped++;
        continue;
      }
      held.add(
          new HeldMessage(
              new MessageRef(
                  place.ordinal(),
                  place.batchPosition(),
                  place.bodyOffset(),
                  place.bodyLength(),
                  message.ref().attempts(),
                  place.isCarried()),
              message.dueMs(),
              message.delayMs()));
    }
    FinishedSet finished = new FinishedSet(state.floor());
    state.finished().segments().forEach((k, bitmap) -> finished.segments().put(k, bitmap.clone()));
    finished.add(missing);
    try (Ledger ledger = new Ledger(dir, syncThread)) {
      ledger.checkpoint(finished, end, held.iterator(), state.delivered());
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
