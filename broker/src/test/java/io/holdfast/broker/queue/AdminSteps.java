package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.SimulationFailure.equal;
import static io.holdfast.broker.queue.SimulationFailure.require;

import io.holdfast.broker.queue.SimulatedBroker.SimulatedCrash;
import io.holdfast.storage.topic.Metadata;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What administrators do, housekeeping, and the end of processes. */
final class AdminSteps {
  private static final List<String> TOPICS = List.of("t", "T", "e#ephemeral");

  /** Mostly durable ones: an ephemeral channel goes with its last consumer. */
  private static final List<String> CHANNELS = List.of("a", "B", "b", "c", "x#ephemeral");

  private final SimulationWorld world;
  private final SimulatedBroker broker;
  private final ConsumerSteps consumers;

  /** The highest number that topics which are gone made ids of. */
  private long idsGivenOut;

  AdminSteps(SimulationWorld world, ConsumerSteps consumers) {
    this.world = world;
    broker = world.broker;
    this.consumers = consumers;
  }

  private <T> T any(List<T> of) {
    return of.get(world.random.nextInt(of.size()));
  }

  // ---------------------------------------------------------------- create, delete

  void createTopic() throws Exception {
    String name = any(TOPICS);
    if (!world.topics.containsKey(name)) {
      createTopic(name);
    }
  }

  void createTopic(String name) throws Exception {
    world.note(name, "is created");
    GuidFactory none = new GuidFactory(0, SimulatedBroker.NODE_ID);
    TopicModel topic = new TopicModel(name, none, world.settings);
    world.topics.put(name, topic);
    drawCrash(1);
    try {
      long idBase = broker.createTopic(name);
      require(idBase > idsGivenOut, topic, "ids of %d and more were given out before", idBase);
      topic.guids = new GuidFactory(idBase, SimulatedBroker.NODE_ID);
    } catch (SimulatedCrash e) {
      restarted("killed while creating");
      return;
    }
    broker.calm();
  }

  void createChannel() throws Exception {
    TopicModel topic = world.anyTopic();
    if (topic == null) {
      return;
    }
    String name = any(CHANNELS);
    if (topic.channels.containsKey(name)) {
      return;
    }
    if (topic.channels.size() == SimulatedBroker.MAX_CHANNELS) {
      boolean refused = false;
      try {
        world.real(topic).channel(name);
      } catch (BrokerException e) {
        refused = true;
      }
      require(refused, topic, "has too many channels");
      return;
    }
    createChannel(topic, name);
    maybePersist();
  }

  void createChannel(TopicModel topic, String name) throws Exception {
    topic.create(name, broker.nowMs());
    world.note(topic.channels.get(name), "is created");
    world.real(topic).channel(name);
  }

  /** A broker's workers write the metadata file soon. */
  void maybePersist() {
    if (broker.metadataDue && world.random.nextBoolean()) {
      broker.persistMetadata();
    }
  }

  void deleteTopic() throws Exception {
    TopicModel topic = world.anyTopic();
    if (topic == null) {
      return;
    }
    Topic real = world.real(topic);
    List<Channel> channels = new ArrayList<>(real.channels());
    world.note(topic, "is deleted");
    // First that its ids are used up, then, when its directory is gone, that it is.
    int writes = topic.ephemeral ? 1 : 2;
    int crash = drawCrash(writes);
    if (crash != 1) {
      world.topics.remove(topic.name);
      idsGivenOut = Math.max(idsGivenOut, real.idEnd() - 1);
    }
    try {
      broker.deleteTopic(topic.name);
    } catch (SimulatedCrash e) {
      restarted("killed while deleting");
      return;
    }
    require(crash == 0, topic, "wrote no metadata");
    for (Channel channel : channels) {
      ChannelModel model = topic.channels.get(channel.name());
      List<Long> inFlight = new ArrayList<>();
      model.clients.forEach(client -> inFlight.addAll(client.inFlight));
      int before = world.orphans.size();
      world.orphan(model, real, channel);
      if (!inFlight.isEmpty()) {
        consumers.tellDeleted(world.orphans.get(before), topic.guids.idOf(inFlight.get(0)));
      }
    }
    closeSomeOrphans();
  }

  void deleteChannel() throws Exception {
    ChannelModel channel = world.anyChannel();
    if (channel == null) {
      return;
    }
    TopicModel topic = world.topics.get(channel.topic);
    Topic realTopic = world.real(topic);
    Channel real = world.real(channel);
    boolean isLast = topic.channels.size() == 1 && topic.heldFrom == TopicModel.NOTHING_HELD;
    world.note(channel, "is deleted");
    int crash = drawCrash(isLast ? 2 : 1);
    try {
      realTopic.deleteChannel(channel.name);
    } catch (SimulatedCrash e) {
      if (crash == (isLast ? 2 : 1)) {
        topic.delete(channel.name);
      }
      restarted("killed while deleting");
      return;
    }
    topic.delete(channel.name);
    world.orphan(channel, realTopic, real);
    closeSomeOrphans();
  }

  private void closeSomeOrphans() throws Exception {
    if (world.random.nextBoolean()) {
      world.closeOrphans();
    }
  }

  /** Now and then the process dies while it writes metadata: in which write; mostly 0. */
  private int drawCrash(int writes) {
    if (!world.chance(8)) {
      return 0;
    }
    int write = 1 + world.random.nextInt(writes);
    broker.crashInWrite(write, world.random.nextBoolean());
    return write;
  }

  // ---------------------------------------------------------------- pause, empty

  void pauseChannel() throws Exception {
    ChannelModel channel = world.anyChannel();
    if (channel != null) {
      setPaused(channel, !channel.paused);
    }
  }

  void setPaused(ChannelModel channel, boolean paused) throws Exception {
    world.note(channel, paused ? "is paused" : "is unpaused");
    channel.paused = paused;
    if (paused) {
      world.real(channel).pause();
    } else {
      world.real(channel).unpause();
    }
  }

  void pauseTopic() throws Exception {
    TopicModel topic = world.anyTopic();
    if (topic == null) {
      return;
    }
    boolean pause = !topic.paused;
    boolean written = world.random.nextBoolean();
    if (world.chance(8)) {
      broker.crashInWrite(1, written);
    }
    world.note(topic, pause ? "is paused" : "is unpaused");
    try {
      if (pause) {
        world.real(topic).pause();
      } else {
        world.real(topic).unpause();
      }
    } catch (SimulatedCrash e) {
      if (written) {
        setPaused(topic, pause);
      }
      restarted("killed while writing that");
      return;
    }
    setPaused(topic, pause);
  }

  private void setPaused(TopicModel topic, boolean pause) {
    if (pause) {
      topic.pause();
    } else {
      topic.unpause(broker.nowMs());
    }
  }

  void unpause(TopicModel topic) throws Exception {
    world.note(topic, "is unpaused");
    topic.unpause(broker.nowMs());
    world.real(topic).unpause();
  }

  void emptyChannel() throws Exception {
    ChannelModel channel = world.anyChannel();
    if (channel != null) {
      world.note(channel, "is emptied");
      world.real(channel).empty();
      channel.empty();
    }
  }

  void emptyTopic() throws Exception {
    TopicModel topic = world.anyTopic();
    if (topic != null) {
      world.note(topic, "is emptied");
      world.real(topic).empty();
      topic.empty();
    }
  }

  // ---------------------------------------------------------------- housekeeping, processes

  /** What a broker does each 500 ms, or after a long while without anything to do. */
  void housekeep(boolean idle) throws Exception {
    world.note("", idle ? "housekeeping after idleness" : "housekeeping");
    if (broker.metadataDue) {
      broker.persistMetadata();
    }
    broker.housekeep(idle);
    world.topics.values().forEach(topic -> topic.channels.values().forEach(this::letGo));
  }

  private void letGo(ChannelModel channel) {
    Channel real = world.real(channel);
    long count = real.figures().droppedCount() - channel.dropped;
    if (count > 0) {
      world.note(channel, "lets go %d", count);
      Set<Long> elsewhere = new HashSet<>();
      real.upkeep().outsideBacklog(Integer.MAX_VALUE, message -> elsewhere.add(message.ordinal()));
      channel.letGo(count, elsewhere);
    }
  }

  void restart() throws Exception {
    world.closeOrphans();
    boolean clientsFirst = world.random.nextBoolean();
    if (clientsFirst) {
      disconnectAll();
    }
    world.note("", "SIGTERM");
    broker.stop();
    restarted("start");
  }

  private void disconnectAll() throws Exception {
    for (TopicModel topic : new ArrayList<>(world.topics.values())) {
      for (ChannelModel channel : new ArrayList<>(topic.channels.values())) {
        for (SimulatedClient client : new ArrayList<>(channel.clients)) {
          consumers.leave(channel, client);
        }
      }
    }
  }

  void crash() throws Exception {
    restarted("kill -9, start");
  }

  private void restarted(String how) throws Exception {
    world.note("", how);
    world.orphans.clear();
    world.eventLoops.clear();
    world.topics.values().removeIf(topic -> topic.ephemeral);
    List<TopicModel> unsure = new ArrayList<>();
    for (TopicModel topic : world.topics.values()) {
      Metadata.TopicEntry entry = broker.persistedEntry(topic.name);
      long known = entry == null ? 0 : entry.handedOver();
      if (known != topic.heldFrom) {
        unsure.add(topic);
      }
      topic.restarted();
    }
    broker.start();
    equalNames(
        "",
        world.topics.keySet(),
        broker.topics().all().stream()
            .map(Topic::name)
            .filter(name -> !name.equals(FixedPolicies.GRAVES))
            .toList());
    for (TopicModel topic : world.topics.values()) {
      Topic real = world.real(topic);
      TreeSet<String> names = new TreeSet<>();
      real.channels().forEach(channel -> names.add(channel.name()));
      equalNames(topic, topic.channels.keySet(), names);
      topic.guids =
          new GuidFactory(broker.persistedEntry(topic.name).idBase(), SimulatedBroker.NODE_ID);
      if (world.settings.topic().maxBytes() > 0 && unsure.contains(topic)) {
        topic.estimateAgain(real.depth());
      }
      if (topic.channels.isEmpty() && unsure.contains(topic)) {
        // Died before the file knew that an ephemeral channel had taken over: both is right.
        require(real.depth() >= topic.depth(), topic, "lost what it kept back");
        topic.heldFrom = topic.published.size() - real.depth();
      }
      world.noteDropped(topic);
      // What was kept back and dropped the file may not have known of: it is dropped once more.
      topic.droppedAgain = real.droppedCount() - topic.dropped.size();
      require(
          topic.droppedAgain == 0 || (topic.droppedAgain > 0 && unsure.contains(topic)),
          topic,
          "drops %d more at the start",
          topic.droppedAgain);
      equal(topic.published.size(), real.idEnd() - topic.guids.idOf(0) / 1024, topic, "next id");
    }
  }

  private static void equalNames(Object of, Iterable<String> expected, Iterable<String> actual) {
    String wanted = String.join(", ", expected);
    String found = String.join(", ", actual);
    require(wanted.equals(found), of, "after the start there are %s instead of %s", found, wanted);
  }
}
