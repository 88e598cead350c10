package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.values.HeldMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Says whether a topic may have another channel, and makes channels out of what is there of them: a
 * directory, what other brokers agreed on, or nothing.
 */
final class ChannelOpening {
  private final String topic;
  private final TopicContext context;
  private final TopicState state;
  private final ChronicleJournal journal;
  private final GuidFactory guids;
  private final KeptBack keptBack;

  ChannelOpening(
      String topic,
      TopicContext context,
      TopicState state,
      ChronicleJournal journal,
      GuidFactory guids,
      KeptBack keptBack) {
    this.topic = topic;
    this.context = context;
    this.state = state;
    this.journal = journal;
    this.guids = guids;
    this.keptBack = keptBack;
  }

  /**
   * Refuses another channel.
   *
   * @param count how many there are
   */
  void checkMayCreate(String name, int count) throws BrokerException {
    if (state.isEnding()) {
      throw new BrokerException("exiting");
    }
    if (count >= context.maxChannels()) {
      throw new BrokerException(
          "TOPIC(" + topic + ") has its limit of " + context.maxChannels() + " channels");
    }
    MemoryBudget memory = context.channelSettings().memory();
    // The first one always: without it nothing of the topic could ever be consumed.
    if (count > 0 && !memory.hasRoomForTopic()) {
      throw new BrokerException(memory.topicsRefusal());
    }
    String refusal = DirNames.isEphemeral(name) ? null : context.channelRefusal();
    if (refusal != null) {
      throw new RefusedException(refusal);
    }
  }

  /**
   * A start opens several topics at once: where a channel may take a good part of the memory for
   * deferred messages, it is to see what the one before it took.
   *
   * @param known whether the metadata file knows it
   * @param first where it begins if it has no ledger
   */
  Channel inTurn(String name, boolean known, long first, Map<String, String> handPolicy)
      throws IOException {
    MemoryPart references = context.channelSettings().memory().deferred();
    Path dir = context.dataDir().channelDir(topic, name);
    long ledgerBytes = Files.isDirectory(dir) ? DurableFiles.allocatedBytesIn(dir) : 0;
    if (!DeferredMessages.mayTakeMuch(references, ledgerBytes)) {
      return open(name, known, first, null, handPolicy);
    }
    synchronized (references) {
      return open(name, known, first, null, handPolicy);
    }
  }

  /**
   * Opens a channel.
   *
   * @param known whether the metadata file knows it
   * @param first where it begins if it has no ledger
   * @param from where a new one begins that is to have older messages; null for one that is not
   */
  Channel open(
      String name,
      boolean known,
      long first,
      TopicPositions.Place from,
      Map<String, String> handPolicy)
      throws IOException {
    Collection<HeldMessage> held = List.of();
    BackendQueue backend;
    if (DirNames.isEphemeral(name)) {
      backend = ChannelBackends.ephemeral(journal, first);
    } else {
      context.dataDir().createChannel(topic, name);
      Path dir = context.dataDir().channelDir(topic, name);
      ChronicleBackend durable =
          from == null
              ? ChannelBackends.open(
                  dir,
                  journal,
                  context.syncThread(),
                  known,
                  known || context.dataDir().keepsAll(topic),
                  first,
                  keptBack.forMetadata(),
                  DeferredMessages.roomToRestore(context.channelSettings().memory().deferred()))
              : ChannelBackends.openFrom(
                  dir,
                  journal,
                  context.syncThread(),
                  from.first(),
                  from.relocations(),
                  keptBack.forMetadata());
      durable.onFormat2(context.dataDir().format()::needNewest);
      held = durable.takeHeld();
      backend = durable;
    }
    return new Channel(topic, name, context, guids, backend, held, handPolicy);
  }

  /**
   * Of a topic that other brokers share. Topic's lock.
   *
   * @param keptFrom as {@link KeptBack#forMetadata} is from now on
   */
  Channel shared(SharedChannel channel, long keptFrom) throws IOException {
    MemoryPart references = context.channelSettings().memory().deferred();
    if (!DeferredMessages.takeMuch(references, channel.state().held().size())) {
      return adopted(channel, keptFrom);
    }
    synchronized (references) {
      // What all have agreed on has them still: only this leader, in this term, holds fewer.
      channel.state().keepHeld(DeferredMessages.roomToRestore(references));
      return adopted(channel, keptFrom);
    }
  }

  private Channel adopted(SharedChannel channel, long keptFrom) throws IOException {
    ChronicleBackend backend =
        ChannelBackends.of(channel.state(), journal, channel.account(), keptFrom);
    Channel opened =
        new Channel(
            topic, channel.name(), context, guids, backend, backend.takeHeld(), channel.policy());
    opened.admin().changeThrough(state.log, channel.name());
    if (channel.paused()) {
      opened.restorePaused();
    }
    return opened;
  }
}
