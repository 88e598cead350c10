package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.MetadataUpdate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the metadata file is to say of the topics, as they are when it is asked. Thread-safe. */
public final class TopicsInFile {
  private final Map<String, Topic> topics;
  private final Object lock;

  @GuardedBy("lock")
  private final Map<String, Topic> creating;

  private final IdBases idBases;

  /**
   * @param topics those that are found, for any thread
   * @param creating those that are not found yet; they are there before they are not here
   * @param lock guards these
   */
  TopicsInFile(
      Map<String, Topic> topics, Map<String, Topic> creating, Object lock, IdBases idBases) {
    this.topics = topics;
    this.creating = creating;
    this.lock = lock;
    this.idBases = idBases;
  }

  /** All of them. */
  public Metadata all() {
    Set<Topic> all;
    synchronized (lock) {
      all = new LinkedHashSet<>(creating.values());
    }
    // Afterwards: who is no longer being created by now is found here.
    all.addAll(topics.values());
    List<Metadata.TopicEntry> entries = new ArrayList<>();
    for (Topic topic : all) {
      Metadata.TopicEntry entry = topic.metadata();
      if (entry != null) {
        entries.add(entry);
      }
    }
    return new Metadata(DataFormat.FIRST, idBases.next(), entries);
  }

  /** Some of them, by name; one that is not there is no more. */
  public MetadataUpdate of(Collection<String> names) {
    MetadataUpdate update = new MetadataUpdate(idBases.next());
    for (String name : names) {
      Topic topic;
      synchronized (lock) {
        topic = creating.get(name);
      }
      // Afterwards, as above.
      Topic found = topic == null ? topics.get(name) : topic;
      update.put(name, found == null ? null : found.metadata());
    }
    return update;
  }
}
