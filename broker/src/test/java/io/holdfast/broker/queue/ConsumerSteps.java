package io.holdfast.broker.queue;

import static io.holdfast.broker.queue.SimulationFailure.equal;
import static io.holdfast.broker.queue.SimulationFailure.require;

import io.holdfast.broker.queue.ModelMessage.Place;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What consumers do, called as the protocol calls it. */
final class ConsumerSteps {
  private static final int MAX_CLIENTS = 3;
  private static final int MAX_READY = 12;
  private static final int MAX_FINS = 8;
  private static final int MAX_DELAY_MS = 3000;

  private final SimulationWorld world;

  ConsumerSteps(SimulationWorld world) {
    this.world = world;
  }

  private interface OnClient {
    void run(ChannelModel channel, SimulatedClient client) throws Exception;
  }

  /** On some consumer of some channel, if there is any. */
  private void onAny(OnClient action) throws Exception {
    ChannelModel channel = world.anyChannel();
    if (channel != null && !channel.clients.isEmpty()) {
      action.run(channel, channel.clients.get(world.random.nextInt(channel.clients.size())));
    }
  }

  void connect() throws Exception {
    ChannelModel channel = world.anyChannel();
    if (channel == null || channel.clients.size() >= MAX_CLIENTS) {
      return;
    }
    boolean samples = world.settings.sampling() && !channel.ephemeral && world.chance(3);
    SimulatedClient client =
        world.newClient(
            500 + world.random.nextInt(4000), samples ? SimulationSettings.SAMPLE_RATE : 0);
    world.note(channel, "%s subscribes%s", client.name, samples ? " to a sample" : "");
    Channel real = world.real(channel);
    real.addClient(client.client);
    client.client.subscribed(real);
    channel.clients.add(client);
    if (world.random.nextBoolean()) {
      ready(channel, client, 1 + anyReady());
    }
  }

  void disconnect() throws Exception {
    onAny(
        (channel, client) -> {
          world.note(channel, "%s disconnects", client.name);
          leave(channel, client);
        });
  }

  void leave(ChannelModel channel, SimulatedClient client) throws Exception {
    TopicModel topic = world.topics.get(channel.topic);
    Channel real = world.real(channel);
    client.leave(real);
    channel.leave(client);
    world.broker.topics().consumerLeft(real);
    if (channel.ephemeral && channel.clients.isEmpty()) {
      world.note(channel, "is gone, for want of consumers");
      topic.delete(channel.name);
      if (topic.ephemeral && topic.channels.isEmpty()) {
        world.note(topic, "is gone, for want of channels");
        world.topics.remove(topic.name);
      }
    }
  }

  void setReady() throws Exception {
    onAny((channel, client) -> ready(channel, client, anyReady()));
  }

  /** Messages are held only for who takes many. */
  private int anyReady() {
    int count = world.random.nextInt(MAX_READY);
    boolean many = world.broker.busy && !world.chance(4);
    return many ? DeliveryPacing.ENOUGH_MESSAGES * count : count;
  }

  private void ready(ChannelModel channel, SimulatedClient client, int count) {
    if (client.closing) {
      return;
    }
    world.note(channel, "%s RDY %d", client.name, count);
    client.ready = count;
    client.client.setReadyCount(count);
    world.readComplete(channel, client);
  }

  void startClose() throws Exception {
    onAny(
        (channel, client) -> {
          world.note(channel, "%s CLS", client.name);
          client.closing = true;
          client.client.startClose();
          world.readComplete(channel, client);
        });
  }

  /** Stops to read what it is sent, or goes on. */
  void stall() throws Exception {
    onAny(
        (channel, client) -> {
          world.note(channel, "%s %s", client.name, client.stalled ? "reads again" : "stalls");
          client.stall(!client.stalled);
        });
  }

  /** Mostly a message of the client's own, else any. */
  private long pick(ChannelModel channel, SimulatedClient client) {
    if (client.inFlight.isEmpty() || world.chance(20)) {
      return world.random.nextInt(world.topics.get(channel.topic).published.size() + 2);
    }
    List<Long> own = new ArrayList<>(client.inFlight);
    return own.get(world.random.nextInt(own.size()));
  }

  private static Outcome expected(ChannelModel channel, SimulatedClient client, long ordinal) {
    ModelMessage message = channel.messages.get(ordinal);
    if (message == null || message.place != Place.IN_FLIGHT) {
      return Outcome.NOT_IN_FLIGHT;
    }
    return message.client == client ? Outcome.OK : Outcome.NOT_OWNER;
  }

  private long idOf(ChannelModel channel, long ordinal) {
    return world.topics.get(channel.topic).guids.idOf(ordinal);
  }

  void finish() throws Exception {
    onAny(
        (channel, client) -> {
          int count = 1 + world.random.nextInt(MAX_FINS);
          long[] ids = new long[count];
          Outcome[] expected = new Outcome[count];
          Outcome[] outcomes = new Outcome[count];
          for (int i = 0; i < count; i++) {
            long ordinal = pick(channel, client);
            ids[i] = idOf(channel, ordinal);
            expected[i] = expected(channel, client, ordinal);
            if (expected[i] == Outcome.OK) {
              channel.finish(ordinal);
            }
            world.note(channel, "%s FIN %d: %s", client.name, ordinal, expected[i]);
          }
          world.real(channel).finishMessages(client.client, ids, count, outcomes);
          require(Arrays.equals(expected, outcomes), channel, "FIN: %s", Arrays.toString(outcomes));
          world.readComplete(channel, client);
        });
  }

  void requeue() throws Exception {
    onAny(
        (channel, client) -> {
          long ordinal = pick(channel, client);
          long delayMs = world.random.nextBoolean() ? 0 : 1 + world.random.nextInt(MAX_DELAY_MS);
          Channel real = world.real(channel);
          Outcome expected = expected(channel, client, ordinal);
          if (expected == Outcome.OK
              && delayMs > 0
              && real.figures().deferredCount() >= world.settings.maxDeferred()
              && !isLastAttempt(channel.messages.get(ordinal))) {
            expected = Outcome.TOO_MANY_DEFERRED;
          }
          world.note(channel, "%s REQ %d %d: %s", client.name, ordinal, delayMs, expected);
          Outcome outcome = real.requeueMessage(client.client, idOf(channel, ordinal), delayMs);
          require(expected == outcome, channel, "REQ %d: %s", ordinal, outcome);
          if (expected == Outcome.OK) {
            channel.requeueCount++;
            channel.end(channel.messages.get(ordinal), delayMs, world.broker.nowMs());
          }
          world.readComplete(channel, client);
        });
  }

  private boolean isLastAttempt(ModelMessage message) {
    int max = world.settings.channel().maxAttempts();
    return max > 0 && message.attempts >= max;
  }

  void touch() throws Exception {
    onAny(
        (channel, client) -> {
          long ordinal = pick(channel, client);
          Outcome expected = expected(channel, client, ordinal);
          world.note(channel, "%s TOUCH %d: %s", client.name, ordinal, expected);
          Outcome outcome = world.real(channel).touchMessage(client.client, idOf(channel, ordinal));
          require(expected == outcome, channel, "TOUCH %d: %s", ordinal, outcome);
          if (expected == Outcome.OK) {
            ModelMessage message = channel.messages.get(ordinal);
            message.deadlineMs =
                Math.min(
                    world.broker.nowMs() + client.msgTimeoutMs,
                    message.deliveryMs + SimulatedBroker.MAX_MSG_TIMEOUT_MS);
          }
          world.readComplete(channel, client);
        });
  }

  /** What a consumer still says to a channel that was deleted under it. */
  void tellDeleted(SimulationWorld.Orphan orphan, long id) {
    Outcome[] outcomes = new Outcome[1];
    orphan.channel().finishMessages(orphan.client().client, new long[] {id}, 1, outcomes);
    require(outcomes[0] == Outcome.EXITING, orphan.topic().name(), "FIN: %s", outcomes[0]);
    Outcome requeued = orphan.channel().requeueMessage(orphan.client().client, id, 0);
    require(requeued == Outcome.EXITING, orphan.topic().name(), "REQ: %s", requeued);
    orphan.client().readComplete();
    equal(0, orphan.client().sent().size(), orphan.topic().name(), "delivered after deletion");
  }
}
