package io.holdfast.tools.bench.load;

import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.Wire;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What one run does. With publishers only it publishes; with consumers only it drains what is
 * there, or holds idle connections; with both it publishes and consumes at once and then drains the
 * rest. Filled in by one thread before the run, not changed afterwards.
 */
public final class LoadPlan {
  /** Bytes of a body that carries its send time: run id and time, int64 each. */
  public static final int STAMP_BYTES = 16;

  final List<BrokerAddress> brokers;
  final String topic;

  ConnectOptions connect =
      ConnectOptions.defaults("bench", Wire.PLAIN).withReadTimeoutMs(0).withHeartbeatMs(0);
  String channel = "ch";
  int topics = 1;
  int channels = 1;
  int publishers;
  int size = 200;
  int batch = 1;
  int pipeline = 1;
  int consumers;
  int rdy = 2500;
  double seconds;
  double warmupSeconds;
  double tailSeconds;
  double idleSeconds = 30;
  long count;
  long window;
  double rate;
  boolean holds;

  /**
   * @param brokers TCP addresses; connections take them in turn
   * @param topic its name, or what the names of several begin with
   */
  public LoadPlan(List<BrokerAddress> brokers, String topic) {
    this.brokers = brokers;
    this.topic = topic;
  }

  /**
   * @param options by what brokers are reached
   * @return this
   */
  public LoadPlan connect(ConnectOptions options) {
    connect = options;
    return this;
  }

  /**
   * Closed-loop publishers.
   *
   * @param connections at least 1
   * @param bytes of a body, at least 1; from {@link #STAMP_BYTES} on it carries its send time
   * @param messages per command: 1 sends PUB, more MPUB
   * @param outstanding commands per connection without their OK
   * @return this
   */
  public LoadPlan publish(int connections, int bytes, int messages, int outstanding) {
    publishers = connections;
    size = bytes;
    batch = messages;
    pipeline = outstanding;
    return this;
  }

  /**
   * Consumers, in turn over all topics and channels.
   *
   * @param connections all together
   * @param ready RDY of each, or what the broker allows
   * @return this
   */
  public LoadPlan consume(int connections, int ready) {
    consumers = connections;
    rdy = ready;
    return this;
  }

  /**
   * @param number topics; publishers take them in turn
   * @return this
   */
  public LoadPlan topics(int number) {
    topics = number;
    return this;
  }

  /**
   * @param name of the channel, or what the names of several begin with
   * @param number channels of each topic
   * @return this
   */
  public LoadPlan channels(String name, int number) {
    channel = name;
    channels = number;
    return this;
  }

  /**
   * How long to publish, or to consume when nobody publishes, after the warm-up.
   *
   * @param length s; 0 = until the count is reached
   * @return this
   */
  public LoadPlan seconds(double length) {
    seconds = length;
    return this;
  }

  /**
   * @param length of the same load before anything is measured, s
   * @return this
   */
  public LoadPlan warmup(double length) {
    warmupSeconds = length;
    return this;
  }

  /**
   * @param messages to publish in all after the warm-up, or to consume when nobody publishes; 0 =
   *     no limit
   * @return this
   */
  public LoadPlan count(long messages) {
    count = messages;
    return this;
  }

  /**
   * @param length after which consumers give up when nothing more comes, s
   * @return this
   */
  public LoadPlan idle(double length) {
    idleSeconds = length;
    return this;
  }

  /**
   * Keeps idle connections for a while instead.
   *
   * @param length s, after one of warm-up; neither their RDY nor their CLS belongs to it
   * @return this
   */
  public LoadPlan hold(double length) {
    holds = true;
    idleSeconds = Double.POSITIVE_INFINITY;
    return warmup(1).seconds(length);
  }

  /**
   * @param messages published and not yet consumed at most; 0 = no limit
   * @return this
   */
  public LoadPlan window(long messages) {
    window = messages;
    return this;
  }

  /**
   * Publishes at a fixed rate instead, whether or not the broker keeps up; latencies count from the
   * time at which a message was due.
   *
   * @param perSecond messages a second in all; 0 = in closed loops
   * @param tail s at the end that are left out of the latencies
   * @return this
   */
  public LoadPlan rate(double perSecond, double tail) {
    rate = perSecond;
    tailSeconds = tail;
    return this;
  }

  /** Whether bodies carry their send time. */
  boolean isStamped() {
    return size >= STAMP_BYTES;
  }

  /**
   * @return the names of all topics
   */
  public List<String> topicNames() {
    return numbered(topic, topics);
  }

  /**
   * @return the names of the channels that each topic has
   */
  public List<String> channelNames() {
    return numbered(channel, channels);
  }

  private static List<String> numbered(String name, int count) {
    return count == 1
        ? List.of(name)
        : IntStream.range(0, count).mapToObj(i -> name + "-" + i).toList();
  }
}
