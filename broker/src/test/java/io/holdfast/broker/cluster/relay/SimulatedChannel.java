package io.holdfast.broker.cluster.relay;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Consumer;
import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Outcome;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The channel of a leader in one term: what is not finished, ready or in flight. */
final class SimulatedChannel implements MessageSource {
  /** A delivery, and until when it holds. */
  static final class Delivered {
    final SimulatedChannel channel;
    final long id;
    final Consumer to;
    long deadlineNs;

    /** Until when the client has it, as it thinks. */
    long heldUntilNs;

    /** Whether the leader took it back for want of an answer. */
    boolean isTimedOut;

    Delivered(SimulatedChannel channel, long id, Consumer to, long deadlineNs) {
      this.channel = channel;
      this.id = id;
      this.to = to;
      this.deadlineNs = deadlineNs;
      heldUntilNs = deadlineNs;
    }
  }

  private final SimulatedRelays world;
  private final long term;
  final ArrayDeque<Long> ready = new ArrayDeque<>();
  final Map<Long, Delivered> inFlight = new TreeMap<>();
  final Set<Consumer> consumers = new LinkedHashSet<>();
  private final Set<Consumer> waiting = new LinkedHashSet<>();
  private boolean exiting;

  SimulatedChannel(SimulatedRelays world, long term) {
    this.world = world;
    this.term = term;
    ready.addAll(world.unfinished);
  }

  long term() {
    return term;
  }

  void add(long id) {
    ready.add(id);
    wakeAnother();
  }

  void end() {
    exiting = true;
    List.copyOf(consumers).forEach(Consumer::close);
  }

  void timeOut() {
    for (Delivered each : List.copyOf(inFlight.values())) {
      if (each.deadlineNs <= world.nowNs()) {
        each.isTimedOut = true;
        back(each);
      }
    }
  }

  private void back(Delivered delivered) {
    inFlight.remove(delivered.id);
    ready.add(delivered.id);
    if (!exiting) {
      // Whose message it was has room again.
      wake(delivered.to);
      wakeAnother();
    }
  }

  long count(Consumer client) {
    return inFlight.values().stream().filter(each -> each.to == client).count();
  }

  @Override
  public String topicName() {
    return "t";
  }

  @Override
  public String name() {
    return "c";
  }

  @Override
  public boolean isExiting() {
    return exiting;
  }

  @Override
  public boolean isElsewhere() {
    return exiting;
  }

  @Override
  public void addClient(Consumer client) throws BrokerException {
    if (exiting) {
      throw new BrokerException("exiting");
    }
    consumers.add(client);
  }

  @Override
  public boolean removeClient(Consumer client) {
    consumers.remove(client);
    waiting.remove(client);
    client.setWaiting(false);
    for (Delivered each : new ArrayList<>(inFlight.values())) {
      if (each.to == client) {
        back(each);
      }
    }
    return consumers.isEmpty();
  }

  @Override
  public int poll(Consumer client, int max, DeliverySink out, int maxBytes) {
    if (exiting || !client.isSubscribed()) {
      return -1;
    }
    int count = 0;
    long room = Math.min(max, client.readyCount()) - count(client);
    while (count < room && !ready.isEmpty() && out.size() < maxBytes) {
      long id = ready.remove();
      Delivered delivered =
          new Delivered(this, id, client, world.nowNs() + SimulatedRelays.TIMEOUT_NS);
      inFlight.put(id, delivered);
      int number = world.deliveries.size() + 1;
      world.deliveries.put(number, delivered);
      byte[] body = new byte[world.random.nextInt(40_000)];
      out.message(1, number, id, body, 0, body.length);
      count++;
    }
    // Woken when it has room, or there is something.
    waiting.add(client);
    client.setWaiting(true);
    return count;
  }

  @Override
  public void wakeAnother() {
    for (Consumer next : List.copyOf(waiting)) {
      if (!ready.isEmpty() && next.readyCount() > count(next)) {
        wake(next);
        return;
      }
    }
  }

  private void wake(Consumer client) {
    waiting.remove(client);
    client.setWaiting(false);
    client.wake();
  }

  @Override
  public void readFailed(IOException cause) {
    throw new IllegalStateException(cause);
  }

  private Outcome check(Consumer client, long id) {
    Delivered delivered = inFlight.get(id);
    if (exiting) {
      return Outcome.EXITING;
    }
    if (delivered != null && delivered.to == client) {
      return Outcome.OK;
    }
    // Only who answers too late, or for an earlier delivery, finds it gone, or with another.
    assertTrue(
        world.deliveries.values().stream()
            .anyMatch(each -> each.id == id && each.to == client && each.isTimedOut),
        () -> "an answer that came in time was not taken: " + id);
    return delivered == null ? Outcome.NOT_IN_FLIGHT : Outcome.NOT_OWNER;
  }

  @Override
  public void finishMessages(Consumer client, long[] ids, int count, Outcome[] outcomes) {
    for (int i = 0; i < count; i++) {
      outcomes[i] = check(client, ids[i]);
      if (outcomes[i] == Outcome.OK) {
        inFlight.remove(ids[i]);
        world.finished(ids[i], term);
        wake(client);
      }
    }
  }

  @Override
  public Outcome requeueMessage(Consumer client, long id, long delayMs) {
    Outcome outcome = check(client, id);
    if (outcome == Outcome.OK) {
      back(inFlight.get(id));
    }
    return outcome;
  }

  @Override
  public Outcome touchMessage(Consumer client, long id) {
    Outcome outcome = check(client, id);
    if (outcome == Outcome.OK) {
      inFlight.get(id).deadlineNs = world.nowNs() + SimulatedRelays.TIMEOUT_NS;
    }
    return outcome;
  }
}
