package io.holdfast.broker.channel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.channel.Channel.Outcome;
import io.holdfast.broker.topic.GuidFactory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** The random walk of {@link ChannelSimulationTest} and the model beside it. */
final class ChannelSimulation implements AutoCloseable {
  private static final List<String> NAMES = List.of("a", "b", "C");
  private static final int HISTORY = 60;
  private static final int MAX_BACKLOG = 400;
  private static final long FAR_MS = 60_000;

  /** Where a message of a channel is. */
  private enum Place {
    READY,
    IN_FLIGHT,
    DEFERRED
  }

  /** A message of one channel that is not finished. */
  private static final class Expected {
    private Place place = Place.READY;
    private int attempts;

    private SimulatedClient client;
    private long deliveryMs;
    private long deadlineMs;
    private long dueMs;
  }

  /** A channel as it should be. */
  private static final class Model {
    private final TreeMap<Long, Expected> messages = new TreeMap<>();
    private final List<SimulatedClient> clients = new ArrayList<>();
    private final Map<SimulatedClient, Integer> ready = new HashMap<>();
    private boolean paused;

    private long count(Place place) {
      return messages.values().stream().filter(m -> m.place == place).count();
    }
  }

  private final Random random;
  private final Deque<String> history;
  private final SimulatedBroker broker;
  private final GuidFactory guids = new GuidFactory(SimulatedBroker.ID_BASE, 7);
  private final Map<String, Model> models = new TreeMap<>();
  private final List<String> bodies = new ArrayList<>();
  private final Map<Long, Long> dueByOrdinal = new HashMap<>();
  private final List<Long> heldBack = new ArrayList<>();
  private boolean topicPaused;
  private long step;

  ChannelSimulation(Path dir, Random random, Deque<String> history) throws Exception {
    this.random = random;
    this.history = history;
    int memQueueSize = List.of(0, 1, 10, 1000).get(random.nextInt(4));
    long memQueueBytes = random.nextBoolean() ? 1 << 20 : 3000;
    int maxDeferred = random.nextInt(3) == 0 ? 20 : 100_000;
    broker = new SimulatedBroker(dir, memQueueSize, memQueueBytes, maxDeferred);
    note("mem-queue-size %d, %d bytes, max-deferred %d", memQueueSize, memQueueBytes, maxDeferred);
  }

  private void note(String format, Object... args) {
    history.add(step + " @" + broker.nowMs() + " " + String.format(format, args));
    if (history.size() > HISTORY) {
      history.poll();
    }
  }

  // ---------------------------------------------------------------- the walk

  void step() throws Exception {
    step++;
    int dice = random.nextInt(1000);
    if (dice < 200) {
      publish(1 + random.nextInt(3), 0);
    } else if (dice < 240) {
      publish(1 + random.nextInt(40), 0);
    } else if (dice < 280) {
      publish(1 + random.nextInt(4), 1 + random.nextInt(3000));
    } else if (dice < 330) {
      connect();
    } else if (dice < 350) {
      disconnect();
    } else if (dice < 450) {
      setReady(random.nextInt(12));
    } else if (dice < 650) {
      finish();
    } else if (dice < 720) {
      requeue();
    } else if (dice < 760) {
      touch();
    } else if (dice < 900) {
      advance(random.nextInt(4) == 0 ? random.nextInt(3000) : random.nextInt(50));
    } else if (dice < 920) {
      pauseChannel();
    } else if (dice < 935) {
      pauseTopic();
    } else if (dice < 940) {
      empty();
    } else if (dice < 942) {
      emptyTopic();
    } else if (dice < 955) {
      createChannel(NAMES.get(random.nextInt(NAMES.size())));
    } else if (dice < 958) {
      deleteChannel();
    } else if (dice < 992) {
      housekeep(random.nextBoolean());
    } else if (dice < 996) {
      restart();
    } else {
      crash();
    }
    if (random.nextInt(3) > 0) {
      runLoops();
    }
    check();
  }

  private void publish(int count, long deferMs) throws Exception {
    if (models.values().stream().anyMatch(m -> m.messages.size() > MAX_BACKLOG)) {
      return;
    }
    note("publish %d from %d, defer %d", count, bodies.size(), deferMs);
    ByteBuf section = Unpooled.buffer();
    List<Long> ordinals = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long ordinal = bodies.size();
      int length = random.nextInt(20) == 0 && count < 5 ? 5000 : random.nextInt(60);
      String body = "m" + ordinal + "x".repeat(length);
      bodies.add(body);
      ordinals.add(ordinal);
      dueByOrdinal.put(ordinal, deferMs == 0 ? 0 : broker.nowMs() + deferMs);
      section.writeInt(body.length()).writeCharSequence(body, StandardCharsets.US_ASCII);
    }
    assertTrue(broker.topic.putMessages(section, count, deferMs, null));
    section.release();
    if (topicPaused || models.isEmpty()) {
      heldBack.addAll(ordinals);
    } else {
      models.values().forEach(model -> put(model, ordinals));
    }
  }

  private void put(Model model, List<Long> ordinals) {
    for (long ordinal : ordinals) {
      Expected message = new Expected();
      message.dueMs = dueByOrdinal.get(ordinal);
      if (message.dueMs > broker.nowMs()) {
        message.place = Place.DEFERRED;
      }
      assertNull(model.messages.put(ordinal, message));
    }
  }

  private Channel channel(String name) {
    Channel channel = broker.topic.existingChannel(name);
    assertNotNull(channel, name);
    return channel;
  }

  private String anyChannel() {
    List<String> names = new ArrayList<>(models.keySet());
    return names.isEmpty() ? null : names.get(random.nextInt(names.size()));
  }

  private void createChannel(String name) throws Exception {
    if (models.containsKey(name)) {
      return;
    }
    note("create %s", name);
    broker.topic.channel(name);
    Model model = new Model();
    models.put(name, model);
    if (!topicPaused) {
      put(model, heldBack);
      heldBack.clear();
    }
    if (random.nextBoolean()) {
      broker.persistMetadata();
    }
  }

  private void deleteChannel() throws Exception {
    String name = anyChannel();
    if (name == null) {
      return;
    }
    note("delete %s", name);
    broker.topic.deleteChannel(name);
    models.remove(name);
  }

  private void connect() throws Exception {
    String name = anyChannel();
    if (name == null || models.get(name).clients.size() >= 3) {
      return;
    }
    note("connect to %s", name);
    SimulatedClient client = new SimulatedClient(500 + random.nextInt(4000));
    Channel channel = channel(name);
    channel.addClient(client.client);
    client.client.subscribed(channel);
    models.get(name).clients.add(client);
    models.get(name).ready.put(client, 0);
  }

  /** Runs an action on a random client of a random channel. */
  private interface OnClient {
    void run(String name, Model model, SimulatedClient client) throws Exception;
  }

  private void onAnyClient(OnClient action) throws Exception {
    String name = anyChannel();
    if (name == null || models.get(name).clients.isEmpty()) {
      return;
    }
    Model model = models.get(name);
    SimulatedClient client = model.clients.get(random.nextInt(model.clients.size()));
    action.run(name, model, client);
  }

  private void disconnect() throws Exception {
    onAnyClient(
        (name, model, client) -> {
          note("disconnect from %s", name);
          deliver(model, client);
          client.leave(channel(name));
          model.clients.remove(client);
          for (Expected message : model.messages.values()) {
            if (message.client == client) {
              comeBack(message);
            }
          }
        });
  }

  private static void comeBack(Expected message) {
    message.place = Place.READY;
    message.client = null;
  }

  private void setReady(int count) throws Exception {
    onAnyClient(
        (name, model, client) -> {
          note("RDY %d on %s", count, name);
          client.client.setReadyCount(count);
          model.ready.put(client, count);
          client.client.pump();
        });
  }

  private List<Long> inFlightOf(Model model, SimulatedClient client) {
    List<Long> ordinals = new ArrayList<>();
    model.messages.forEach(
        (ordinal, message) -> {
          if (message.place == Place.IN_FLIGHT && message.client == client) {
            ordinals.add(ordinal);
          }
        });
    return ordinals;
  }

  /** Mostly one of the client's own, else any. */
  private long pick(Model model, SimulatedClient client) {
    List<Long> own = inFlightOf(model, client);
    if (own.isEmpty() || random.nextInt(20) == 0) {
      return random.nextInt(bodies.size() + 2);
    }
    return own.get(random.nextInt(own.size()));
  }

  private static Outcome expected(Model model, SimulatedClient client, long ordinal) {
    Expected message = model.messages.get(ordinal);
    if (message == null || message.place != Place.IN_FLIGHT) {
      return Outcome.NOT_IN_FLIGHT;
    }
    return message.client == client ? Outcome.OK : Outcome.NOT_OWNER;
  }

  private void finish() throws Exception {
    onAnyClient(
        (name, model, client) -> {
          deliver(model, client);
          int count = 1 + random.nextInt(8);
          long[] ids = new long[count];
          Outcome[] expected = new Outcome[count];
          Outcome[] outcomes = new Outcome[count];
          for (int i = 0; i < count; i++) {
            long ordinal = pick(model, client);
            ids[i] = guids.idOf(ordinal);
            expected[i] = expected(model, client, ordinal);
            if (expected[i] == Outcome.OK) {
              model.messages.remove(ordinal);
            }
            note("FIN %d on %s: %s", ordinal, name, expected[i]);
          }
          channel(name).finishMessages(client.client, ids, count, outcomes);
          assertEquals(List.of(expected), List.of(outcomes));
          client.client.pump();
        });
  }

  private void requeue() throws Exception {
    onAnyClient(
        (name, model, client) -> {
          deliver(model, client);
          long ordinal = pick(model, client);
          long delayMs = random.nextBoolean() ? 0 : 1 + random.nextInt(3000);
          Outcome expected = expected(model, client, ordinal);
          note("REQ %d %d on %s: %s", ordinal, delayMs, name, expected);
          Outcome outcome =
              channel(name).requeueMessage(client.client, guids.idOf(ordinal), delayMs);
          if (outcome == Outcome.TOO_MANY_DEFERRED) {
            return;
          }
          assertEquals(expected, outcome);
          if (expected == Outcome.OK) {
            Expected message = model.messages.get(ordinal);
            comeBack(message);
            if (delayMs > 0) {
              message.place = Place.DEFERRED;
              message.dueMs = broker.nowMs() + delayMs;
            }
          }
          client.client.pump();
        });
  }

  private void touch() throws Exception {
    onAnyClient(
        (name, model, client) -> {
          deliver(model, client);
          long ordinal = pick(model, client);
          Outcome expected = expected(model, client, ordinal);
          note("TOUCH %d on %s: %s", ordinal, name, expected);
          assertEquals(expected, channel(name).touchMessage(client.client, guids.idOf(ordinal)));
          if (expected == Outcome.OK) {
            Expected message = model.messages.get(ordinal);
            message.deadlineMs =
                Math.min(
                    broker.nowMs() + client.msgTimeoutMs,
                    message.deliveryMs + SimulatedBroker.MAX_MSG_TIMEOUT_MS);
          }
        });
  }

  private void advance(long ms) {
    deliverAll();
    note("advance %d", ms);
    broker.advance(ms);
    for (Model model : models.values()) {
      for (Expected message : model.messages.values()) {
        if (message.place == Place.IN_FLIGHT && message.deadlineMs <= broker.nowMs()) {
          comeBack(message);
        } else if (message.place == Place.DEFERRED && message.dueMs <= broker.nowMs()) {
          message.place = Place.READY;
        }
      }
    }
  }

  private void pauseChannel() throws Exception {
    String name = anyChannel();
    if (name == null) {
      return;
    }
    deliverAll();
    Model model = models.get(name);
    model.paused = !model.paused;
    note("paused(%s) = %s", name, model.paused);
    if (model.paused) {
      channel(name).pause();
    } else {
      channel(name).unpause();
    }
  }

  private void pauseTopic() throws Exception {
    topicPaused = !topicPaused;
    note("topic paused = %s", topicPaused);
    if (topicPaused) {
      broker.topic.pause();
    } else {
      broker.topic.unpause();
      if (!models.isEmpty()) {
        models.values().forEach(model -> put(model, heldBack));
        heldBack.clear();
      }
    }
  }

  private void empty() throws Exception {
    String name = anyChannel();
    if (name == null) {
      return;
    }
    deliverAll();
    note("empty %s", name);
    channel(name).empty();
    models.get(name).messages.clear();
  }

  private void emptyTopic() throws Exception {
    note("empty topic");
    broker.topic.empty();
    heldBack.clear();
  }

  private void housekeep(boolean idle) throws Exception {
    note("housekeep, idle %s", idle);
    broker.topic.housekeep(System.nanoTime() + (idle ? 2 * broker.idleCloseNs() : 0));
  }

  private void restart() throws Exception {
    note("restart");
    deliverAll();
    broker.persistMetadata();
    broker.topic.exit(false);
    begin();
  }

  private void crash() throws Exception {
    note("crash");
    deliverAll();
    begin();
  }

  private void begin() throws Exception {
    for (Model model : models.values()) {
      model.clients.clear();
      for (Expected message : model.messages.values()) {
        if (message.place == Place.IN_FLIGHT) {
          comeBack(message);
        }
      }
    }
    broker.restore();
    assertEquals(
        List.copyOf(models.keySet()), broker.topic.channels().stream().map(Channel::name).toList());
  }

  // ---------------------------------------------------------------- what was delivered

  private void runLoops() {
    for (Model model : models.values()) {
      model.clients.forEach(client -> deliver(model, client));
    }
  }

  private void deliverAll() {
    runLoops();
  }

  private void deliver(Model model, SimulatedClient client) {
    for (SimulatedClient.Delivery delivery : client.run()) {
      long ordinal = guids.ordinalOf(delivery.id());
      Expected message = model.messages.get(ordinal);
      if (delivery.attempts() > 1 || step < ChannelSimulationTest.STEPS) {
        note("-> %d, attempt %d", ordinal, delivery.attempts());
      }
      assertNotNull(message, "delivered " + ordinal + ", which is finished");
      assertEquals(bodies.get((int) ordinal), delivery.body());
      assertTrue(!model.paused, "delivered while paused");
      assertTrue(message.place == Place.READY, "delivered " + ordinal + " while " + message.place);
      message.attempts++;
      assertEquals(message.attempts, delivery.attempts(), "attempts of " + ordinal);
      message.place = Place.IN_FLIGHT;
      message.client = client;
      message.deliveryMs = broker.nowMs();
      message.deadlineMs = broker.nowMs() + client.msgTimeoutMs;
    }
  }

  // ---------------------------------------------------------------- checks

  private void check() {
    assertTrue(broker.diskErrors.isEmpty(), broker.diskErrors::toString);
    if (random.nextInt(10) == 0) {
      settle();
    }
    for (Map.Entry<String, Model> entry : models.entrySet()) {
      String name = entry.getKey();
      Model model = entry.getValue();
      Channel channel = channel(name);
      // Frames that a loop has not been asked for yet are in flight already.
      model.clients.forEach(client -> deliver(model, client));
      assertEquals(model.count(Place.IN_FLIGHT), channel.inFlightCount(), "in flight in " + name);
      assertEquals(
          model.count(Place.READY) + model.count(Place.DEFERRED),
          channel.depth() + channel.deferredCount(),
          "waiting in " + name);
      // Some deferred ones may still be in the backend, uncounted.
      assertTrue(channel.deferredCount() <= model.count(Place.DEFERRED), "deferred in " + name);
    }
    assertEquals(heldBack.size(), broker.topic.depth(), "kept back by the topic");
  }

  /** When nothing runs any more, no client with room has been forgotten. */
  private void settle() {
    for (int quiet = 0; quiet < 3; quiet++) {
      runLoops();
    }
    models.forEach(
        (name, model) -> {
          boolean room =
              model.clients.stream()
                  .anyMatch(c -> model.ready.get(c) > inFlightOf(model, c).size());
          if (room && !model.paused) {
            assertEquals(0, model.count(Place.READY), "ready, and nobody was woken: " + name);
          }
        });
  }

  /** Lets everything be delivered and finished; nothing may be left. */
  void drain() throws Exception {
    step++;
    if (topicPaused) {
      pauseTopic();
    }
    createChannel(NAMES.get(0));
    for (String name : models.keySet()) {
      Model model = models.get(name);
      if (model.paused) {
        model.paused = false;
        channel(name).unpause();
      }
      while (!model.clients.isEmpty()) {
        SimulatedClient client = model.clients.remove(0);
        deliver(model, client);
        client.leave(channel(name));
        model.messages.values().stream()
            .filter(message -> message.client == client)
            .forEach(ChannelSimulation::comeBack);
      }
    }
    advance(FAR_MS);
    for (String name : models.keySet()) {
      Model model = models.get(name);
      SimulatedClient client = new SimulatedClient(FAR_MS);
      channel(name).addClient(client.client);
      client.client.subscribed(channel(name));
      model.clients.add(client);
      model.ready.put(client, 2500);
      client.client.setReadyCount(2500);
      client.client.pump();
      int before = -1;
      for (int now = 0; now > before; now = inFlightOf(model, client).size()) {
        before = now;
        deliver(model, client);
      }
      List<Long> missing = new ArrayList<>(model.messages.keySet());
      missing.removeAll(inFlightOf(model, client));
      note(
          "drain %s: %d, depth %d, backend %d, waiting %s, writable %s",
          name,
          model.messages.size(),
          channel(name).depth(),
          channel(name).backendDepth(),
          client.client.isWaiting(),
          client.conn.isWritable());
      assertEquals(List.of(), missing, "lost in " + name);
      long[] ids = model.messages.keySet().stream().mapToLong(guids::idOf).toArray();
      channel(name).finishMessages(client.client, ids, ids.length, new Outcome[ids.length]);
      model.messages.clear();
      assertEquals(bodies.size(), channel(name).neededFrom(), "floor of " + name);
    }
    check();
    crash();
    check();
  }

  @Override
  public void close() throws Exception {
    broker.close();
  }
}
