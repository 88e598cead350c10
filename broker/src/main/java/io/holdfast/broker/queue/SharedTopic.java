package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.CarriedMessage;
import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What comes to a topic from its {@link TopicLog}: the changes that those have agreed on who share
 * it, made here in their order. Each method is called under the topic's lock, by one thread, blocks
 * for nothing and waits for no disk.
 */
public final class SharedTopic {
  private static final Logger LOG = LoggerFactory.getLogger(SharedTopic.class);

  private final Topic topic;
  private final TopicContext context;
  private final KeptBack keptBack;
  private final TopicChannels channels;
  private final SharedPublishing publishing;
  private final TopicAdmin admin;
  private final TopicEnd end;

  SharedTopic(
      Topic topic,
      TopicContext context,
      KeptBack keptBack,
      TopicChannels channels,
      SharedPublishing publishing,
      TopicAdmin admin,
      TopicEnd end) {
    this.topic = topic;
    this.context = context;
    this.keptBack = keptBack;
    this.channels = channels;
    this.publishing = publishing;
    this.admin = admin;
    this.end = end;
  }

  /**
   * What a topic that several brokers share is made of.
   *
   * @param idBase message ids begin here
   * @param nodeId 0..1023, the same with all of them
   * @param journal somebody else's, who appends what was agreed on and closes it
   * @param lock under which that happens: the topic's lock
   * @param log where its changes go
   * @param keptFrom the first ordinal kept back from the channels; negative for nothing
   * @param paused whether it keeps messages back
   * @param policy what was set by hand
   */
  public record Parts(
      String name,
      long idBase,
      int nodeId,
      ChronicleJournal journal,
      Object lock,
      TopicLog log,
      long keptFrom,
      boolean paused,
      Map<String, String> policy) {}

  /** Makes a topic without channels: each is to be {@link #adopt}ed. Under its lock. */
  public static SharedTopic open(Parts parts, TopicContext context) {
    return Topic.shared(parts, context);
  }

  /** The topic, for everybody. Any thread. */
  public Topic topic() {
    return topic;
  }

  /** A channel that there was before. */
  public void adopt(SharedChannel channel) throws IOException {
    channels.adopt(channel, keptBack.forMetadata());
  }

  /** Messages are in the journal. */
  @SuppressWarnings("GuardedBy") // the topic's lock
  public void published(Batch batch) {
    publishing.published(batch);
  }

  /**
   * There is another channel.
   *
   * @param keptFrom as in {@link Parts}, from now on
   */
  public void channelCreated(SharedChannel channel, long keptFrom) throws IOException {
    channels.adopt(channel, keptFrom);
    keptBack.follow(keptFrom);
    LOG.info("TOPIC({}): new channel({})", topic.name(), channel.name());
    context.channelCreated(topic.name(), channel.name());
  }

  /** A channel is no more. */
  public void channelDeleted(String name, long keptFrom) {
    LOG.info("TOPIC({}): deleting channel({})", topic.name(), name);
    channels.remove(name);
    keptBack.follow(keptFrom);
  }

  /** It keeps messages back from the channels, or not any more. */
  @SuppressWarnings("GuardedBy") // the topic's lock
  public void paused(boolean on, long keptFrom) {
    admin.applyPaused(on, keptFrom);
  }

  /** What was kept back is dropped. */
  @SuppressWarnings("GuardedBy") // the topic's lock
  public void emptied(long keptFrom) {
    admin.applyEmptied(keptFrom);
  }

  /** Something else was set by hand. */
  @SuppressWarnings("GuardedBy") // the topic's lock
  public void policyChanged(Map<String, String> byHand) {
    admin.applyPolicy(byHand);
  }

  /** A channel delivers nothing, or goes on. */
  public void channelPaused(String name, boolean on) {
    Channel channel = channels.get(name);
    if (channel != null) {
      channel.admin().applyPaused(on);
    }
  }

  /**
   * A channel was emptied, or put to another position: it begins anew.
   *
   * @param state what is finished and held; a copy, which the channel changes
   * @param epoch of what it writes down from now on
   */
  public void channelMoved(String name, LedgerState state, long epoch) throws IOException {
    Channel channel = channels.get(name);
    if (channel != null) {
      channel.admin().applyMove(state, epoch, keptBack.forMetadata());
    }
  }

  /** Something else was set by hand for a channel. */
  public void channelPolicyChanged(String name, Map<String, String> byHand) {
    Channel channel = channels.get(name);
    if (channel != null) {
      channel.admin().applyPolicy(byHand);
    }
  }

  /** Messages have copies in the journal: from now on they are read there. */
  public void carried(Collection<CarriedMessage> messages) {
    Map<Long, CarriedMessage> copies = new TreeMap<>();
    messages.forEach(message -> copies.put(message.ordinal(), message));
    channels.all().forEach(channel -> channel.upkeep().carried(copies));
  }

  /**
   * From this message on a channel has everything in the journal only; Long.MAX_VALUE when there is
   * no such channel. Any thread.
   */
  public long backlogFrom(String name) {
    Channel channel = channels.get(name);
    return channel == null ? Long.MAX_VALUE : channel.upkeep().backlogFrom();
  }

  /** Files of the journal were removed: nobody keeps them open. Any thread, without locks. */
  public void filesRemoved() {
    channels.all().forEach(channel -> channel.upkeep().journalFilesRemoved());
  }

  /**
   * The topic ends here, and writes nothing any more.
   *
   * @param deleted whether with all brokers; otherwise it is somebody else's from now on
   */
  public void end(boolean deleted) {
    end.endShared(deleted);
  }
}
