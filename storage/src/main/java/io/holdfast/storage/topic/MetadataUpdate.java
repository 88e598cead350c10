package io.holdfast.storage.topic;

import io.holdfast.storage.topic.Metadata.TopicEntry;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the metadata is to say of some topics; of the others it says what it said. Not thread-safe.
 */
public final class MetadataUpdate {
  private final long nextIdBase;
  private final Map<String, TopicEntry> topics = new LinkedHashMap<>();

  /**
   * @param nextIdBase as {@link Metadata#nextIdBase}
   */
  public MetadataUpdate(long nextIdBase) {
    this.nextIdBase = nextIdBase;
  }

  /**
   * Says something of a topic.
   *
   * @param entry null for one that is no more
   */
  public void put(String topic, TopicEntry entry) {
    topics.put(topic, entry);
  }

  long nextIdBase() {
    return nextIdBase;
  }

  /** By name; null for a topic that is no more. */
  Map<String, TopicEntry> topics() {
    return topics;
  }

  /** What it makes of topics that are found by their names. */
  void applyTo(Map<String, TopicEntry> found) {
    topics.forEach(
        (name, topic) -> {
          if (topic == null) {
            found.remove(name);
          } else {
            found.put(name, topic);
          }
        });
  }

  /** The format that what it says needs. */
  int neededFormat() {
    return topics.values().stream().anyMatch(topic -> topic != null && topic.hasPolicy())
        ? DataFormat.NEWEST
        : DataFormat.FIRST;
  }
}
