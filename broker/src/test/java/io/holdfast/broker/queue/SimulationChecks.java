package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.SimulationFailure.equal;
import static io.holdfast.broker.queue.SimulationFailure.require;

import io.holdfast.broker.queue.ModelMessage.Place;

/** Whether broker and model agree. */
final class SimulationChecks {
  private static final int MAX_ROUNDS = 20;
  private static final int MAX_HOLD_MS = 5;

  private final SimulationWorld world;
  private final LoudLog log;

  SimulationChecks(SimulationWorld world, LoudLog log) {
    this.world = world;
    this.log = log;
  }

  /** After each step. */
  void check() {
    require(world.broker.diskErrors.isEmpty(), "", "disk errors: %s", world.broker.diskErrors);
    String loud = log.take();
    require(loud == null, "", "logged %s", loud);
    long topics =
        world.broker.topics().all().stream()
            .filter(topic -> !topic.name().equals(FixedPolicies.GRAVES))
            .count();
    equal(world.topics.size(), topics, "", "number of topics");
    for (TopicModel topic : world.topics.values()) {
      Topic real = world.real(topic);
      equal(topic.depth(), real.depth(), topic, "depth");
      equal(topic.messageCount, real.messageCount(), topic, "message_count");
      equal(topic.dropped.size() + topic.droppedAgain, real.droppedCount(), topic, "dropped_count");
      equal(topic.rejectedCount, real.rejectedCount(), topic, "rejected_count");
      equal(topic.channels.size(), real.channels().size(), topic, "number of channels");
      for (ChannelModel channel : topic.channels.values()) {
        check(channel, world.real(channel));
      }
    }
  }

  private void check(ChannelModel channel, Channel real) {
    for (SimulatedClient client : channel.clients) {
      world.collect(channel, client);
      equal(client.inFlight.size(), client.client.inFlightCount(), channel, "in flight of one");
    }
    world.noteExpired(channel);
    equal(channel.clients.size(), real.clients().size(), channel, "number of consumers");
    equal(channel.count(Place.IN_FLIGHT), real.figures().inFlightCount(), channel, "in flight");
    equal(channel.count(Place.DEAD), real.figures().deadCount(), channel, "dead letters");
    long depth = real.figures().depth();
    long deferred = real.figures().deferredCount();
    equal(channel.waiting(), depth + deferred, channel, "depth and deferred");
    // Some deferred ones may still be in the backend, uncounted.
    require(
        deferred <= channel.count(Place.DEFERRED), channel, "%d messages are deferred", deferred);
    long mostDeferred = Math.max(world.settings.maxDeferred(), channel.deferredByRewind);
    require(deferred <= mostDeferred, channel, "%d deferred references", deferred);
    long backend = real.figures().backendDepth();
    require(backend >= 0 && backend <= depth, channel, "backend_depth %d of %d", backend, depth);
    equal(channel.messageCount, real.figures().messageCount(), channel, "message_count");
    equal(channel.requeueCount, real.figures().requeueCount(), channel, "requeue_count");
    equal(channel.timeoutCount, real.figures().timeoutCount(), channel, "timeout_count");
    equal(channel.dropped, real.figures().droppedCount(), channel, "dropped messages");
  }

  /** When nothing runs any more, no consumer with room has been forgotten. */
  void settle() {
    world.note("", "holds are over");
    world.pass(MAX_HOLD_MS);
    for (int round = 0; round < MAX_ROUNDS; round++) {
      world.runAll();
    }
    for (TopicModel topic : world.topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        world.noteExpired(channel);
        boolean room = channel.clients.stream().anyMatch(SimulatedClient::hasRoom);
        // At the bound of references the backend has to wait.
        boolean bound =
            world.real(channel).figures().deferredCount() >= world.settings.maxDeferred();
        // Where the order is kept only one is served, and one at a time.
        if (room && !channel.paused && !bound && !world.settings.channel().ordered()) {
          equal(
              0,
              channel.count(Place.READY) - channel.sampledOut,
              channel,
              "ready, and nobody was woken");
        }
      }
    }
  }
}
