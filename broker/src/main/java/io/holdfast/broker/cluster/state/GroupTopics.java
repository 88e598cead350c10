package io.holdfast.broker.cluster.state;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalEnd;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The topics of a group by name and number, and what numbers are given out next. Changed on the
 * apply thread, read by any.
 */
final class GroupTopics {
  private final StorageOptions options;
  private final SyncThread syncThread;
  private final TopicDirs dirs;

  private final ConcurrentSkipListMap<String, ReplicatedTopic> byName =
      new ConcurrentSkipListMap<>();

  /** In this order they are summed up: the same on all nodes. */
  private final ConcurrentSkipListMap<Long, ReplicatedTopic> byNumber =
      new ConcurrentSkipListMap<>();

  /** Of the next topic or channel; 0 is nobody's. */
  private long nextNumber = 1;

  /** See {@link Metadata#nextIdBase}. */
  private long nextIdBase;

  GroupTopics(StorageOptions options, SyncThread syncThread, TopicDirs dirs) {
    this.options = options;
    this.syncThread = syncThread;
    this.dirs = dirs;
  }

  TopicDirs dirs() {
    return dirs;
  }

  ReplicatedTopic get(String name) {
    return byName.get(name);
  }

  ReplicatedTopic get(long number) {
    return byNumber.get(number);
  }

  /** By number; a live view. */
  Collection<ReplicatedTopic> all() {
    return Collections.unmodifiableCollection(byNumber.values());
  }

  long nextNumber() {
    return nextNumber;
  }

  long nextIdBase() {
    return nextIdBase;
  }

  /** Gives out a number. */
  long takeNumber() {
    return nextNumber++;
  }

  /**
   * Makes a topic.
   *
   * @param timeMs the leader's, ms since 1970
   */
  ReplicatedTopic create(String name, long timeMs) throws IOException {
    long number = takeNumber();
    long idBase = Metadata.newIdBase(nextIdBase, timeMs);
    nextIdBase = idBase;
    dirs.createEmpty(name, number);
    ChronicleJournal journal = open(name, number, JournalEnd.EMPTY, 0, new OrdinalRanges(), false);
    ReplicatedTopic topic = new ReplicatedTopic(name, number, idBase, journal);
    add(topic);
    return topic;
  }

  /** Opens the journal of a topic as it was; see {@link ChronicleJournal#restore}. */
  ChronicleJournal open(
      String name,
      long number,
      JournalEnd end,
      long nextOrdinal,
      OrdinalRanges skipped,
      boolean checkAll)
      throws IOException {
    return ChronicleJournal.restore(
        dirs.journal(name, number), options, syncThread, end, nextOrdinal, skipped, checkAll);
  }

  void add(ReplicatedTopic topic) {
    byNumber.put(topic.number(), topic);
    byName.put(topic.name(), topic);
  }

  /** Deletes a topic; its directory stays until no snapshot needs it. Under the topic's lock. */
  void delete(ReplicatedTopic topic) {
    byName.remove(topic.name());
    byNumber.remove(topic.number());
    // Whatever clock the next leader has: its ids are above all of these.
    nextIdBase = Math.max(nextIdBase, topic.idBase() + topic.journal().nextOrdinal());
    topic.journal().close();
  }

  /** As a snapshot says; closes what there is. */
  void restart(long numbersFrom, long idBasesFrom) {
    close();
    nextNumber = numbersFrom;
    nextIdBase = idBasesFrom;
  }

  void close() {
    for (ReplicatedTopic topic : byNumber.values()) {
      synchronized (topic.lock()) {
        topic.journal().close();
      }
    }
    byName.clear();
    byNumber.clear();
  }
}
