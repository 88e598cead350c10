package io.holdfast.broker.cluster.state;

import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.group.StateCodec;
import io.holdfast.storage.journal.StorageOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The topics of one group as a function of its log: every node that has applied the same entries
 * has the same. Entries come on one thread, the apply thread; what it says is read by any.
 */
public final class GroupState {
  /** At every so many entries what nobody needs is found out, and nodes can compare. */
  public static final long SETTLE_EVERY = 1024;

  private final GroupPlace place;
  private final Disk disk;
  private final GroupTopics topics;
  private final EntryApplier applier;
  private final RollingCrc crc = new RollingCrc();
  private final Removals removals = new Removals();
  private final EarlyForces early;

  private volatile long appliedIndex;
  private volatile long appliedTerm;

  /** The newest version of entries that the log has allowed. */
  private int format = Entries.VERSION;

  private boolean lastWasVoid;

  /** Whether it is known with which state the log goes on. */
  private boolean begun;

  /** Why nothing is applied any more. */
  private IOException failed;

  /**
   * A state without topics.
   *
   * @param options for the journals; whether OK waits for the disk is the log's matter
   * @param syncThread forces the journals for snapshots
   */
  public GroupState(GroupPlace place, StorageOptions options, SyncThread syncThread) {
    this.place = place;
    disk = syncThread.disk();
    topics = new GroupTopics(options, syncThread, new TopicDirs(place, disk));
    early = new EarlyForces(place.group());
    applier = new EntryApplier(topics, removals, early);
  }

  // ---------------------------------------------------------------- any thread

  /** The topic of a name, null when there is none. */
  public ReplicatedTopic topic(String name) {
    return topics.get(name);
  }

  /** The topic of a number, null when there is none. */
  public ReplicatedTopic topic(long number) {
    return topics.get(number);
  }

  /** The topics by number; a live view, not to be changed. */
  public Collection<ReplicatedTopic> topics() {
    return topics.all();
  }

  /** The index of the last entry that was applied, 0 for none. */
  public long appliedIndex() {
    return appliedIndex;
  }

  /** Sums up all that was applied and what it led to: equal on all nodes at the same index. */
  public int crc() {
    return crc.now().value();
  }

  /**
   * {@link #crc}, unless an entry behind an index has changed it already. Any thread.
   *
   * @param index up to which entries are applied, perhaps the engine's own behind {@link
   *     #appliedIndex}
   */
  public OptionalInt crcUpTo(long index) {
    RollingCrc.Sum now = crc.now();
    return now.index() <= index ? OptionalInt.of(now.value()) : OptionalInt.empty();
  }

  /**
   * What {@link #crc} was at the last fixed indexes, and is now, for comparison with other nodes
   * that have come as far: where they differ, one of them applies wrongly.
   *
   * @return by index
   */
  public Map<Long, Integer> crcMarks() {
    Map<Long, Integer> all = new TreeMap<>(crc.marks());
    RollingCrc.Sum now = crc.now();
    all.put(now.index(), now.value());
    return all;
  }

  /** Who is told of changes from now on; null for nobody. Between two entries. */
  public void observer(GroupObserver observer) {
    applier.observer(observer);
  }

  /** Who is told of publish commands from now on; null for nobody. */
  public void watch(PublishWatch watch) {
    applier.watch(watch);
  }

  /** Who is told which topics and channels there are, from now on. */
  public void names(NamesWatch names) {
    applier.names(names);
  }

  // ---------------------------------------------------------------- apply thread

  /**
   * Applies an entry.
   *
   * @param entry from position to limit; only until this returns
   * @throws IOException when it cannot be applied here: nothing more is applied then, by this state
   */
  public void apply(long index, long term, ByteBuffer entry) throws IOException {
    if (failed != null) {
      throw failed;
    }
    try {
      applyNext(index, term, entry);
    } catch (IOException | RuntimeException e) {
      failed = new IOException("entry " + index + " cannot be applied: " + e.getMessage(), e);
      throw failed;
    }
  }

  private void applyNext(long index, long term, ByteBuffer bytes) throws IOException {
    if (index <= appliedIndex) {
      throw new IOException("it comes behind " + appliedIndex);
    }
    beginEmpty();
    Entry entry = Entry.of(bytes, format);
    long result =
        switch (entry.type()) {
          case TERM -> begins(term);
          case FORMAT -> allow(entry.read(ByteBuffer::get) & 0xff);
          default -> applier.apply(entry);
        };
    lastWasVoid = result == EntryApplier.VOID;
    crc.add(index, entry.crc(), result);
    if (index / SETTLE_EVERY != appliedIndex / SETTLE_EVERY) {
      // Not all indexes are entries of ours: the first one at or behind the fixed one.
      crc.add(index, 0, applier.settle());
      crc.mark(index, appliedIndex);
    }
    crc.applied(index);
    appliedIndex = index;
    appliedTerm = term;
  }

  private long begins(long term) {
    PublishWatch watch = applier.watch();
    if (watch != null) {
      watch.termBegins(term);
    }
    return term;
  }

  private long allow(int version) throws IOException {
    if (version > Entries.VERSION) {
      throw new IOException("the log goes on in version " + version + ", which is not known");
    }
    format = Math.max(format, version);
    return format;
  }

  /** Without a snapshot the log has everything, from its first entry on. */
  private void beginEmpty() throws IOException {
    if (!begun) {
      new GroupLoader(topics, disk).removeOthers(Map.of());
      begun = true;
    }
  }

  /**
   * Notes all there is, for a snapshot; see {@link GroupMember#snapshot}.
   *
   * @param index up to which entries are applied; those behind {@link #appliedIndex} are not ours
   */
  public GroupMember.Snapshot snapshot(long index, long term) throws IOException {
    beginEmpty();
    List<TopicImage> images = new ArrayList<>();
    List<ReplicatedTopic> noted = new ArrayList<>();
    List<Removals.OldFiles> old = new ArrayList<>();
    for (ReplicatedTopic topic : topics.all()) {
      synchronized (topic.lock()) {
        List<Integer> files = new ArrayList<>(topic.journal().fileNumbers());
        List<Integer> below = topic.filesNotNeeded();
        files.removeAll(below);
        images.add(topic.image(files));
        noted.add(topic);
        if (!below.isEmpty()) {
          old.add(new Removals.OldFiles(topic, below));
        }
      }
    }
    removals.snapshotBegins(index, old);
    GroupImage image =
        new GroupImage(
            place.group(),
            appliedIndex,
            term,
            crc.now().value(),
            format,
            topics.nextNumber(),
            topics.nextIdBase(),
            images);
    return new GroupSnapshot(image, noted, topics.dirs(), disk);
  }

  /**
   * Takes over a snapshot in place of all there is; see {@link GroupMember#load}. To be done at
   * each start with the last finished one, if there is any: what a crash has left half done is
   * finished by that.
   *
   * @throws IOException when something is missing or damaged, naming file and offset; nothing is
   *     applied then
   */
  public void load(Path dir) throws IOException {
    begun = true;
    try {
      Path file = dir.resolve(StateCodec.FILE);
      GroupImage image = StateCodec.read(file);
      if (image.group() != place.group()) {
        throw new IOException(file + " is of group " + image.group() + ", not " + place.group());
      }
      if (image.format() > Entries.VERSION) {
        throw new IOException(file + ": entries of version " + image.format() + " are not known");
      }
      removals.clear();
      // Journals are closed and cut back.
      early.settle();
      new GroupLoader(topics, disk).load(image, dir);
      format = image.format();
      crc.restart(image.index(), image.crc());
      appliedIndex = image.index();
      appliedTerm = image.term();
    } catch (IOException | RuntimeException e) {
      failed = new IOException("the snapshot cannot be loaded: " + e.getMessage(), e);
      throw failed;
    }
    applier.names().replaced();
    // Also at a start: one that was sent here, but not loaded before the group stopped, has entries
    // that this node has never seen.
    PublishWatch watch = applier.watch();
    if (watch != null) {
      watch.snapshotInstalled();
    }
  }

  /**
   * A snapshot is finished, of which the next start would begin: what older ones had and it has not
   * goes from the disk. Housekeeping; harmless when nothing is new.
   *
   * @param index of the last finished snapshot
   */
  public void snapshotFinished(long index) throws IOException {
    removals.snapshotFinished(index, topics.dirs(), applier.observer());
  }

  /** Whether the last entry did nothing, as its topic or channel was gone, or there already. */
  public boolean wasVoid() {
    return lastWasVoid;
  }

  /** The term of the last entry that was applied. */
  public long appliedTerm() {
    return appliedTerm;
  }

  /** Closes the journals' files until they are needed. Any thread. */
  public void closeIdle() {
    for (ReplicatedTopic topic : topics.all()) {
      synchronized (topic.lock()) {
        topic.journal().closeIdle();
      }
    }
  }

  /** Closes the journals; nothing is applied any more. */
  public void close() {
    early.close();
    topics.close();
  }
}
