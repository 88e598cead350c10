package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.broker.cluster.state.Entries;
import io.holdfast.broker.cluster.state.Origin;
import io.holdfast.broker.cluster.state.ReplicatedChannel;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.SharedLogException;
import io.holdfast.broker.queue.TopicLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/** Where the changes of a led topic go: into its group's log. For one term. */
final class ReplicatedTopicLog implements TopicLog {
  private final TermLog log;
  private final ReplicatedTopic topic;

  /** Whether the topic was deleted: what is applied after that did nothing. */
  private volatile boolean deleted;

  ReplicatedTopicLog(TermLog log, ReplicatedTopic topic) {
    this.log = log;
    this.topic = topic;
  }

  /** The topic was deleted. Apply thread. */
  void deleted() {
    deleted = true;
  }

  @Override
  public void publish(
      ByteBuffer section, int count, long deferMs, long timeNs, PublishListener listener) {
    Origin origin = listener.identity() instanceof Origin asked ? asked : log.nextOrigin();
    ByteBuffer entry = Entries.publish(origin, timeNs, topic.number(), deferMs, count, section);
    log.propose(
        entry,
        new Proposal() {
          @Override
          public void applied(long index) {
            if (deleted) {
              listener.onFailed("exiting");
            } else {
              listener.onDurable();
            }
          }

          @Override
          public void refused(String reason) {
            listener.onRefused(log.refusal(topic.name(), reason));
          }

          @Override
          public void unknown(String reason) {
            listener.onUnknown(TermLog.unknown(topic.name()));
          }
        });
  }

  @Override
  public void dropKept(long first) {
    // When it is refused the next publish asks for more, or whoever leads next.
    log.propose(Entries.dropKept(topic.number(), first, log.nowNs()), new Leadership.Unheeded());
  }

  @Override
  public void createChannel(String channel, long from) throws IOException {
    long first = from == BY_RULE ? Entries.NONE : from;
    change(Entries.createChannel(topic.number(), channel, first, log.nowNs()));
  }

  @Override
  public void deleteChannel(String channel) throws IOException {
    ReplicatedChannel there = topic.channel(channel);
    if (there != null) {
      change(Entries.deleteChannel(topic.number(), there.number(), log.nowNs()));
    }
  }

  @Override
  public void delete() throws IOException {
    log.change(topic.name(), Entries.deleteTopic(topic.number(), log.nowNs()));
  }

  @Override
  public void pause(boolean on) throws IOException {
    change(Entries.pause(topic.number(), Entries.TOPIC_ITSELF, on, log.nowNs()));
  }

  @Override
  public void empty() throws IOException {
    change(Entries.empty(topic.number(), Entries.TOPIC_ITSELF, log.nowNs()));
  }

  @Override
  public void setPolicy(Map<String, String> byHand) throws IOException {
    change(Entries.policy(topic.number(), Entries.TOPIC_ITSELF, byHand, log.nowNs()));
  }

  @Override
  public void pauseChannel(String channel, boolean on) throws IOException {
    change(Entries.pause(topic.number(), numberOf(channel), on, log.nowNs()));
  }

  @Override
  public void emptyChannel(String channel) throws IOException {
    change(Entries.empty(topic.number(), numberOf(channel), log.nowNs()));
  }

  @Override
  public void rewindChannel(String channel, long first) throws IOException {
    change(Entries.rewind(topic.number(), numberOf(channel), first, log.nowNs()));
  }

  @Override
  public void setChannelPolicy(String channel, Map<String, String> byHand) throws IOException {
    change(Entries.policy(topic.number(), numberOf(channel), byHand, log.nowNs()));
  }

  private long numberOf(String channel) throws SharedLogException {
    ReplicatedChannel there = topic.channel(channel);
    if (there == null) {
      throw new SharedLogException("exiting", false);
    }
    return there.number();
  }

  private void change(ByteBuffer entry) throws IOException {
    log.change(topic.name(), entry);
    if (deleted) {
      throw new SharedLogException("exiting", false);
    }
  }
}
