package io.holdfast.broker.cluster.relay;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.InFlightQueue;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Subscriber;
import io.holdfast.broker.queue.SubscriberInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A client of a node, which sees to it that it never has more messages than it asked for. */
final class SimulatedSubscriber implements Subscriber, DeliverySink {
  private static final int QUANTUM_BYTES = 64 * 1024;

  private final SimulatedRelays world;
  final RelayedSubscription source;
  final InFlightQueue inFlight = new InFlightQueue();

  /** What it has and did not answer. */
  final List<SimulatedChannel.Delivered> held = new ArrayList<>();

  final List<Outcome> failures = new ArrayList<>();
  private int ready;
  private int most;
  private int bytes;
  private boolean waiting;
  private boolean pumping;
  boolean stalled;
  boolean closing;
  boolean closed;

  SimulatedSubscriber(SimulatedRelays world, String node) {
    this.world = world;
    source = world.nodes.get(node).relays.subscribe(this, "t", "c");
  }

  void ready(int count) {
    ready = count;
    most = count;
    source.readyChanged(this);
    pumpUnlessWaiting();
  }

  private void pumpUnlessWaiting() {
    if (!waiting) {
      pump();
    }
  }

  private void pump() {
    long room = source.room(this);
    if (closed || stalled || !source.joined().isDone() || room <= 0) {
      source.wakeAnother();
      return;
    }
    try {
      bytes = 0;
      source.poll(this, (int) Math.min(room, 256), this, QUANTUM_BYTES);
      if (!waiting && source.room(this) > 0) {
        wake();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void message(long timestampNs, int attempts, long id, byte[] body, int start, int length) {
    SimulatedChannel.Delivered delivered = world.deliveries.get(attempts);
    assertTrue(delivered.id == id, "an id of another delivery");
    assertTrue(!closing, "a message after the end");
    held.removeIf(each -> each.isTimedOut || each.heldUntilNs <= world.nowNs());
    held.add(delivered);
    assertTrue(held.size() <= most, () -> "it has " + held.size() + " of " + most);
    bytes += length;
  }

  @Override
  public void message(long timestampNs, int attempts, long id, ByteBuffer body) {
    throw new UnsupportedOperationException();
  }

  /** One of what it has; of two deliveries of a message the later one, which its answer is for. */
  private SimulatedChannel.Delivered any() {
    long id = held.get(world.random.nextInt(held.size())).id;
    return held.stream().filter(each -> each.id == id).reduce((first, last) -> last).orElseThrow();
  }

  /** Finishes something that it has. */
  void finish() {
    if (!held.isEmpty()) {
      SimulatedChannel.Delivered one = any();
      held.remove(one);
      Outcome[] outcomes = new Outcome[1];
      source.finishMessages(this, new long[] {one.id}, 1, outcomes);
      note(outcomes[0]);
      pumpUnlessWaiting();
    }
  }

  /** Gives something back. */
  void requeue() {
    if (!held.isEmpty()) {
      SimulatedChannel.Delivered one = any();
      held.remove(one);
      note(source.requeueMessage(this, one.id, 0));
      pumpUnlessWaiting();
    }
  }

  void touch() {
    if (!held.isEmpty()) {
      SimulatedChannel.Delivered one = any();
      Outcome outcome = source.touchMessage(this, one.id);
      note(outcome);
      if (outcome == Outcome.OK) {
        one.heldUntilNs = world.nowNs() + SimulatedRelays.TIMEOUT_NS;
      }
    }
  }

  private void note(Outcome outcome) {
    if (outcome != Outcome.OK) {
      failures.add(outcome);
    }
  }

  void stop() {
    ready = 0;
    var stopped = source.stopped(this);
    if (stopped == null) {
      closing = true;
    } else {
      stopped.thenRun(() -> closing = true);
    }
  }

  void leave() {
    closed = true;
    source.removeClient(this);
    held.clear();
  }

  @Override
  public SubscriberInfo info() {
    return new SubscriberInfo(
        "c",
        "h",
        "",
        "1",
        "",
        "",
        1,
        1,
        SimulatedRelays.TIMEOUT_NS,
        true,
        0,
        0,
        false,
        new SubscriberInfo.Security(false, false, false, "", "", "", false, false, "", ""));
  }

  @Override
  public void failed(String command, long id, Outcome why) {
    note(why);
  }

  @Override
  public int size() {
    return bytes;
  }

  @Override
  public boolean isSubscribed() {
    return source.joined().isDone() && !closing && !closed;
  }

  @Override
  public long readyCount() {
    return ready;
  }

  @Override
  public InFlightQueue inFlight() {
    return inFlight;
  }

  @Override
  public boolean isWaiting() {
    return waiting;
  }

  @Override
  public void setWaiting(boolean waits) {
    waiting = waits;
  }

  @Override
  public long msgTimeoutNs() {
    return SimulatedRelays.TIMEOUT_NS;
  }

  @Override
  public int sampleRate() {
    return 0;
  }

  @Override
  public long maxHoldNs() {
    return 0;
  }

  @Override
  public String topologyZone() {
    return "";
  }

  @Override
  public String topologyRegion() {
    return "";
  }

  @Override
  public void wake() {
    if (!pumping) {
      pumping = true;
      world.later(
          0,
          () -> {
            pumping = false;
            pump();
          });
    }
  }

  @Override
  public boolean runLater(Runnable task, long delayNs) {
    world.later(delayNs, task);
    return true;
  }

  @Override
  public void close() {
    world.later(0, () -> closed |= !source.outlives());
  }
}
