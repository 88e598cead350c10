package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.SimulationFailure.equal;
import static io.holdfast.broker.queue.SimulationFailure.require;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** What becomes of dead letters, and channels that are put to another position. */
final class PolicySteps {
  private final SimulationWorld world;
  private final SimulatedBroker broker;

  /** Bodies of the dead letters that were moved. */
  private final List<String> graves = new ArrayList<>();

  PolicySteps(SimulationWorld world) {
    this.world = world;
    broker = world.broker;
  }

  void endDead() throws Exception {
    ChannelModel channel = world.anyChannel();
    List<ModelMessage> dead = channel == null ? List.of() : channel.dead();
    if (dead.isEmpty()) {
      return;
    }
    boolean one = world.random.nextBoolean();
    boolean redrive = world.random.nextBoolean();
    List<ModelMessage> which = one ? List.of(dead.get(world.random.nextInt(dead.size()))) : dead;
    world.note(channel, "%s %d dead", redrive ? "redrives" : "discards", which.size());
    long[] ids = null;
    if (one) {
      GuidFactory guids = world.topics.get(channel.topic).guids;
      ids = new long[] {guids.idOf(which.get(0).published.ordinal())};
      require(world.real(channel).isDead(ids[0]), channel, "%s is not dead", which.get(0));
    }
    Channel real = world.real(channel);
    int count =
        redrive ? real.redrive(ids, Integer.MAX_VALUE) : real.discard(ids, Integer.MAX_VALUE);
    equal(which.size(), count, channel, "dead letters that ended");
    for (ModelMessage message : which) {
      if (redrive) {
        channel.redrive(message);
      } else {
        channel.finish(message.published.ordinal());
      }
    }
  }

  /** What died for a topic goes there. */
  void moveDead() throws IOException {
    if (!world.settings.channel().hasDeadLetterTopic()) {
      return;
    }
    world.note("", "dead letters are moved");
    broker.moveDeadLetters();
    for (TopicModel topic : world.topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        for (ModelMessage message : channel.dead()) {
          graves.add(message.published.body());
          channel.finish(message.published.ordinal());
        }
      }
    }
    checkGraves();
  }

  /** Each dead letter that was moved is there, once. */
  void checkGraves() throws IOException {
    Topic real = broker.topic(FixedPolicies.GRAVES);
    List<String> found = new ArrayList<>();
    if (real != null) {
      for (PeekedMessage message :
          real.peek().from(Position.START, 1 << 20, 1 << 20, 1 << 30).messages()) {
        found.add(new String(message.body(), StandardCharsets.US_ASCII));
      }
    }
    found.sort(null);
    graves.sort(null);
    require(graves.equals(found), FixedPolicies.GRAVES, "has %s instead of %s", found, graves);
  }

  void rewind() throws Exception {
    ChannelModel channel = world.anyChannel();
    TopicModel topic = channel == null ? null : world.topics.get(channel.topic);
    if (channel == null || channel.ephemeral || topic.ephemeral || topic.paused) {
      return;
    }
    Topic real = world.real(topic);
    Position to = Position.START;
    long first = 0;
    if (world.random.nextInt(4) == 0) {
      to = Position.END;
      first = topic.published.size();
    } else if (world.random.nextBoolean() && !topic.published.isEmpty()) {
      first = world.random.nextInt(topic.published.size());
      to = Position.id(topic.guids.idOf(first));
    }
    world.note(channel, "is put to %s", to);
    Rewound rewound = real.rewind(channel.name, to);
    channel.deferredByRewind = world.real(channel).figures().deferredCount();
    // What was relocated only the channel can say; it must not have lost any.
    TreeSet<Long> available = new TreeSet<>();
    for (PeekedMessage message : real.peek().from(Position.START, 1 << 20, 0, 1 << 30).messages()) {
      available.add(topic.guids.ordinalOf(message.id()));
    }
    world
        .real(channel)
        .upkeep()
        .outsideBacklog(Integer.MAX_VALUE, message -> available.add(message.ordinal()));
    long from = first;
    available.removeIf(ordinal -> ordinal < from);
    // Sampled out ones are finished, and perhaps gone; which they are only the channel knew.
    List<ModelMessage> missing =
        channel.messages.tailMap(first).values().stream()
            .filter(message -> !available.contains(message.published.ordinal()))
            .toList();
    boolean sampledOut =
        missing.size() <= channel.sampledOut
            && missing.stream().allMatch(message -> message.place == ModelMessage.Place.READY);
    require(sampledOut, channel, "%s are lost by a rewind", missing);
    channel.rewind(
        first,
        available.stream().map(ordinal -> topic.published.get(ordinal.intValue())).toList(),
        broker.nowMs());
    equal(channel.waiting(), rewound.ready(), channel, "ready after a rewind");
  }
}
