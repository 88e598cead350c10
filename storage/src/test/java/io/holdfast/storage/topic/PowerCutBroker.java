package io.holdfast.storage.topic;

import io.holdfast.storage.files.ShadowDisk;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.PowerCutModel.ChannelModel;
import io.holdfast.storage.topic.PowerCutModel.Published;
import io.holdfast.storage.topic.PowerCutModel.TopicModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A broker's storage at work in one directory: a random step at a time it publishes and consumes,
 * makes and deletes topics and channels, restarts, and has forces refused. One thread.
 */
final class PowerCutBroker {
  private static final String[] TOPICS = {"a", "b"};
  private static final String[] CHANNELS = {"x", "y", "z"};

  /** A topic and a channel that there are only where a recovered directory is used. */
  private static final String USED = "used";

  private final boolean synced;
  private final Random random;
  private final PowerCutTraffic traffic;
  private final List<AutoCloseable> dead = new ArrayList<>();
  private final Map<String, TopicModel> topics = new TreeMap<>();

  private Path root;
  private ShadowDisk disk;
  private DataDir dataDir;
  private SyncThread syncThread;
  private long nextIdBase = 1;

  /** With an empty directory, to be opened. */
  PowerCutBroker(Path root, ShadowDisk disk, boolean synced, Random random) {
    this.root = root;
    this.disk = disk;
    this.synced = synced;
    this.random = random;
    traffic = new PowerCutTraffic(synced, random);
  }

  /** Goes on with a directory that a power cut left and that the other one has no more use for. */
  PowerCutBroker(PowerCutBroker of, PowerCutCheck recovered, Random random) {
    synced = of.synced;
    this.random = random;
    traffic = new PowerCutTraffic(of.traffic, random);
    nextIdBase = of.nextIdBase;
    takeOver(recovered);
  }

  /** The model: it changes with each step. */
  Map<String, TopicModel> topics() {
    return topics;
  }

  Path root() {
    return root;
  }

  ShadowDisk disk() {
    return disk;
  }

  /** Goes on with what was recovered, in place of what it had. */
  void takeOver(PowerCutCheck recovered) {
    root = recovered.root();
    disk = recovered.disk();
    dataDir = recovered.dataDir();
    syncThread = recovered.syncThread();
    nextIdBase = Math.max(nextIdBase, recovered.nextIdBase());
    topics.clear();
    topics.putAll(recovered.adopt());
    disk.refuses(path -> false);
  }

  /** What was recovered can be worked with, and what is done to it is there at the next starts. */
  void use() throws IOException {
    createTopic(USED);
    for (TopicModel topic : topics.values()) {
      traffic.publish(topic);
      createChannel(topic, USED);
      traffic.publish(topic);
      for (ChannelModel channel : topic.channels.values()) {
        traffic.consume(topic, channel);
      }
    }
    restart(false);
    TopicModel some = pick(topics.values());
    deleteChannel(some, pick(some.channels.values()));
    deleteTopic(pick(topics.values()));
    for (TopicModel topic : topics.values()) {
      traffic.publish(topic);
      for (ChannelModel channel : topic.channels.values()) {
        traffic.consume(topic, channel);
      }
    }
    // Compares, as each start does.
    restart(true);
  }

  // ---------------------------------------------------------------- process

  void open() throws IOException {
    dataDir = DataDir.open(root, disk);
    syncThread = SyncThread.stepped(disk);
    syncThread.share(dataDir.redoLog(), 1);
    if (dataDir.mayHaveUnforcedFiles()) {
      syncThread.forceLeftBehind(root);
    }
    dataDir.writeMetadata(metadata());
    dataDir.markSettled();
  }

  /** Whether the directory is, or perhaps is, marked as that of a broker that has stopped. */
  boolean mayBeMarkedClean() throws IOException {
    Path lock = root.resolve("holdfast.lock");
    return Files.exists(lock) && (isClean(Files.readAllBytes(lock)) || isClean(disk.certain(lock)));
  }

  private static boolean isClean(byte[] lock) {
    return new String(lock, StandardCharsets.US_ASCII).contains("clean");
  }

  /** Leaves everything as the death of the process does. */
  void abandon() throws IOException {
    for (TopicModel topic : topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        dead.add(channel.backend);
      }
      dead.add(topic.journal);
    }
    dataDir.close();
  }

  private void restart(boolean clean) throws IOException {
    if (clean) {
      for (TopicModel topic : topics.values()) {
        for (ChannelModel channel : topic.channels.values()) {
          channel.backend.checkpoint(traffic.held(channel));
          channel.backend.close();
        }
        topic.journal.close();
      }
      dataDir.writeMetadata(metadata());
      syncThread.close();
      if (syncThread.allForced()) {
        dataDir.markClean();
      }
      dataDir.close();
      topics.values().forEach(this::allForced);
    } else {
      if (syncThread.error() != null) {
        topics.values().forEach(TopicModel::doubt);
      }
      abandon();
    }
    // The power stays on: everything that was written is there.
    PowerCutCheck check = PowerCutCheck.afterProcess(root, topics, synced, disk);
    check.run();
    dataDir = check.dataDir();
    syncThread = check.syncThread();
    Map<String, TopicModel> adopted = check.adopt();
    topics.clear();
    topics.putAll(adopted);
  }

  private void allForced(TopicModel topic) {
    topic.published.values().forEach(published -> published.certain |= !published.doubtful);
    topic.channels.values().forEach(ChannelModel::forced);
  }

  /** Closes what {@link #abandon} left. */
  void closeDead() throws IOException {
    for (AutoCloseable log : dead) {
      try {
        log.close();
      } catch (IOException e) {
        throw e;
      } catch (Exception e) {
        throw new IOException(e);
      }
    }
  }

  // ---------------------------------------------------------------- steps

  void step() throws Exception {
    if (topics.isEmpty()) {
      createTopic(TOPICS[random.nextInt(TOPICS.length)]);
      return;
    }
    TopicModel topic = pick(topics.values());
    ChannelModel channel = topic.channels.isEmpty() ? null : pick(topic.channels.values());
    int kind = random.nextInt(112);
    if (kind < 35) {
      traffic.publish(topic);
    } else if (kind < 45) {
      sync();
    } else if (kind < 75) {
      if (channel != null) {
        traffic.consume(topic, channel);
      }
    } else if (kind < 80) {
      if (channel != null) {
        traffic.checkpoint(channel);
      }
    } else if (kind < 85) {
      traffic.removeFiles(topic);
    } else if (kind < 88) {
      if (channel != null) {
        traffic.empty(channel);
      }
    } else if (kind < 92) {
      createChannel(topic, CHANNELS[random.nextInt(CHANNELS.length)]);
    } else if (kind < 94) {
      if (channel != null) {
        traffic.rewind(topic, channel);
      }
    } else if (kind < 95) {
      if (channel != null) {
        deleteChannel(topic, channel);
      }
    } else if (kind < 97) {
      createTopic(TOPICS[random.nextInt(TOPICS.length)]);
    } else if (kind < 98) {
      deleteTopic(topic);
    } else if (kind < 99) {
      writeMetadata();
    } else if (kind < 101) {
      restart(kind == 99);
    } else if (kind < 102) {
      refuse();
    } else {
      traffic.turnOver(topic);
    }
  }

  private <T> T pick(Iterable<T> from) {
    List<T> all = new ArrayList<>();
    from.forEach(all::add);
    return all.get(random.nextInt(all.size()));
  }

  /** A pass of the sync thread; in mode written what it forced is certain then. */
  private void sync() {
    boolean all = random.nextBoolean();
    syncThread.pass(true, all);
    if (all && syncThread.error() == null) {
      topics.values().forEach(this::allForced);
    }
  }

  // ---------------------------------------------------------------- topics and channels

  private void createTopic(String name) throws IOException {
    if (topics.containsKey(name)) {
      return;
    }
    nextIdBase = Metadata.newIdBase(nextIdBase, 0);
    TopicModel topic = new TopicModel(name, nextIdBase);
    topics.put(name, topic);
    dataDir.createTopic(name);
    topic.journal =
        new ChronicleJournal(
            dataDir.journalDir(name), PowerCutCheck.options(synced, traffic::now), syncThread);
    topic.heldFrom = topic.journal.nextOrdinal();
    writeMetadata();
    topic.certain = true;
  }

  private void createChannel(TopicModel topic, String name) throws IOException {
    if (topic.channels.containsKey(name)) {
      return;
    }
    ChannelModel channel = new ChannelModel(name);
    topic.channels.put(name, channel);
    long first = topic.heldFrom < 0 ? topic.journal.nextOrdinal() : topic.heldFrom;
    for (Published published : topic.published.tailMap(first).values()) {
      for (long ordinal = published.first; ordinal < published.end(); ordinal++) {
        channel.may.add(ordinal);
        channel.unfinished.add(ordinal);
      }
    }
    // Until its ledger says where it begins it can begin with the oldest message.
    TreeSet<Long> inJournal = new TreeSet<>();
    for (Published published : topic.published.values()) {
      for (long ordinal = published.first; ordinal < published.end(); ordinal++) {
        inJournal.add(ordinal);
      }
    }
    inJournal.removeAll(channel.may);
    channel.may.addAll(inJournal);
    dataDir.createChannel(topic.name, name);
    try {
      channel.backend =
          ChannelBackends.open(
              dataDir.channelDir(topic.name, name),
              topic.journal,
              syncThread,
              false,
              dataDir.keepsAll(topic.name),
              first,
              topic.heldFrom,
              Long.MAX_VALUE);
    } catch (SyncFailedException refused) {
      topic.channels.remove(name);
      throw refused;
    }
    channel.may.removeAll(inJournal);
    channel.backend.extend(topic.journal.nextOrdinal());
    topic.heldFrom = -1;
    channel.certain = true;
  }

  private void deleteChannel(TopicModel topic, ChannelModel channel) throws IOException {
    if (topic.channels.size() == 1 && topic.heldFrom < 0) {
      topic.heldFrom = topic.journal.nextOrdinal();
      writeMetadata();
    }
    channel.ending = true;
    channel.backend.close();
    Path gone = dataDir.markChannelDeleted(topic.name, channel.name);
    topic.channels.remove(channel.name);
    writeMetadata();
    dataDir.remove(gone);
  }

  private void deleteTopic(TopicModel topic) throws IOException {
    topic.ending = true;
    topic.channels.values().forEach(channel -> channel.backend.close());
    topic.journal.close();
    Path gone = dataDir.markTopicDeleted(topic.name);
    nextIdBase = Math.max(nextIdBase, topic.idBase + topic.journal.nextOrdinal());
    topics.remove(topic.name);
    writeMetadata();
    dataDir.remove(gone);
  }

  private void writeMetadata() throws IOException {
    dataDir.updateMetadata(metadata());
  }

  private Metadata metadata() {
    return PowerCutCheck.metadata(nextIdBase, topics);
  }

  /** The next forces of logs fail, until the sync thread has tried them. */
  private void refuse() throws Exception {
    // Of journals alone: redo has what they cannot be forced with.
    String which = random.nextBoolean() ? "/journal/" : ".cq4";
    disk.refuses(path -> path.toString().contains(which));
    for (TopicModel topic : topics.values()) {
      traffic.publish(topic);
    }
    syncThread.pass(false, true);
    disk.refuses(path -> false);
    if (random.nextBoolean()) {
      syncThread.pass(true, false);
    }
  }
}
