package io.holdfast.tools.bench.load;

import io.holdfast.tools.client.BrokerAddress;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * What one run does. With publishers only it publishes; with consumers only it drains {@link
 * #drain} messages, or holds idle connections when that is 0; with both it publishes and consumes
 * at once and then drains the rest. Filled in by one thread before the run, not changed afterwards.
 */
public final class LoadPlan {
  /** Bytes of a body that carries its send time: run id and time, int64 each. */
  public static final int STAMP_BYTES = 16;

  final BrokerAddress broker;
  final String topic;

  int topics = 1;
  int channels = 1;
  int publishers;
  int size = 200;
  int batch = 1;
  int pipeline = 1;
  int consumers;
  int rdy = 2500;
  double seconds;
  long count;
  long drain;
  long window;
  double rate;
  double rampSeconds;
  double tailSeconds;

  /**
   * @param broker its TCP address
   * @param topic its name, or what the names of several begin with
   */
  public LoadPlan(BrokerAddress broker, String topic) {
    this.broker = broker;
    this.topic = topic;
  }

  /**
   * Closed-loop publishers.
   *
   * @param connections at least 1
   * @param bytes of a body, at least {@link #STAMP_BYTES}
   * @param messages per command: 1 sends PUB, more MPUB
   * @param outstanding commands per connection without their OK
   * @return this
   */
  public LoadPlan publish(int connections, int bytes, int messages, int outstanding) {
    publishers = connections;
    size = Math.max(bytes, STAMP_BYTES);
    batch = messages;
    pipeline = outstanding;
    return this;
  }

  /**
   * Consumers, in turn over all topics and channels.
   *
   * @param connections all together
   * @param ready RDY of each
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
   * @param number channels of each topic
   * @return this
   */
  public LoadPlan channels(int number) {
    channels = number;
    return this;
  }

  /**
   * How long to publish, or to hold idle connections.
   *
   * @param length s; 0 = until the count is reached
   * @return this
   */
  public LoadPlan seconds(double length) {
    seconds = length;
    return this;
  }

  /**
   * @param messages to publish in all, rounded up to whole batches; 0 = no limit
   * @return this
   */
  public LoadPlan count(long messages) {
    count = messages;
    return this;
  }

  /**
   * @param deliveries after which a run without publishers ends
   * @return this
   */
  public LoadPlan drain(long deliveries) {
    drain = deliveries;
    return this;
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
   * @param perSecond messages a second in all
   * @param ramp s at the start that are left out of the latencies
   * @param tail s at the end that are left out of them
   * @return this
   */
  public LoadPlan rate(double perSecond, double ramp, double tail) {
    rate = perSecond;
    rampSeconds = ramp;
    tailSeconds = tail;
    return this;
  }

  /**
   * @return the names of all topics
   */
  public List<String> topicNames() {
    return topics == 1
        ? List.of(topic)
        : IntStream.range(0, topics)
            .mapToObj(i -> String.format(Locale.ROOT, "%s_%04d", topic, i))
            .toList();
  }

  /**
   * @return the names of the channels that each topic has
   */
  public List<String> channelNames() {
    return IntStream.range(0, channels).mapToObj(i -> "ch" + i).toList();
  }
}
