package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.SimulationFailure.equal;
import static io.holdfast.broker.queue.SimulationFailure.require;

import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import io.holdfast.broker.queue.ModelMessage.Published;
import io.holdfast.storage.files.DurableFiles;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * One run: topics, channels and consumers take random steps, all drawn from one seed, and the model
 * beside them says after each what has to be. One thread; the same seed takes the same steps.
 */
final class TopicSimulation {
  private static final int MAX_BACKLOG = 300;
  private static final int MAX_BATCH = 40;
  private static final int LARGE_BODY_BYTES = 5000;
  private static final long FAR_MS = 60_000;
  private static final int DRAIN_READY = 2500;

  private final Path dir;
  private final Random random;
  private final SimulationWorld world;
  private final ConsumerSteps consumers;
  private final AdminSteps admin;
  private final PolicySteps policies;
  private final SimulationChecks checks;

  private TopicSimulation(Path dir, long seed, LoudLog log, SimulationTrace trace)
      throws IOException {
    this.dir = dir;
    random = new Random(seed);
    world = new SimulationWorld(dir, random, trace);
    consumers = new ConsumerSteps(world);
    admin = new AdminSteps(world, consumers);
    policies = new PolicySteps(world);
    checks = new SimulationChecks(world, log);
  }

  /**
   * Does a run.
   *
   * @param dir an empty directory, which is removed
   * @param steps how many
   */
  static void run(Path dir, long seed, int steps, LoudLog log, SimulationTrace trace)
      throws Exception {
    log.take();
    TopicSimulation run = new TopicSimulation(dir, seed, log, trace);
    try {
      run.admin.createTopic("t");
      for (int i = 0; i < steps; i++) {
        trace.step = i;
        run.step();
        run.checks.check();
      }
      run.drain();
    } finally {
      run.close();
    }
  }

  private void step() throws Exception {
    int dice = random.nextInt(1000);
    if (dice < 190) {
      publish(1 + random.nextInt(3), 0);
    } else if (dice < 220) {
      publish(1 + random.nextInt(MAX_BATCH), 0);
    } else if (dice < 260) {
      publish(1 + random.nextInt(4), 1 + random.nextInt(3000));
    } else if (dice < 820) {
      consume(dice - 260);
    } else if (dice < 900) {
      advance(world.chance(4) ? random.nextInt(3000) : random.nextInt(50));
    } else {
      administer(dice - 900);
    }
    if (!world.chance(3)) {
      world.runAll();
    }
    if (world.chance(10)) {
      checks.settle();
    }
  }

  private void consume(int dice) throws Exception {
    if (dice < 40) {
      consumers.connect();
    } else if (dice < 60) {
      consumers.disconnect();
    } else if (dice < 68) {
      consumers.startClose();
    } else if (dice < 80) {
      consumers.stall();
    } else if (dice < 180) {
      consumers.setReady();
    } else if (dice < 430) {
      consumers.finish();
    } else if (dice < 510) {
      consumers.requeue();
    } else {
      consumers.touch();
    }
  }

  private void administer(int dice) throws Exception {
    if (dice < 18) {
      admin.pauseChannel();
    } else if (dice < 30) {
      admin.pauseTopic();
    } else if (dice < 34) {
      admin.emptyChannel();
    } else if (dice < 36) {
      admin.emptyTopic();
    } else if (dice < 58) {
      admin.createChannel();
    } else if (dice < 62) {
      admin.deleteChannel();
    } else if (dice < 68) {
      admin.createTopic();
    } else if (dice < 70) {
      admin.deleteTopic();
    } else if (dice < 88) {
      admin.housekeep(random.nextBoolean());
    } else if (dice < 94) {
      world.closeOrphans();
      admin.maybePersist();
    } else if (dice < 96) {
      admin.restart();
    } else if (dice < 97) {
      admin.crash();
    } else if (dice < 98) {
      policies.endDead();
    } else if (dice < 99) {
      policies.rewind();
    } else {
      policies.moveDead();
    }
  }

  private void publish(int count, long deferMs) throws Exception {
    TopicModel topic = world.anyTopic();
    if (topic == null
        || topic.depth() > MAX_BACKLOG
        || topic.channels.values().stream().anyMatch(c -> c.messages.size() > MAX_BACKLOG)) {
      return;
    }
    long nowMs = world.broker.nowMs();
    long first = topic.published.size();
    world.note(topic, "publish %d from %d on, deferred %d ms", count, first, deferMs);
    List<Published> batch = new ArrayList<>();
    ByteBuf section = Unpooled.buffer();
    for (int i = 0; i < count; i++) {
      boolean large = count < 5 && world.chance(20);
      int filler = large ? LARGE_BODY_BYTES : random.nextInt(60);
      Published message =
          Published.of(first + i, filler, nowMs, deferMs == 0 ? 0 : nowMs + deferMs);
      batch.add(message);
      section.writeInt(message.length());
      section.writeCharSequence(message.body(), StandardCharsets.US_ASCII);
    }
    for (ChannelModel channel : topic.channels.values()) {
      channel.hasBacklog = world.real(channel).figures().backendDepth() > 0;
      channel.deferredNow = world.real(channel).figures().deferredCount();
    }
    boolean full = isFull(topic, count);
    try {
      boolean durable = world.real(topic).putMessages(section.nioBuffer(), count, deferMs, 0, null);
      require(durable, topic, "publish is not durable at once");
    } catch (TopicFullException e) {
      world.note(topic, "refused: %s", e.getMessage());
      // How many bytes wait, the topic only estimates.
      require(full || world.settings.topic().maxBytes() > 0, topic, "%s", e.getMessage());
      topic.rejectedCount += count;
      return;
    } finally {
      section.release();
    }
    require(!full, topic, "takes more than max_depth");
    if (topic.put(batch, nowMs)) {
      world.noteDropped(topic);
    }
  }

  private boolean isFull(TopicModel topic, int more) {
    TopicPolicy rules = world.settings.topic();
    return rules.whenFull() == WhenFull.REJECT
        && rules.maxDepth() > 0
        && topic.waiting() + more > rules.maxDepth();
  }

  private void advance(long ms) {
    world.note("", "%d ms pass", ms);
    world.broker.advance(ms);
    world.pass(ms);
    for (TopicModel topic : world.topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        channel.advance(world.broker.nowMs());
      }
    }
  }

  // ---------------------------------------------------------------- the end

  /** Lets everything be delivered and finished; nothing may be left, on the disk neither. */
  private void drain() throws Exception {
    world.note("", "the end: everything is to be delivered");
    world.closeOrphans();
    for (TopicModel topic : new ArrayList<>(world.topics.values())) {
      for (ChannelModel channel : new ArrayList<>(topic.channels.values())) {
        for (SimulatedClient client : new ArrayList<>(channel.clients)) {
          consumers.leave(channel, client);
        }
        if (channel.paused && topic.channels.containsKey(channel.name)) {
          admin.setPaused(channel, false);
        }
      }
    }
    for (TopicModel topic : world.topics.values()) {
      if (topic.paused) {
        admin.unpause(topic);
      }
      if (topic.heldFrom != TopicModel.NOTHING_HELD) {
        // Not only ephemeral ones, if any: to them it hands nothing over for good.
        admin.createChannel(topic, "a");
      }
    }
    advance(FAR_MS);
    for (TopicModel topic : world.topics.values()) {
      for (ChannelModel channel : topic.channels.values()) {
        drain(topic, channel);
      }
    }
    checks.check();
    reclaim();
    admin.crash();
    checks.check();
    deleteAll();
  }

  private void drain(TopicModel topic, ChannelModel channel) throws Exception {
    redriveAll(channel);
    if (world.settings.channel().ordered()) {
      // Else they would come one at a time.
      world.broker.policies.channel = world.settings.channelWithoutOrder();
      world.real(topic).refreshPolicies();
    }
    SimulatedClient client = world.newClient(FAR_MS, 0);
    Channel real = world.real(channel);
    try {
      real.addClient(client.client);
    } catch (BrokerException e) {
      throw new SimulationFailure(channel, "takes no consumer: " + e, List.of());
    }
    client.client.subscribed(real);
    channel.clients.add(client);
    client.ready = DRAIN_READY;
    client.client.setReadyCount(DRAIN_READY);
    world.readComplete(channel, client);
    run(channel, client);
    if (redriveAll(channel) > 0) {
      // What has expired meanwhile.
      run(channel, client);
    }
    List<Long> missing = new ArrayList<>(channel.messages.keySet());
    missing.removeAll(client.inFlight);
    if (missing.size() != channel.sampledOut) {
      throw new SimulationFailure(
          channel, "lost: " + (channel.sampledOut > 0 ? "some of " : "") + missing, missing);
    }
    long[] ids = client.inFlight.stream().mapToLong(topic.guids::idOf).toArray();
    Outcome[] outcomes = new Outcome[ids.length];
    real.finishMessages(client.client, ids, ids.length, outcomes);
    require(Stream.of(outcomes).allMatch(o -> o == Outcome.OK), channel, "last FINs failed");
    channel.empty();
    if (!channel.ephemeral) {
      equal(topic.published.size(), real.upkeep().neededFrom(), channel, "floor at the end");
    }
  }

  private int redriveAll(ChannelModel channel) throws IOException {
    world.noteExpired(channel);
    List<ModelMessage> dead = channel.dead();
    int redriven = world.real(channel).redrive(null, Integer.MAX_VALUE);
    equal(dead.size(), redriven, channel, "dead letters at the end");
    dead.forEach(channel::redrive);
    return redriven;
  }

  private void run(ChannelModel channel, SimulatedClient client) {
    int before = -1;
    long expired = -1;
    while (client.inFlight.size() > before || channel.expired > expired) {
      before = client.inFlight.size();
      expired = channel.expired;
      world.run(channel, client);
      world.noteExpired(channel);
    }
  }

  /** With everything finished a topic keeps no more than its newest journal file. */
  private void reclaim() throws IOException {
    world.broker.housekeep(false);
    for (TopicModel topic : world.topics.values()) {
      try (Stream<Path> files = Files.list(world.broker.dataDir().journalDir(topic.name))) {
        long count = files.filter(file -> file.toString().endsWith(".cq4")).count();
        require(count <= 1, topic, "%d journal files are left", count);
      }
    }
  }

  private void deleteAll() throws IOException {
    policies.checkGraves();
    if (world.broker.topic(FixedPolicies.GRAVES) != null) {
      world.broker.deleteTopic(FixedPolicies.GRAVES);
    }
    for (String topic : new ArrayList<>(world.topics.keySet())) {
      world.broker.deleteTopic(topic);
      world.topics.remove(topic);
    }
    try (Stream<Path> left = Files.list(dir.resolve("topics"))) {
      equal(0, left.count(), "", "directories that are left");
    }
  }

  private void close() throws IOException {
    world.broker.close();
    DurableFiles.deleteTree(dir);
    world.broker.bury();
  }
}
