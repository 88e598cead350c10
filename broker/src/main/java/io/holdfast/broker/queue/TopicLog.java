package io.holdfast.broker.queue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Where the changes of a topic go first that several brokers share: a log whose order they agree
 * on. What they have agreed on comes back as calls of {@link SharedTopic}, and only then is it so.
 *
 * <p>All but {@link #publish} and {@link #dropKept} return when the change was made here, so they
 * are for workers. They need not have happened when they fail: see {@link SharedLogException}.
 */
public interface TopicLog {
  /** {@link #createChannel} where the topic's rules say where the channel begins. */
  long BY_RULE = -1;

  /**
   * Has messages published. Never blocks.
   *
   * @param section as for {@link Topic#putMessages}; not kept
   * @param timeNs publish time, ns since 1970
   * @param listener told what became of it, maybe before this returns
   * @throws BrokerException when nothing is taken now; the listener is not told
   */
  void publish(ByteBuffer section, int count, long deferMs, long timeNs, PublishListener listener)
      throws BrokerException;

  /**
   * Has the oldest messages dropped that the topic keeps back. Never blocks, and nobody is told.
   *
   * @param first the first one that stays
   */
  void dropKept(long first);

  /**
   * Has a channel made that lasts; also when there is one by now.
   *
   * @param from the ordinal from which on it has everything, or {@link #BY_RULE}
   */
  void createChannel(String channel, long from) throws IOException;

  /** Has a channel deleted; nothing happens when there is none by now. */
  void deleteChannel(String channel) throws IOException;

  /** Has the topic deleted with all it has. */
  void delete() throws IOException;

  /** Has the topic keep messages back from its channels, or not any more. */
  void pause(boolean on) throws IOException;

  /** Has what the topic has kept back dropped. */
  void empty() throws IOException;

  /** Sets what was set by hand for the topic. */
  void setPolicy(Map<String, String> byHand) throws IOException;

  /** Has a channel deliver nothing, or go on. */
  void pauseChannel(String channel, boolean on) throws IOException;

  /** Has everything dropped that a channel has but dead letters. */
  void emptyChannel(String channel) throws IOException;

  /**
   * Puts a channel to another position.
   *
   * @param first the ordinal from which on it has everything
   */
  void rewindChannel(String channel, long first) throws IOException;

  /** Sets what was set by hand for a channel. */
  void setChannelPolicy(String channel, Map<String, String> byHand) throws IOException;
}
