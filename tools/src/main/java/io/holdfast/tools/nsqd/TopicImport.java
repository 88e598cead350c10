package io.holdfast.tools.nsqd;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Brings one topic of nsqd into a data directory, in two passes over its disk queues:
 *
 * <ol>
 *   <li>all messages of all its queues go into the journal one after the other, first those of the
 *       channels in order of their names, then what the topic had not handed out yet. A message
 *       that waits in several channels is in several queues and becomes several messages, each for
 *       one channel: that needs no memory, and what lies on the disk already is as much.
 *   <li>journal and queues are read side by side and compared byte by byte; each channel's ledger
 *       then says that the other channels' messages are finished for it, and the attempts.
 * </ol>
 *
 * <p>The n-th message of the queues has ordinal n. So an import that was cut short goes on where
 * the journal ends, and needs no notes of its own. Owned by the command's thread.
 */
final class TopicImport {
  private static final long FILE_BYTES = 64 << 20;
  private static final int MAX_RECORD_BYTES = 64 << 20;
  private static final int HOLD_CHUNK = 4096;

  /** Each is a reference that the broker keeps in memory. */
  private static final long MAX_ATTEMPTS_KEPT = 1_000_000;

  private final NsqdDir source;
  private final NsqdDir.Topic topic;
  private final DataDir target;
  private final SyncThread syncThread;
  private final Consumer<String> problems;
  private final BooleanSupplier stopped;
  private final LongConsumer progress;

  // Messages of all its queues, known after the first pass.
  private long filled;

  /** What one queue brought; range of ordinals, and how many of them had attempts. */
  record QueueResult(String queue, long from, long to, long bodyBytes, long attempted) {
    long messages() {
      return to - from;
    }
  }

  TopicImport(
      NsqdDir source,
      NsqdDir.Topic topic,
      DataDir target,
      SyncThread syncThread,
      Consumer<String> problems,
      BooleanSupplier stopped,
      LongConsumer progress) {
    this.source = source;
    this.topic = topic;
    this.target = target;
    this.syncThread = syncThread;
    this.problems = problems;
    this.stopped = stopped;
    this.progress = progress;
  }

  /** Brings everything over; results by queue. */
  Map<String, QueueResult> run() throws IOException {
    target.createTopic(topic.name());
    fillJournal();
    for (String channel : topic.channels().keySet()) {
      // An earlier attempt may have left a part of it.
      target.remove(target.markChannelDeleted(topic.name(), channel));
    }
    Map<String, QueueResult> results;
    try (TopicView view = DataDirView.open(target.root()).topic(topic.name())) {
      results = compare(view);
    }
    finishForOthers(results);
    return results;
  }

  private void fillJournal() throws IOException {
    StorageOptions options = new StorageOptions(FILE_BYTES, MAX_RECORD_BYTES, false, 0);
    try (ChronicleJournal journal =
        new ChronicleJournal(target.journalDir(topic.name()), options, syncThread)) {
      long already = journal.nextOrdinal();
      long ordinal = 0;
      for (String queue : topic.queues()) {
        try (DiskQueueReader reader = new DiskQueueReader(source.dir(), queue, problems)) {
          NsqdRecord record;
          while ((record = reader.next()) != null) {
            if (ordinal++ >= already) {
              journal.append(batch(record));
            }
            progress.accept(ordinal);
            checkStopped();
          }
        }
      }
      filled = ordinal;
      if (already > ordinal) {
        throw new ToolException(
            "topic "
                + topic.name()
                + " has more messages in "
                + target.root()
                + " than in "
                + source.dir()
                + "; has a broker used the directory meanwhile? Import into an empty one");
      }
    }
  }

  private static Batch batch(NsqdRecord record) {
    int length = record.body().remaining();
    ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + length);
    section.putInt(length).put(record.body()).flip();
    return new Batch(section, 1, 0, record.timestampNs());
  }

  private void checkStopped() {
    if (stopped.getAsBoolean()) {
      throw new ToolException("ended before everything was imported; run it again to go on");
    }
  }

  private Map<String, QueueResult> compare(TopicView view) throws IOException {
    Map<String, QueueResult> results = new LinkedHashMap<>();
    MessageView message = new MessageView();
    try (JournalScan journal = view.scan(TopicImport::fail)) {
      long ordinal = 0;
      for (String queue : topic.queues()) {
        long from = ordinal;
        long bytes = 0;
        long attempted = 0;
        // The first pass has told of what cannot be read.
        try (DiskQueueReader reader = new DiskQueueReader(source.dir(), queue, problem -> {});
            Holder holder = new Holder(queue)) {
          NsqdRecord record;
          while ((record = reader.next()) != null) {
            if (!journal.nextBatch() || !journal.nextMessage(message)) {
              throw new ToolException(
                  "queue " + queue + ": the journal ends at message " + ordinal);
            }
            if (message.ordinal() != ordinal
                || message.timestampNs() != record.timestampNs()
                || !message.body().equals(record.body())) {
              throw new ToolException(
                  "queue " + queue + ": message " + ordinal + " in the journal is another one");
            }
            bytes += message.bodyLength();
            ordinal++;
            progress.accept(filled + ordinal);
            if (record.attempts() > 0 && attempted++ < MAX_ATTEMPTS_KEPT) {
              holder.hold(message, record.attempts());
            }
            checkStopped();
          }
        }
        results.put(queue, new QueueResult(queue, from, ordinal, bytes, attempted));
      }
      if (journal.nextBatch()) {
        throw new ToolException("topic " + topic.name() + ": the journal has too many messages");
      }
    }
    return results;
  }

  private static void fail(Defect defect) {
    throw new ToolException(
        "what was written cannot be read back: "
            + defect.file()
            + ":"
            + defect.offset()
            + ": "
            + defect.what());
  }

  /** Writes attempts to the ledger of a channel, or of all channels for the topic's own queue. */
  private final class Holder implements AutoCloseable {
    private final List<Ledger> ledgers = new ArrayList<>();
    private final List<HeldMessage> chunk = new ArrayList<>();

    Holder(String queue) throws IOException {
      for (String channel : topic.channels().keySet()) {
        if (queue.equals(topic.name()) || queue.equals(topic.name() + ":" + channel)) {
          ledgers.add(ledger(channel));
        }
      }
    }

    void hold(MessageView message, int attempts) throws IOException {
      MessageRef ref =
          new MessageRef(
              message.ordinal(),
              message.batchPosition(),
              message.bodyOffset(),
              message.bodyLength(),
              attempts);
      chunk.add(new HeldMessage(ref, 0));
      if (chunk.size() == HOLD_CHUNK) {
        flush();
      }
    }

    private void flush() throws IOException {
      for (Ledger ledger : ledgers) {
        ledger.hold(chunk);
      }
      chunk.clear();
    }

    @Override
    public void close() throws IOException {
      flush();
      for (Ledger ledger : ledgers) {
        ledger.close();
      }
    }
  }

  private Ledger ledger(String channel) throws IOException {
    target.createChannel(topic.name(), channel);
    return new Ledger(target.channelDir(topic.name(), channel), syncThread);
  }

  private void finishForOthers(Map<String, QueueResult> results) throws IOException {
    for (String channel : topic.channels().keySet()) {
      OrdinalRanges others = new OrdinalRanges();
      for (QueueResult result : results.values()) {
        boolean own =
            result.queue().equals(topic.name())
                || result.queue().equals(topic.name() + ":" + channel);
        if (!own && result.messages() > 0) {
          others.add(result.from(), result.to());
        }
      }
      try (Ledger ledger = ledger(channel)) {
        if (!others.isEmpty()) {
          ledger.finish(others);
        }
      }
    }
  }
}
