package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.cluster.forward.ForwardPlace;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.MessageSource;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Three nodes with one topic of one channel, and clients at each, in one thread and with a clock by
 * hand. The messages are a list; what a leader's channel finishes is finished for good. Frames
 * between the nodes wait until the test delivers them, or loses them.
 */
final class SimulatedRelays {
  static final List<String> NAMES = List.of("a", "b", "c");
  static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(3);

  final Random random;
  final Map<String, Node> nodes = new LinkedHashMap<>();
  final List<SimulatedSubscriber> clients = new ArrayList<>();

  /** Messages that are not finished. */
  final Set<Long> unfinished = new TreeSet<>();

  /** By the number that the attempts of a delivery show: until when its leader waits. */
  final Map<Integer, SimulatedChannel.Delivered> deliveries = new LinkedHashMap<>();

  /** What waits for its time, and for its turn. */
  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::atNs).thenComparingLong(Task::order));

  private final Map<String, ArrayDeque<byte[]>> ways = new LinkedHashMap<>();
  private final Set<String> cut = new HashSet<>();
  private long taskCount;
  private long nowNs = 1;
  private long published;
  private long term;
  String leader;

  /** Why nodes serve nobody; null when they do. */
  String standing;

  private record Task(long atNs, long order, Runnable task) {}

  SimulatedRelays(long seed) {
    random = new Random(seed);
    for (String name : NAMES) {
      for (String other : NAMES) {
        ways.put(name + other, new ArrayDeque<>());
      }
    }
    NAMES.forEach(name -> nodes.put(name, new Node(name)));
  }

  /** A node, with what it leads. */
  final class Node implements LedChannels {
    final String name;
    final Relays relays;

    /** null while it leads nothing. */
    SimulatedChannel channel;

    Node(String name) {
      this.name = name;
      relays =
          new Relays(
              new ForwardPlace(name, NAMES, 1, 1),
              (to, type, payload) -> send(name, to, type, payload),
              this,
              () -> standing,
              SimulatedRelays.this::nowNs,
              new Loops());
    }

    @Override
    public boolean isLed(String topic) {
      return channel != null;
    }

    @Override
    public CompletableFuture<MessageSource> channel(String topic, String name, boolean peeking) {
      CompletableFuture<MessageSource> made = new CompletableFuture<>();
      SimulatedChannel now = channel;
      later(
          random.nextInt(2_000_000),
          () -> {
            if (now == null || now != channel) {
              made.completeExceptionally(new BrokerException("exiting"));
            } else {
              made.complete(now);
            }
          });
      return made;
    }

    @Override
    public void left(MessageSource channel) {
      // It lasts.
    }
  }

  private final class Loops extends RelayLoops {
    @Override
    RelayLoop next() {
      return new RelayLoop() {
        @Override
        public void execute(Runnable task) {
          later(0, task);
        }

        @Override
        public void schedule(Runnable task, long delayNs) {
          later(delayNs, task);
        }
      };
    }

    @Override
    RelayLoop timer() {
      return next();
    }
  }

  long nowNs() {
    return nowNs;
  }

  void later(long delayNs, Runnable task) {
    tasks.add(new Task(nowNs + delayNs, taskCount++, task));
  }

  // ---------------------------------------------------------------- the network

  private CompletableFuture<Void> send(String from, String to, int type, ByteBuf payload) {
    byte[] bytes = ByteBufUtil.getBytes(payload);
    payload.release();
    if (cut.contains(from + to)) {
      return CompletableFuture.failedFuture(new IOException("not reachable"));
    }
    byte[] frame = new byte[bytes.length + 1];
    frame[0] = (byte) type;
    System.arraycopy(bytes, 0, frame, 1, bytes.length);
    ways.get(from + to).add(frame);
    return CompletableFuture.completedFuture(null);
  }

  /** Something arrives, if anything is on its way. */
  private boolean arrive() {
    List<String> filled =
        ways.entrySet().stream()
            .filter(e -> !e.getValue().isEmpty())
            .map(Map.Entry::getKey)
            .toList();
    if (filled.isEmpty()) {
      return false;
    }
    String way = filled.get(random.nextInt(filled.size()));
    byte[] frame = ways.get(way).remove();
    ByteBuf payload = Unpooled.wrappedBuffer(frame, 1, frame.length - 1);
    String from = way.substring(0, 1);
    Relays to = nodes.get(way.substring(1)).relays;
    if (frame[0] == Relays.TO_LEADER) {
      to.asked(from, payload);
    } else {
      to.told(from, payload);
    }
    return true;
  }

  /** A connection is lost with what was on it; whoever made it is told, or it is quickly again. */
  void lose() {
    String from = NAMES.get(random.nextInt(3));
    String to = NAMES.get(random.nextInt(3));
    if (from.equals(to)) {
      return;
    }
    ArrayDeque<byte[]> way = ways.get(from + to);
    int lost = random.nextInt(way.size() + 1);
    for (int i = 0; i < lost; i++) {
      way.removeLast();
    }
    if (random.nextBoolean()) {
      cut.add(from + to);
      nodes.get(from).relays.reachable(to, false);
    }
  }

  void heal() {
    for (String way : List.copyOf(cut)) {
      cut.remove(way);
      nodes.get(way.substring(0, 1)).relays.reachable(way.substring(1), true);
    }
  }

  // ---------------------------------------------------------------- leading

  /** Another one leads; the one before may not know yet, nor others who leads now. */
  void elect() {
    String next = NAMES.get(random.nextInt(3));
    term++;
    leader = next;
    long its = term;
    for (Node node : nodes.values()) {
      long delayNs = random.nextInt(300_000_000);
      if (random.nextInt(3) == 0) {
        later(delayNs / 2, () -> node.relays.leaderIs(0, null, its));
      }
      later(delayNs, () -> node.relays.leaderIs(0, next, its));
      if (node.name.equals(next)) {
        later(delayNs + random.nextInt(50_000_000), () -> lead(node, its));
      } else {
        later(delayNs, () -> leadNoMore(node, its));
      }
    }
  }

  private void lead(Node node, long its) {
    if (term == its) {
      end(node);
      node.channel = new SimulatedChannel(this, its);
    }
  }

  private void leadNoMore(Node node, long its) {
    if (node.channel != null && node.channel.term() < its) {
      end(node);
    }
  }

  private static void end(Node node) {
    SimulatedChannel ending = node.channel;
    node.channel = null;
    if (ending != null) {
      ending.end();
    }
  }

  /** The channel of who leads, null while there is none. */
  SimulatedChannel channel() {
    return leader == null ? null : nodes.get(leader).channel;
  }

  void publish() {
    long id = ++published;
    unfinished.add(id);
    for (Node node : nodes.values()) {
      // One that leads no more has nothing new.
      if (node.channel != null && node.channel.term() == term) {
        node.channel.add(id);
      }
    }
  }

  /** What a channel has finished is finished, if it still leads; else it comes again. */
  void finished(long id, long its) {
    if (its == term) {
      unfinished.remove(id);
    }
  }

  // ---------------------------------------------------------------- time

  /** What can happen now happens. */
  void settle() {
    boolean any = true;
    while (any) {
      any = arrive();
      while (!tasks.isEmpty() && tasks.peek().atNs() <= nowNs) {
        tasks.remove().task().run();
        any = true;
      }
    }
  }

  /** One thing of those that can happen now. */
  void step() {
    if (random.nextBoolean() || !arrive()) {
      if (!tasks.isEmpty() && tasks.peek().atNs() <= nowNs) {
        tasks.remove().task().run();
      }
    }
  }

  void pass(long ns) {
    nowNs += ns;
    nodes.values().stream()
        .map(node -> node.channel)
        .filter(channel -> channel != null)
        .forEach(SimulatedChannel::timeOut);
  }
}
