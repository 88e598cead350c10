package io.holdfast.storage.inspect;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A topic opened as the broker opens it at its start, to see what it would deliver. */
final class OpenedTopic implements AutoCloseable {
  private final TopicRecovery recovery;
  private final ChronicleJournal journal;
  private final Map<String, ChronicleBackend> backends = new LinkedHashMap<>();
  private final Map<String, List<HeldMessage>> held = new LinkedHashMap<>();

  OpenedTopic(DataDir dir, String name, StorageOptions options, SyncThread syncThread)
      throws IOException {
    Metadata metadata = dir.readMetadata();
    Metadata.TopicEntry entry =
        metadata.topics() == null
            ? null
            : metadata.topics().stream().filter(e -> e.name().equals(name)).findAny().orElse(null);
    dir.createTopic(name);
    journal = new ChronicleJournal(dir.journalDir(name), options, syncThread);
    List<String> channels = dir.channels(name);
    recovery = TopicRecovery.of(journal, entry, channels, dir.mayHaveLostPower());
    for (String channel : channels) {
      ChronicleBackend backend =
          ChannelBackends.open(
              dir.channelDir(name, channel),
              journal,
              syncThread,
              recovery.isKnown(channel),
              recovery.first(),
              recovery.keptFrom());
      backends.put(channel, backend);
      List<HeldMessage> taken = new ArrayList<>();
      backend.takeHeld().forEach(taken::add);
      held.put(channel, taken);
    }
  }

  /** Publishes to all channels. */
  void publish(String... bodies) throws IOException {
    Batch batch = Batches.of(bodies);
    journal.append(batch);
    for (ChronicleBackend backend : backends.values()) {
      backend.put(batch, 0);
    }
  }

  /** What the broker writes then: as it was, but for what is skipped. */
  Metadata metadata(Metadata before) {
    Metadata.TopicEntry entry = before.topics().get(0);
    Metadata.TopicEntry now =
        new Metadata.TopicEntry(
            entry.name(),
            entry.idBase(),
            entry.paused(),
            recovery.keptFrom(),
            entry.channels(),
            recovery.skipped().isEmpty()
                ? 0
                : recovery.skipped().to(recovery.skipped().count() - 1),
            entry.nodeId(),
            recovery.skippedEntries());
    return new Metadata(before.formatVersion(), before.nextIdBase(), List.of(now));
  }

  /** What the topic keeps back, as {@code /stats} has it. */
  long depth() {
    return recovery.depth(journal);
  }

  /** What a channel has before anything is read of it. */
  long unfinished(String channel) {
    return backends.get(channel).depth() + held.get(channel).size();
  }

  /** Everything a channel delivers: bodies by ordinal. */
  Map<Long, String> drain(String channel) throws IOException {
    Map<Long, String> delivered = new TreeMap<>();
    MessageView view = new MessageView();
    ChronicleBackend backend = backends.get(channel);
    for (HeldMessage message : held.get(channel)) {
      if (backend.read(message.ref(), view)) {
        delivered.put(view.ordinal(), Batches.text(view));
      }
    }
    while (backend.poll(view)) {
      if (delivered.put(view.ordinal(), Batches.text(view)) != null) {
        throw new AssertionError(channel + " delivers " + view.ordinal() + " twice");
      }
    }
    return delivered;
  }

  @Override
  public void close() throws IOException {
    for (ChronicleBackend backend : backends.values()) {
      backend.close();
    }
    journal.close();
  }
}
