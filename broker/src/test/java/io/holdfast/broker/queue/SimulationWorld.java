package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.SimulationFailure.equal;
import static io.holdfast.broker.queue.SimulationFailure.require;

import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import io.holdfast.broker.queue.ModelMessage.Place;
import io.holdfast.broker.queue.ModelMessage.Published;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** The broker and the model beside it, and what brings deliveries from one to the other. */
final class SimulationWorld {
  final Random random;
  final SimulationTrace trace;
  final SimulationSettings settings;
  final SimulatedBroker broker;
  final TreeMap<String, TopicModel> topics = new TreeMap<>();

  /** Consumers of channels that were deleted, whose connections are about to be closed. */
  final List<Orphan> orphans = new ArrayList<>();

  /** Whoever connected to this process: an event loop goes on when the connection has ended. */
  final List<SimulatedClient> eventLoops = new ArrayList<>();

  private int clients;

  record Orphan(SimulatedClient client, Topic topic, Channel channel) {}

  SimulationWorld(Path dir, Random random, SimulationTrace trace) throws IOException {
    this.random = random;
    this.trace = trace;
    settings = SimulationSettings.draw(random);
    broker = new SimulatedBroker(dir, settings, random);
    broker.busy = random.nextBoolean();
    note("", "%s, %s", settings, broker.busy ? "busy" : "not busy");
  }

  void note(Object subject, String format, Object... args) {
    trace.note(subject, broker.nowMs(), format, args);
  }

  boolean chance(int oneIn) {
    return random.nextInt(oneIn) == 0;
  }

  Topic real(TopicModel topic) {
    Topic real = broker.topic(topic.name);
    require(real != null, topic, "is missing");
    return real;
  }

  Channel real(ChannelModel channel) {
    Channel real = broker.topic(channel.topic).existingChannel(channel.name);
    require(real != null, channel, "is missing");
    return real;
  }

  /** Some topic, or null. */
  TopicModel anyTopic() {
    return any(topics);
  }

  /** Some channel, or null. */
  ChannelModel anyChannel() {
    TopicModel topic = anyTopic();
    return topic == null ? null : any(topic.channels);
  }

  private <T> T any(NavigableMap<String, T> from) {
    if (from.isEmpty()) {
      return null;
    }
    int skip = random.nextInt(from.size());
    for (T value : from.values()) {
      if (skip-- == 0) {
        return value;
      }
    }
    throw new IllegalStateException();
  }

  SimulatedClient newClient(long msgTimeoutMs, int sampleRate) {
    SimulatedClient client = new SimulatedClient("c" + ++clients, msgTimeoutMs, sampleRate);
    eventLoops.add(client);
    return client;
  }

  // ---------------------------------------------------------------- event loops

  /** Runs what waits in a consumer's event loop. */
  void run(ChannelModel channel, SimulatedClient client) {
    long before = broker.sampledOut;
    client.runTasks();
    channel.sampledOut += broker.sampledOut - before;
    collect(channel, client);
  }

  /** Ends a socket read: the messagePump's turn. */
  void readComplete(ChannelModel channel, SimulatedClient client) {
    long before = broker.sampledOut;
    client.readComplete();
    channel.sampledOut += broker.sampledOut - before;
    collect(channel, client);
  }

  /** Time passes for the event loops: holds are over when these run the next time. */
  void pass(long ms) {
    for (SimulatedClient client : eventLoops) {
      client.pass(ms);
      if (!client.isOpen()) {
        client.runTasks();
      }
    }
  }

  void runAll() {
    for (TopicModel topic : topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        for (SimulatedClient client : channel.clients) {
          run(channel, client);
        }
      }
    }
  }

  /** Takes note of the messages that are on their way to a consumer. */
  void collect(ChannelModel channel, SimulatedClient client) {
    for (SimulatedClient.Delivery delivery : client.sent()) {
      delivered(channel, client, delivery);
    }
  }

  private void delivered(
      ChannelModel channel, SimulatedClient client, SimulatedClient.Delivery delivery) {
    TopicModel topic = topics.get(channel.topic);
    long ordinal = topic.guids.ordinalOf(delivery.id());
    if (trace.isOn()) {
      note(channel, "-> %d to %s, attempt %d", ordinal, client.name, delivery.attempts());
    }
    ModelMessage message = channel.messages.get(ordinal);
    if (message == null || message.place != Place.READY) {
      throw new SimulationFailure(
          channel, "delivered " + ordinal + ", which is " + message, List.of(ordinal));
    }
    Published published = message.published;
    boolean right =
        delivery.attempts() == message.attempts + 1
            && delivery.timestampNs() == (SimulatedBroker.EPOCH_MS + published.atMs()) * 1_000_000
            && delivery.body().equals(published.body());
    if (!right) {
      throw new SimulationFailure(
          channel, "delivered as " + delivery + " instead of " + message, List.of(ordinal));
    }
    require(!channel.isOver(message, broker.nowMs()), channel, "%s is too old", message);
    require(!channel.paused, channel, "delivered while paused");
    require(client.hasRoom(), channel, "%s gets more than it asked for", client.name);
    if (broker.policies.channel.ordered()) {
      checkOrder(channel, message);
    }
    if (message.attempts == 0 && published.dueMs() == 0 && !message.anew) {
      if (ordinal < channel.lastFirst) {
        throw new SimulationFailure(
            channel,
            ordinal + " comes for the first time, after " + channel.lastFirst,
            List.of(ordinal, channel.lastFirst));
      }
      channel.lastFirst = ordinal;
    }
    channel.deliver(message, client, broker.nowMs());
  }

  /** Takes note of what has expired: only the channel knows when it came upon that. */
  void noteExpired(ChannelModel channel) {
    Channel real = real(channel);
    long count = real.figures().expiredCount() - channel.expired;
    if (count == 0) {
      return;
    }
    Set<Long> waiting = new HashSet<>();
    real.first(Waiting.State.READY, Integer.MAX_VALUE).forEach(w -> waiting.add(w.ordinal()));
    List<ModelMessage> gone =
        channel.over(broker.nowMs()).stream()
            .filter(message -> !waiting.contains(message.published.ordinal()))
            .toList();
    note(channel, "%d expire: %s", count, gone);
    if (gone.size() != count) {
      throw new SimulationFailure(
          channel,
          count + " have expired, gone are " + gone,
          gone.stream().map(message -> message.published.ordinal()).toList());
    }
    gone.forEach(channel::expire);
  }

  /** Takes note of what a full topic has dropped. */
  void noteDropped(TopicModel topic) {
    if (settings.topic().whenFull() != WhenFull.DROP_OLDEST || !settings.topic().isBounded()) {
      return;
    }
    if (settings.topic().maxBytes() == 0) {
      topic.makeRoom(settings.topic().maxDepth());
      return;
    }
    // How many bytes wait, the topic only estimates.
    long kept = topic.depth() - real(topic).depth();
    require(kept >= 0, topic, "keeps back %d too many", -kept);
    topic.dropKept(kept);
    for (ChannelModel channel : topic.channels.values()) {
      long count = real(channel).figures().droppedCount() - channel.dropped;
      if (!channel.ephemeral && count > 0) {
        note(channel, "drops %d", count);
        topic.dropped.addAll(channel.dropOldest(channel.waiting() - count));
      }
    }
  }

  /** One at a time, and nothing older is left that is not dead. */
  private void checkOrder(ChannelModel channel, ModelMessage message) {
    long ordinal = message.published.ordinal();
    equal(0, channel.count(Place.IN_FLIGHT), channel, "in flight beside an ordered one");
    for (ModelMessage older : channel.messages.headMap(ordinal).values()) {
      boolean hasExpired = older.place == Place.READY && channel.isOver(older, broker.nowMs());
      if (older.place != Place.DEAD && !hasExpired && channel.sampledOut == 0) {
        throw new SimulationFailure(
            channel,
            "delivered " + message + " before " + older,
            List.of(ordinal, older.published.ordinal()));
      }
    }
  }

  /** Closes the connections that deletions have ended. */
  void closeOrphans() throws IOException {
    for (Orphan orphan : new ArrayList<>(orphans)) {
      SimulatedClient client = orphan.client();
      client.runTasks();
      require(!client.isOpen(), orphan.topic().name(), "%s is still connected", client.name);
      equal(0, client.sent().size(), orphan.topic().name(), "delivered after the deletion");
      client.leave(orphan.channel());
      broker.topics().consumerLeft(orphan.channel());
    }
    orphans.clear();
  }

  /** The channel is gone; its consumers will notice. */
  void orphan(ChannelModel channel, Topic topic, Channel real) {
    for (SimulatedClient client : channel.clients) {
      client.inFlight.clear();
      orphans.add(new Orphan(client, topic, real));
    }
    channel.clients.clear();
  }
}
