package io.holdfast.storage.topic;

import io.holdfast.storage.files.ShadowDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.log.SpareFiles;
import io.holdfast.storage.topic.PowerCutModel.ChannelModel;
import io.holdfast.storage.topic.PowerCutModel.Published;
import io.holdfast.storage.topic.PowerCutModel.Taken;
import io.holdfast.storage.topic.PowerCutModel.TopicModel;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Opens a directory as the broker does after a power cut or the death of its process, reads
 * everything, and compares it with what was promised. Remains open, to be gone on with. One thread.
 */
final class PowerCutCheck implements AutoCloseable {
  /** Longest time spent waiting while opening: Chronicle's stalls took 10 s and more. */
  private static final long MAX_WAITED_MS = 5000;

  private static final long FILE_BYTES = 40 << 10;
  private static final int MAX_RECORD_BYTES = 16 << 10;

  private final Path root;
  private final Map<String, TopicModel> expected;
  private final boolean synced;
  private final ShadowDisk disk;
  private final boolean powerLost;
  private final TreeMap<String, TopicModel> found = new TreeMap<>();

  private DataDir dataDir;
  private SyncThread syncThread;
  private boolean isStopped;
  private long nextIdBase;
  private long openMs;

  /**
   * @param isStopped whether the broker may have been one that has stopped, and said so
   */
  PowerCutCheck(
      Path root, Map<String, TopicModel> expected, boolean synced, String bootId, boolean isStopped)
      throws IOException {
    this(root, expected, synced, new ShadowDisk(root, bootId), true);
    this.isStopped = isStopped;
  }

  private PowerCutCheck(
      Path root,
      Map<String, TopicModel> expected,
      boolean synced,
      ShadowDisk disk,
      boolean powerLost) {
    this.root = root;
    this.expected = expected;
    this.synced = synced;
    this.disk = disk;
    this.powerLost = powerLost;
  }

  /**
   * Without a power cut: everything that was written is there, but not more certain than before.
   */
  static PowerCutCheck afterProcess(
      Path root, Map<String, TopicModel> expected, boolean synced, ShadowDisk disk) {
    return new PowerCutCheck(root, expected, synced, disk, false);
  }

  Path root() {
    return root;
  }

  static StorageOptions options(boolean synced, LongSupplier clock) {
    return new StorageOptions(FILE_BYTES, MAX_RECORD_BYTES, synced, 0, clock)
        .with(new SpareFiles(2, 1, () -> true));
  }

  static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  static Metadata metadata(long nextIdBase, Map<String, TopicModel> topics) {
    List<Metadata.TopicEntry> entries = new ArrayList<>();
    for (TopicModel topic : topics.values()) {
      List<Metadata.ChannelEntry> channels = new ArrayList<>();
      topic.channels.keySet().forEach(name -> channels.add(new Metadata.ChannelEntry(name, false)));
      entries.add(
          new Metadata.TopicEntry(
              topic.name,
              topic.idBase,
              false,
              topic.heldFrom,
              channels,
              topic.skippedTo(),
              null,
              topic.skipped));
    }
    return new Metadata(DataFormat.FIRST, nextIdBase, entries);
  }

  void run() throws IOException {
    long startNs = System.nanoTime();
    long waitedMs = waitedMs();
    open();
    openMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
    waitedMs = waitedMs() - waitedMs;
    require(waitedMs < MAX_WAITED_MS, "opening waited for " + waitedMs + " ms");
    for (TopicModel topic : expected.values()) {
      TopicModel here = found.get(topic.name);
      if (here == null) {
        require(!topic.certain || topic.ending, "topic " + topic.name + " is gone");
      } else {
        check(topic, here);
      }
    }
  }

  /** What this thread has waited and slept so far; a busy machine does not count. */
  private static long waitedMs() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    threads.setThreadContentionMonitoringEnabled(true);
    return threads.getThreadInfo(Thread.currentThread().getId()).getWaitedTime();
  }

  // ---------------------------------------------------------------- opening, as Broker and Topic
  // do

  private void open() throws IOException {
    dataDir = DataDir.open(root, disk);
    require(!powerLost || isStopped || dataDir.mayHaveLostPower(), "the power cut is not noticed");
    syncThread = SyncThread.stepped(disk);
    syncThread.share(dataDir.redoLog(), 1);
    if (dataDir.mayHaveUnforcedFiles()) {
      syncThread.forceLeftBehind(root);
    }
    Metadata metadata = dataDir.readMetadata();
    nextIdBase = metadata.nextIdBase();
    Map<String, Metadata.TopicEntry> entries = new HashMap<>();
    if (metadata.topics() != null) {
      metadata.topics().forEach(entry -> entries.put(entry.name(), entry));
    }
    for (String name : dataDir.topics()) {
      TopicModel model = expected.get(name);
      require(model != null, "topic " + name + " is back");
      restore(model, entries.get(name));
    }
    dataDir.writeMetadata(metadata(nextIdBase, found));
    dataDir.markSettled();
  }

  private void restore(TopicModel model, Metadata.TopicEntry entry) throws IOException {
    String name = model.name;
    dataDir.createTopic(name);
    if (entry == null) {
      nextIdBase = Metadata.newIdBase(nextIdBase, 0);
    }
    TopicModel topic = new TopicModel(name, entry == null ? nextIdBase : entry.idBase());
    found.put(name, topic);
    topic.journal =
        new ChronicleJournal(
            dataDir.journalDir(name), options(synced, System::nanoTime), syncThread);
    List<String> names = dataDir.channels(name);
    TopicRecovery recovery =
        TopicRecovery.of(topic.journal, entry, names, dataDir.mayHaveLostPower());
    topic.heldFrom = recovery.keptFrom();
    topic.skipped = recovery.skippedEntries();
    for (String channelName : names) {
      require(model.channels.containsKey(channelName), name + "/" + channelName + " is back");
      ChannelModel channel = new ChannelModel(channelName);
      topic.channels.put(channelName, channel);
      channel.backend =
          ChannelBackends.open(
              dataDir.channelDir(name, channelName),
              topic.journal,
              syncThread,
              recovery.isKnown(channelName),
              recovery.first(),
              topic.heldFrom);
      channel.backend.takeHeld().forEach(message -> channel.taken.add(Taken.of(message)));
    }
  }

  // ---------------------------------------------------------------- checks

  private void check(TopicModel before, TopicModel now) throws IOException {
    String name = before.name;
    Set<Long> readable = readJournal(before, now);
    if (!before.used.isEmpty()) {
      require(
          now.journal.nextOrdinal() > before.used.lastKey(),
          name + " would use ordinal " + now.journal.nextOrdinal() + " again");
    }
    for (Published published : before.published.values()) {
      TreeSet<Long> of = new TreeSet<>();
      for (long ordinal = published.first; ordinal < published.end(); ordinal++) {
        of.add(ordinal);
      }
      int count = of.size();
      of.retainAll(readable);
      require(
          of.isEmpty() || of.size() == count, name + ": of " + count + " at once are left " + of);
      boolean held = before.heldFrom >= 0 && published.first >= before.heldFrom;
      if (held && mustSurvive(published) && now.channels.isEmpty()) {
        require(
            !of.isEmpty() && published.first >= now.heldFrom,
            name + ": kept-back message " + published.first + " is lost");
      }
      if (!of.isEmpty()) {
        now.published.put(published.first, published);
      }
    }
    now.used.putAll(before.used);
    for (ChannelModel channel : before.channels.values()) {
      ChannelModel here = now.channels.get(channel.name);
      if (here == null) {
        require(!channel.certain || channel.ending, name + "/" + channel.name + " is gone");
      } else {
        check(before, channel, here, readable);
      }
    }
  }

  private boolean mustSurvive(Published published) {
    return published.certain || !powerLost;
  }

  private static Set<Long> readJournal(TopicModel before, TopicModel now) throws IOException {
    Set<Long> readable = new TreeSet<>();
    MessageView view = new MessageView();
    try (JournalCursor cursor = now.journal.cursor()) {
      cursor.moveTo(0);
      while (cursor.next(view, now.journal.nextOrdinal())) {
        checkBody(before, view, "journal");
        readable.add(view.ordinal());
      }
    }
    return readable;
  }

  private static void checkBody(TopicModel before, MessageView view, String where) {
    String what = before.name + " " + where + ": message " + view.ordinal();
    String body = before.used.get(view.ordinal());
    require(body != null, what + " was never published");
    require(body.equals(Batches.text(view)), what + " is not what was published");
    Published published = before.holding(view.ordinal());
    require(
        published == null || published.deferMs == view.deferMs(),
        what + " is deferred by " + view.deferMs());
  }

  private void check(TopicModel before, ChannelModel channel, ChannelModel here, Set<Long> readable)
      throws IOException {
    String name = before.name + "/" + channel.name;
    NavigableSet<Long> delivered = drain(before, here, name);
    TreeSet<Long> lost = new TreeSet<>();
    for (long ordinal : channel.unfinished) {
      Published published = before.holding(ordinal);
      boolean must = readable.contains(ordinal) || (published != null && mustSurvive(published));
      if (must && !delivered.contains(ordinal)) {
        lost.add(ordinal);
      }
    }
    require(lost.isEmpty(), () -> name + " lost " + lost + ", delivers " + delivered);
    TreeSet<Long> back = new TreeSet<>(delivered);
    back.removeAll(powerLost ? channel.may : channel.unfinished);
    require(back.isEmpty(), () -> name + " delivers what is finished: " + back);
    if (channel.rewind != null) {
      checkRewind(before, channel.rewind, readable, delivered, name);
    }
    for (Taken taken : here.taken) {
      require(
          taken.dead() || !channel.dead.contains(taken.ref().ordinal()),
          name + ": " + taken.ref().ordinal() + " is not dead any more");
    }
    require(here.backend.depth() == 0, name + " says it has " + here.backend.depth() + " more");
    here.unfinished.addAll(delivered);
    here.may.addAll(powerLost ? delivered : channel.may);
    if (!powerLost) {
      here.finishing.addAll(channel.finishing);
    }
  }

  /** It is there as a whole or not at all. */
  private void checkRewind(
      TopicModel before,
      PowerCutModel.Rewind rewind,
      Set<Long> readable,
      Set<Long> delivered,
      String name) {
    TreeSet<Long> must = new TreeSet<>(readable);
    must.addAll(before.certain(before.used.keySet()));
    TreeSet<Long> old = new TreeSet<>(rewind.unfinishedBefore());
    old.retainAll(must);
    TreeSet<Long> after = new TreeSet<>(rewind.after());
    after.retainAll(must);
    boolean isOld = delivered.containsAll(old) && rewind.mayBefore().containsAll(delivered);
    boolean isNew = delivered.containsAll(after) && rewind.after().containsAll(delivered);
    require(
        isOld || isNew,
        () -> name + " is rewound in part: " + delivered + ", not " + old + " or " + after);
  }

  private static void require(boolean holds, java.util.function.Supplier<String> what) {
    if (!holds) {
      throw new AssertionError(what.get());
    }
  }

  /** Takes everything out of a channel, as its consumers would. */
  private static NavigableSet<Long> drain(TopicModel before, ChannelModel here, String name)
      throws IOException {
    TreeSet<Long> delivered = new TreeSet<>();
    MessageView view = new MessageView();
    List<Taken> readable = new ArrayList<>();
    OrdinalRanges gone = new OrdinalRanges();
    for (Taken taken : here.taken) {
      if (here.backend.read(taken.ref(), view)) {
        checkBody(before, view, name);
        require(delivered.add(view.ordinal()), name + " holds " + view.ordinal() + " twice");
        readable.add(taken);
      } else {
        gone.add(taken.ref().ordinal());
      }
    }
    here.taken.clear();
    here.taken.addAll(readable);
    if (!gone.isEmpty()) {
      // As the channel does with what cannot be read.
      here.backend.finish(gone);
    }
    while (here.backend.poll(view)) {
      checkBody(before, view, name);
      require(delivered.add(view.ordinal()), name + " delivers " + view.ordinal() + " twice");
      here.taken.add(new Taken(Batches.ref(view), 0));
    }
    return delivered;
  }

  // ---------------------------------------------------------------- going on

  /** What there is now, to go on with. */
  Map<String, TopicModel> adopt() {
    for (TopicModel topic : found.values()) {
      topic.certain = true;
      topic.published.replaceAll((first, published) -> published.copy());
      topic.channels.values().forEach(channel -> channel.certain = true);
      if (powerLost) {
        topic.published.values().forEach(published -> published.certain = true);
      }
    }
    return found;
  }

  ShadowDisk disk() {
    return disk;
  }

  DataDir dataDir() {
    return dataDir;
  }

  SyncThread syncThread() {
    return syncThread;
  }

  long nextIdBase() {
    return nextIdBase;
  }

  long openMs() {
    return openMs;
  }

  @Override
  public void close() throws IOException {
    for (TopicModel topic : found.values()) {
      topic.channels.values().forEach(channel -> channel.backend.close());
      topic.journal.close();
    }
    if (dataDir != null) {
      dataDir.close();
    }
  }
}
