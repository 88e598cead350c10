package io.holdfast.broker.queue;

import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.policy.Policies;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;

/** What a topic needs of its broker. All methods are safe for any thread. */
public interface TopicContext {
  DataDir dataDir();

  SyncThread syncThread();

  QueueScan queueScan();

  ChannelSettings channelSettings();

  /** Told of disk errors. */
  ChannelSettings.DiskErrors diskErrors();

  /** Says which policies are in force. */
  default Policies policies() {
    return Policies.NONE;
  }

  /** Some channel has dead letters that are to be published to a topic. Does not block. */
  default void deadLettersToBePublished() {
    // They stay where they are.
  }

  /** How journals are kept; an ephemeral topic never waits for the disk. */
  StorageOptions storageOptions(boolean ephemeral);

  /** Where durations are counted. */
  BrokerMeters meters();

  /** 0..1023, part of each message id of topics that are made now. */
  int nodeId();

  /** Messages that an ephemeral topic without channels keeps. */
  int memQueueSize();

  /** Channels of a topic at most. */
  int maxChannels();

  /** After so many ns without a change the files are closed. */
  long idleCloseNs();

  /** Finished messages stay on disk for so many ms. */
  long retentionMs();

  /** A topic's files may take so many bytes; 0 for no limit. */
  long maxDiskBytesPerTopic();

  /** Why no publish is taken now, for the client; null when they are. */
  String publishRefusal();

  /** As {@link #publishRefusal()} for a topic that several brokers share. */
  default String sharedPublishRefusal() {
    return publishRefusal();
  }

  /** Whether the disk has room for so many bytes beyond what it needs to work. */
  boolean hasRoom(long bytes);

  /** A publish went well. */
  void published();

  /** So many bytes of messages were published. */
  default void published(long bytes) {
    published();
  }

  /**
   * Why no channel can be created that needs room on the disk, for the client; null when it can. On
   * a full disk it gets room that is kept back: without a channel nothing can be consumed.
   */
  default String channelRefusal() {
    return null;
  }

  /**
   * Removes what a creation that failed has left on the disk.
   *
   * @param channel null for the topic itself
   */
  default void takeBack(String topic, String channel) {
    // Without a disk there is nothing.
  }

  /** A channel came to be; for nsqlookupd and the metadata file. Does not block. */
  void channelCreated(String topic, String channel);

  /** A channel is gone; for nsqlookupd. Does not block. */
  void channelDeleted(String topic, String channel);

  /**
   * Sees to it that no topic made from now on gives out an id below this one; on disk when this
   * returns.
   */
  default void retireIds(long idEnd) throws IOException {
    // Without a disk nobody comes back.
  }

  /** Writes down the metadata of everything; on disk when this returns. */
  void persistMetadata() throws IOException;

  /**
   * As {@link #persistMetadata()} where only one topic and its channels may have changed: costs the
   * same however many topics there are.
   */
  default void persistMetadata(String topic) throws IOException {
    persistMetadata();
  }
}
