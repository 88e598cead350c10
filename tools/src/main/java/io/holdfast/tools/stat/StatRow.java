package io.holdfast.tools.stat;

/**
 * One topic, or one channel of it, at one moment (PROTOCOL.md §5, /stats).
 *
 * @param topic topic name
 * @param channel channel name; empty for the topic itself
 * @param depth messages waiting
 * @param backendDepth those of them on disk only
 * @param inFlight delivered and not finished; 0 for a topic
 * @param deferred waiting for their time; 0 for a topic
 * @param dead dead letters that are kept; {@link #UNKNOWN} of a broker that does not tell
 * @param requeued total requeues; 0 for a topic
 * @param timedOut total message timeouts; 0 for a topic
 * @param messages total messages taken since the broker started
 * @param clients connected consumers; 0 for a topic
 * @param paused whether it is paused on any of the brokers
 */
public record StatRow(
    String topic,
    String channel,
    long depth,
    long backendDepth,
    long inFlight,
    long deferred,
    long dead,
    long requeued,
    long timedOut,
    long messages,
    long clients,
    boolean paused) {
  /** Not told. */
  static final long UNKNOWN = -1;

  /**
   * What identifies a row.
   *
   * @param topic topic name
   * @param channel channel name or empty
   */
  public record Key(String topic, String channel) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      int byTopic = topic.compareTo(other.topic);
      return byTopic != 0 ? byTopic : channel.compareTo(other.channel);
    }
  }

  Key key() {
    return new Key(topic, channel);
  }

  public boolean isTopic() {
    return channel.isEmpty();
  }

  /** Whether the broker keeps dead letters, and tells how many. */
  public boolean knowsDead() {
    return dead != UNKNOWN;
  }

  /**
   * @return messages that left: finished, or dropped by an empty
   */
  long done() {
    return messages - depth - inFlight - deferred - Math.max(0, dead);
  }

  /**
   * Adds the same topic or channel of another broker.
   *
   * @param other same key
   * @return the sum
   */
  StatRow plus(StatRow other) {
    return new StatRow(
        topic,
        channel,
        depth + other.depth,
        backendDepth + other.backendDepth,
        inFlight + other.inFlight,
        deferred + other.deferred,
        knowsDead() && other.knowsDead() ? dead + other.dead : Math.max(dead, other.dead),
        requeued + other.requeued,
        timedOut + other.timedOut,
        messages + other.messages,
        clients + other.clients,
        paused || other.paused);
  }
}
