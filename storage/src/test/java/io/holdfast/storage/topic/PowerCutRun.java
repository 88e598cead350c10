package io.holdfast.storage.topic;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.PowerCutModel.ChannelModel;
import io.holdfast.storage.topic.PowerCutModel.Published;
import io.holdfast.storage.topic.PowerCutModel.Taken;
import io.holdfast.storage.topic.PowerCutModel.TopicModel;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A broker's storage at work, from one seed: publishes, consumption, checkpoints, file removal,
 * topics and channels that come and go, restarts, refused forces; between the operations and in the
 * middle of them the power fails, and each of the directories that can leave is recovered and
 * compared with what was promised, and used. The last one is gone on with: a chain of power cuts.
 */
final class PowerCutRun implements AutoCloseable {
  private static final int LIVES = 3;
  private static final int STEPS = 48;
  private static final long START_NS = 1_000_000_000_000_000_000L;
  private static final String[] TOPICS = {"a", "b"};
  private static final String[] CHANNELS = {"x", "y", "z"};

  /** A topic and a channel that there are only where a recovered directory is used. */
  private static final String USED = "used";

  private final Path home;
  private final boolean synced;
  private final Random random;
  private final long seed;
  private final int imagesPerLife;
  private final List<AutoCloseable> dead = new ArrayList<>();

  private Path root;
  private ShadowDisk disk;
  private DataDir dataDir;
  private SyncThread syncThread;
  private final Map<String, TopicModel> topics = new TreeMap<>();

  private long nextIdBase = 1;

  private long timeNs = START_NS;
  private int bodies;
  private int lives;
  private int images;
  private long slowestOpenMs;

  /** Whether a moment within an operation can be the one. */
  private boolean cutWithin;

  private Recovered last;

  PowerCutRun(Path home, boolean synced, long seed, int imagesPerLife) throws IOException {
    this.home = home;
    this.synced = synced;
    this.seed = seed;
    this.imagesPerLife = imagesPerLife;
    random = new Random(seed);
    root = Files.createDirectory(home.resolve("life0"));
  }

  /** Goes on with a directory that a power cut left and that another run has no more use for. */
  private PowerCutRun(PowerCutRun of) {
    home = of.home;
    synced = of.synced;
    seed = of.seed;
    lives = of.lives;
    images = of.images;
    random = new Random(seed + images);
    imagesPerLife = 0;
    timeNs = of.timeNs;
    bodies = of.bodies;
    nextIdBase = of.nextIdBase;
    takeOver(of.last);
  }

  /** A directory that a power cut left, opened. */
  private record Recovered(Path root, PowerCutCheck check) {}

  int images() {
    return images;
  }

  long slowestOpenMs() {
    return slowestOpenMs;
  }

  void run() throws Exception {
    disk = new ShadowDisk(root, "boot" + lives);
    openStorage();
    for (lives = 0; lives < LIVES; lives++) {
      disk.onEvent(this::perhapsWithin);
      int cuts = images + imagesPerLife;
      for (int step = 0; step < STEPS || images < cuts; step++) {
        cutWithin = images < cuts && random.nextInt(STEPS / imagesPerLife) == 0;
        step();
        if (cutWithin) {
          cutWithin = false;
          cut();
        }
      }
      cut();
      goOnAfterCut();
    }
  }

  private void perhapsWithin() {
    if (cutWithin && random.nextInt(3) == 0) {
      cutWithin = false;
      try {
        cut();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  // ---------------------------------------------------------------- power

  private void cut() throws IOException {
    if (last != null) {
      useLast();
    }
    Path image = home.resolve("image" + images++);
    PowerCut.image(disk, root, image, random.nextLong());
    last = new Recovered(image, new PowerCutCheck(image, topics, synced, "boot" + images));
    last.check.run();
    slowestOpenMs = Math.max(slowestOpenMs, last.check.openMs());
  }

  /** The process that lost power is gone; the one that recovered goes on. */
  private void goOnAfterCut() throws IOException {
    abandon();
    takeOver(last);
    last = null;
  }

  private void takeOver(Recovered recovered) {
    root = recovered.root;
    disk = recovered.check.disk();
    dataDir = recovered.check.dataDir();
    syncThread = recovered.check.syncThread();
    nextIdBase = Math.max(nextIdBase, recovered.check.nextIdBase());
    topics.clear();
    topics.putAll(recovered.check.adopt());
    disk.refuses(path -> false);
  }

  /** What was recovered can be worked with, and what is done to it is there at the next starts. */
  private void useLast() throws IOException {
    PowerCutRun user = new PowerCutRun(this);
    try {
      user.use();
    } finally {
      user.abandon();
      for (AutoCloseable log : user.dead) {
        closeLog(log);
      }
      deleteTree(last.root);
    }
  }

  private void use() throws IOException {
    createTopic(USED);
    for (TopicModel topic : topics.values()) {
      publish(topic);
      createChannel(topic, USED);
      publish(topic);
      for (ChannelModel channel : topic.channels.values()) {
        consume(topic, channel);
      }
    }
    restart(false);
    TopicModel some = pick(topics.values());
    deleteChannel(some, pick(some.channels.values()));
    deleteTopic(pick(topics.values()));
    for (TopicModel topic : topics.values()) {
      publish(topic);
      for (ChannelModel channel : topic.channels.values()) {
        consume(topic, channel);
      }
    }
    // Compares, as each start does.
    restart(true);
  }

  private static void closeLog(AutoCloseable log) throws IOException {
    try {
      log.close();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  // ---------------------------------------------------------------- process

  private StorageOptions options() {
    return PowerCutCheck.options(synced, this::now);
  }

  private long now() {
    timeNs += 1000;
    return timeNs;
  }

  private void openStorage() throws IOException {
    dataDir = DataDir.open(root, disk);
    syncThread = SyncThread.stepped(disk);
    if (dataDir.mayHaveUnforcedFiles()) {
      syncThread.forceLeftBehind(root);
    }
    writeMetadata();
    dataDir.markSettled();
  }

  /** Leaves everything as the death of the process does. */
  private void abandon() throws IOException {
    for (TopicModel topic : topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        dead.add(channel.backend::close);
      }
      dead.add(topic.journal::close);
    }
    dataDir.close();
  }

  private void restart(boolean clean) throws IOException {
    if (clean) {
      for (TopicModel topic : topics.values()) {
        for (ChannelModel channel : topic.channels.values()) {
          channel.backend.checkpoint(held(channel));
          channel.backend.close();
        }
        topic.journal.close();
      }
      writeMetadata();
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

  // ---------------------------------------------------------------- steps

  private void step() throws Exception {
    if (topics.isEmpty()) {
      createTopic(TOPICS[random.nextInt(TOPICS.length)]);
      return;
    }
    TopicModel topic = pick(topics.values());
    ChannelModel channel = topic.channels.isEmpty() ? null : pick(topic.channels.values());
    int kind = random.nextInt(100);
    if (kind < 35) {
      publish(topic);
    } else if (kind < 45) {
      sync();
    } else if (kind < 75) {
      if (channel != null) {
        consume(topic, channel);
      }
    } else if (kind < 80) {
      if (channel != null) {
        checkpoint(channel);
      }
    } else if (kind < 85) {
      removeFiles(topic);
    } else if (kind < 88) {
      if (channel != null) {
        empty(channel);
      }
    } else if (kind < 92) {
      createChannel(topic, CHANNELS[random.nextInt(CHANNELS.length)]);
    } else if (kind < 93) {
      if (channel != null) {
        deleteChannel(topic, channel);
      }
    } else if (kind < 95) {
      createTopic(TOPICS[random.nextInt(TOPICS.length)]);
    } else if (kind < 96) {
      deleteTopic(topic);
    } else if (kind < 97) {
      writeMetadata();
    } else if (kind < 99) {
      restart(kind == 97);
    } else {
      refuse();
    }
  }

  private <T> T pick(Iterable<T> from) {
    List<T> all = new ArrayList<>();
    from.forEach(all::add);
    return all.get(random.nextInt(all.size()));
  }

  private void publish(TopicModel topic) throws IOException {
    int count = random.nextInt(3) == 0 ? 1 + random.nextInt(20) : 1;
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int filler = random.nextInt(10) == 0 ? random.nextInt(9000 / count) : random.nextInt(200);
      texts.add(topic.name + bodies++ + "." + Character.toString('A' + bodies % 26).repeat(filler));
    }
    Published published =
        new Published(texts, random.nextInt(6) == 0 ? 1 + random.nextInt(100_000) : 0);
    Batch batch = Batches.of(published.deferMs, texts);
    long expected = topic.journal.nextOrdinal();
    try {
      topic.journal.append(batch);
    } catch (SyncFailedException refused) {
      return;
    }
    published.first = batch.firstOrdinal();
    PowerCutCheck.require(published.first >= expected, "ordinals go back");
    for (int i = 0; i < count; i++) {
      String before = topic.used.put(published.first + i, texts.get(i));
      PowerCutCheck.require(
          before == null, "ordinal " + (published.first + i) + " is used for " + before + " too");
    }
    topic.published.put(published.first, published);
    if (topic.heldFrom < 0) {
      // All of them before the first put: the power can fail in that, and the journal has it.
      for (ChannelModel channel : topic.channels.values()) {
        for (long ordinal = published.first; ordinal < published.end(); ordinal++) {
          channel.may.add(ordinal);
          channel.unfinished.add(ordinal);
        }
      }
      for (ChannelModel channel : topic.channels.values()) {
        put(channel, batch);
      }
    }
    boolean durable =
        topic.journal.whenDurable(
            new Journal.DurabilityListener() {
              @Override
              public void onDurable() {
                published.certain = true;
              }

              @Override
              public void onFailed(IOException e) {
                // Stays uncertain.
              }
            });
    PowerCutCheck.require(durable != synced, "whenDurable says " + durable);
  }

  private void put(ChannelModel channel, Batch batch) throws IOException {
    int inMemory = 0;
    List<MessageRef> refs = refs(batch);
    if (batch.deferMs() > 0 && random.nextBoolean()) {
      List<HeldMessage> held = new ArrayList<>();
      for (MessageRef ref : refs) {
        held.add(new HeldMessage(ref, timeNs / 1_000_000 + batch.deferMs()));
        channel.taken.add(new Taken(ref, timeNs / 1_000_000 + batch.deferMs()));
      }
      channel.backend.putHeld(batch, held);
      return;
    }
    if (channel.backend.isCaughtUp()) {
      inMemory = random.nextInt(batch.count() + 1);
      channel.memory.addAll(refs.subList(0, inMemory));
    }
    channel.backend.put(batch, inMemory);
  }

  private static List<MessageRef> refs(Batch batch) {
    List<MessageRef> refs = new ArrayList<>();
    var section = batch.section();
    int start = section.position();
    int at = start;
    for (int i = 0; i < batch.count(); i++) {
      int length = section.getInt(at);
      refs.add(
          new MessageRef(
              batch.firstOrdinal() + i,
              batch.position(),
              batch.sectionOffset() + at + Integer.BYTES - start,
              length,
              0));
      at += Integer.BYTES + length;
    }
    return refs;
  }

  /** A pass of the sync thread; in mode written what it forced is certain then. */
  private void sync() {
    boolean all = random.nextBoolean();
    syncThread.pass(true, all);
    if (all && syncThread.error() == null) {
      topics.values().forEach(this::allForced);
    }
  }

  private void consume(TopicModel topic, ChannelModel channel) throws IOException {
    OrdinalRanges delivered = new OrdinalRanges();
    MessageView view = new MessageView();
    for (int i = random.nextInt(30); i > 0; i--) {
      MessageRef ref = channel.memory.poll();
      if (ref == null && channel.backend.poll(view)) {
        ref = Batches.ref(view);
        PowerCutCheck.require(
            Batches.text(view).equals(topic.used.get(view.ordinal())),
            "message " + view.ordinal() + " reads otherwise");
      }
      if (ref != null) {
        ref.nextAttempt();
        delivered.add(ref.ordinal());
        channel.taken.add(new Taken(ref, 0));
      }
    }
    if (!delivered.isEmpty()) {
      channel.backend.deliver(delivered);
    }
    OrdinalRanges finished = new OrdinalRanges();
    List<HeldMessage> held = new ArrayList<>();
    List<Taken> left = new ArrayList<>();
    // Some rounds finish all there is, so that files get free.
    int finishOf10 = random.nextInt(4) == 0 ? 10 : random.nextInt(10);
    for (Taken taken : channel.taken) {
      if (random.nextInt(10) < finishOf10) {
        finished.add(taken.ref().ordinal());
        channel.unfinished.remove(taken.ref().ordinal());
      } else if (random.nextInt(10) == 0) {
        Taken again = new Taken(taken.ref(), random.nextInt(3) * (timeNs / 1_000_000 + 5000));
        held.add(new HeldMessage(again.ref(), again.dueMs()));
        left.add(again);
      } else {
        left.add(taken);
      }
    }
    channel.taken.clear();
    channel.taken.addAll(left);
    if (!finished.isEmpty()) {
      channel.backend.finish(finished);
      // Not before: a checkpoint's force within could not have covered them.
      for (int i = 0; i < finished.count(); i++) {
        for (long ordinal = finished.from(i); ordinal < finished.to(i); ordinal++) {
          channel.finishing.add(ordinal);
        }
      }
    }
    if (!held.isEmpty()) {
      channel.backend.hold(held);
    }
  }

  private Iterator<HeldMessage> held(ChannelModel channel) {
    return channel.taken.stream()
        .filter(taken -> taken.ref().attempts() > 0 || taken.dueMs() > 0)
        .map(taken -> new HeldMessage(taken.ref(), taken.dueMs()))
        .iterator();
  }

  private void checkpoint(ChannelModel channel) throws IOException {
    channel.backend.checkpoint(held(channel));
    try {
      channel.backend.removeOldFiles();
      channel.forced();
    } catch (SyncFailedException refused) {
      return;
    }
  }

  private void removeFiles(TopicModel topic) throws IOException {
    long needed = topic.heldFrom < 0 ? topic.journal.nextOrdinal() : topic.heldFrom;
    int pinnedFile = Integer.MAX_VALUE;
    for (ChannelModel channel : topic.channels.values()) {
      needed = Math.min(needed, channel.backend.neededFrom());
      pinnedFile = Math.min(pinnedFile, channel.backend.pinnedFile());
    }
    if (!topic.journal.hasFilesBelow(needed, pinnedFile)) {
      return;
    }
    try {
      for (ChannelModel channel : topic.channels.values()) {
        channel.backend.force();
        channel.forced();
      }
      topic.journal.removeBelow(needed, pinnedFile, Long.MAX_VALUE);
    } catch (SyncFailedException refused) {
      return;
    }
  }

  private void empty(ChannelModel channel) throws IOException {
    channel.memory.clear();
    channel.taken.clear();
    List<Long> dropped = List.copyOf(channel.unfinished);
    channel.unfinished.clear();
    channel.backend.empty();
    channel.finishing.addAll(dropped);
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
    topic.journal = new ChronicleJournal(dataDir.journalDir(name), options(), syncThread);
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
          ChronicleBackend.open(
              dataDir.channelDir(topic.name, name),
              topic.journal,
              syncThread,
              false,
              first,
              topic.heldFrom);
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
    dataDir.writeMetadata(PowerCutCheck.metadata(nextIdBase, topics));
  }

  /** The next forces of logs fail, until the sync thread has tried them. */
  private void refuse() throws Exception {
    disk.refuses(path -> path.toString().contains(".cq4"));
    for (TopicModel topic : topics.values()) {
      publish(topic);
    }
    syncThread.pass(false, true);
    disk.refuses(path -> false);
    if (random.nextBoolean()) {
      syncThread.pass(true, false);
    }
  }

  private static void deleteTree(Path dir) throws IOException {
    DurableFiles.deleteTree(Disk.LOCAL, dir);
    DurableFiles.deleteTree(Disk.LOCAL, dir.resolveSibling(dir.getFileName() + "-removed"));
  }

  @Override
  public void close() throws Exception {
    if (last != null) {
      last.check.close();
    }
    disk.onEvent(() -> {});
    disk.refuses(path -> false);
    abandon();
    for (AutoCloseable log : dead) {
      log.close();
    }
    try (Stream<Path> left = Files.list(home)) {
      for (Path path : (Iterable<Path>) left.toList()::iterator) {
        DurableFiles.deleteTree(Disk.LOCAL, path);
      }
    }
  }

  @Override
  public String toString() {
    return (synced ? "synced" : "written")
        + " seed "
        + seed
        + " life "
        + lives
        + " image "
        + images;
  }
}
