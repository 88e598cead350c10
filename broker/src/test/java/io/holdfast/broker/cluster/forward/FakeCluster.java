package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.state.Origin;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.SharedLogException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Three nodes that publish to one group, in one thread and with a clock by hand. The group's log is
 * a list; what a leader proposed is committed, or is gone with its term, as the test says. So it is
 * with requests and answers between the nodes.
 */
final class FakeCluster {
  static final List<String> NAMES = List.of("a", "b", "c");
  private static final int MANY_BYTES = 1 << 20;

  /** An entry of the log: a publish, a topic that is made, or a term that begins. */
  record Entry(long term, Origin origin, String topic, String body) {
    boolean isTerm() {
      return topic == null;
    }

    boolean isPublish() {
      return origin != null;
    }
  }

  /** Something that a leader proposed, and who is told of it. */
  record Proposed(Entry entry, Runnable applied, Consumer<String> refused, Runnable unknown) {}

  /** A request on its way. */
  private static final class Asking {
    final int from;
    final int to;
    final ForwardRequest request;
    private Consumer<ForwardAnswer> told;

    Asking(int from, int to, ForwardRequest request, Consumer<ForwardAnswer> told) {
      this.from = from;
      this.to = to;
      this.request = request;
      this.told = told;
    }

    void tell(ForwardAnswer answer) {
      Consumer<ForwardAnswer> once = told;
      told = null;
      if (once != null) {
        once.accept(answer);
      }
    }
  }

  private record Answering(Asking asking, ForwardAnswer answer) {}

  /** A node. */
  final class Node implements LedTopics, LeaderLink {
    final int index;
    final String name;
    PublishForwarder forwarder;
    PublishIntake intake;
    int applied;
    private long began;

    /** The last request to another node. */
    ForwardRequest lastAsked;

    /** As it sees itself: the term that it leads in, 0 for none. */
    long leads;

    boolean isServing;
    boolean isHandingOver;
    final Set<String> topics = new HashSet<>();
    final List<Proposed> waiting = new ArrayList<>();

    /** Committed and not applied yet. */
    private final ArrayDeque<Proposed> committed = new ArrayDeque<>();

    Node(int index) {
      this.index = index;
      name = NAMES.get(index);
    }

    void start() {
      began = ++start;
      ForwardPlace place = new ForwardPlace(name, NAMES, start, 1);
      forwarder =
          new PublishForwarder(place, (LeaderLink) this, () -> null, MANY_BYTES, () -> nowNs);
      intake = new PublishIntake(List.of(this), NAMES.size(), (section, count) -> refusal);
    }

    @Override
    public boolean isServing(long term) {
      return leads == term && isServing;
    }

    @Override
    public boolean has(long term, String topic) {
      return isServing(term) && topics.contains(topic);
    }

    @Override
    public CompletableFuture<Void> create(long term, String topic) {
      CompletableFuture<Void> made = new CompletableFuture<>();
      propose(
          term,
          new Proposed(
              new Entry(term, null, topic, null),
              () -> made.complete(null),
              reason -> made.completeExceptionally(notMade(reason, false)),
              () -> made.completeExceptionally(notMade("outcome unknown", true))));
      return made;
    }

    /** As it comes from a broker's topics. */
    private static BrokerException notMade(String reason, boolean isUnknown) {
      return new BrokerException(reason, new SharedLogException(reason, isUnknown));
    }

    @Override
    public void publish(
        long term,
        String topic,
        ByteBuffer section,
        int count,
        long deferMs,
        PublishListener listener) {
      String body = StandardCharsets.US_ASCII.decode(section.duplicate().position(4)).toString();
      Origin origin = (Origin) listener.identity();
      propose(
          term,
          new Proposed(
              new Entry(term, origin, topic, body),
              listener::onDurable,
              listener::onRefused,
              () -> listener.onUnknown("unknown")));
    }

    private void propose(long term, Proposed proposed) {
      if (!isServing(term) || isHandingOver || random.nextDouble() < refusing) {
        proposed.refused().accept("not now");
      } else if (random.nextDouble() < refusingLate) {
        refusedLate.add(proposed);
      } else {
        waiting.add(proposed);
      }
    }

    @Override
    public void ask(String node, ForwardRequest request, Consumer<ForwardAnswer> told) {
      int to = NAMES.indexOf(node);
      if (to == index) {
        intake.handle(index, request, told);
      } else if (cut.contains(index + "-" + to)) {
        told.accept(ForwardAnswer.later(""));
      } else {
        lastAsked = request;
        Asking asking = new Asking(index, to, request, told);
        asked.get(3 * index + to).add(asking);
        unanswered.get(3 * index + to).add(asking);
      }
    }

    /** Applies the next entry, if there is any. */
    @SuppressWarnings("ReferenceEquality") // the very entry, not one like it
    boolean apply() {
      if (applied == log.size()) {
        if (leads > 0 && leads == term && name.equals(NAMES.get(leader)) && applied >= servesFrom) {
          isServing = true;
        }
        return false;
      }
      Entry entry = log.get(applied++);
      note(entry);
      if (entry.isTerm()) {
        forwarder.watch(0).termBegins(entry.term());
      } else if (entry.isPublish()) {
        forwarder.watch(0).applied(entry.origin(), true);
      }
      if (!committed.isEmpty() && committed.peek().entry() == entry && leads == entry.term()) {
        committed.poll().applied().run();
      }
      return true;
    }

    private void note(Entry entry) {
      if (!entry.isTerm() && !entry.isPublish()) {
        topics.add(entry.topic());
      }
    }

    /** A snapshot brings it to where another one is. */
    void install(int upTo) {
      if (upTo > applied && leads == 0) {
        log.subList(applied, upTo).forEach(this::note);
        applied = upTo;
        forwarder.watch(0).snapshotInstalled();
      }
    }

    /** It hears that it leads no more: what it has proposed and not applied it does not know. */
    void stopsLeading() {
      if (leads == 0) {
        return;
      }
      leads = 0;
      isServing = false;
      isHandingOver = false;
      List<Proposed> lost = new ArrayList<>(waiting);
      waiting.clear();
      lost.addAll(0, committed);
      committed.clear();
      lost.forEach(proposed -> proposed.unknown().run());
    }
  }

  final Random random;
  final List<Entry> log = new ArrayList<>();
  final List<Node> nodes = new ArrayList<>();
  private final List<ArrayDeque<Asking>> asked = new ArrayList<>();
  private final List<ArrayDeque<Answering>> answers = new ArrayList<>();
  private final List<Set<Asking>> unanswered = new ArrayList<>();
  private final List<Asking> late = new ArrayList<>();
  private final Set<String> cut = new HashSet<>();
  private final List<Proposed> refusedLate = new ArrayList<>();

  long nowNs = 1;
  long term;
  int leader = -1;
  private int servesFrom;
  private long start;
  double refusing;
  double refusingLate;
  String refusal;

  FakeCluster(long seed) {
    random = new Random(seed);
    for (int i = 0; i < NAMES.size(); i++) {
      nodes.add(new Node(i));
      nodes.get(i).start();
    }
    for (int i = 0; i < 9; i++) {
      asked.add(new ArrayDeque<>());
      answers.add(new ArrayDeque<>());
      unanswered.add(new LinkedHashSet<>());
    }
  }

  /** A node is elected; some of what the one before proposed is in its log, the rest is gone. */
  void elect(int node) {
    Node before = leader < 0 ? null : nodes.get(leader);
    if (before != null) {
      commit(random.nextInt(before.waiting.size() + 1));
      // What is left is with a node that may go on to believe that it leads.
      if (random.nextBoolean()) {
        before.stopsLeading();
      }
    }
    term++;
    leader = node;
    if (node < 0) {
      return;
    }
    Node now = nodes.get(node);
    now.stopsLeading();
    while (now.applied < log.size()) {
      now.apply();
    }
    now.leads = term;
    servesFrom = log.size() + 1;
    log.add(new Entry(term, null, null, null));
    now.forwarder.leaderIs(0, now.name, term);
  }

  /** So many of the leader's oldest proposals are committed. */
  void commit(int count) {
    if (leader < 0 || nodes.get(leader).leads != term) {
      return;
    }
    Node by = nodes.get(leader);
    for (int i = 0; i < count && !by.waiting.isEmpty(); i++) {
      Proposed proposed = by.waiting.remove(0);
      log.add(proposed.entry());
      by.committed.add(proposed);
    }
  }

  /** A node hears who leads now. */
  void tellLeader(Node node) {
    if (leader != node.index) {
      node.stopsLeading();
    }
    node.forwarder.leaderIs(0, leader < 0 ? null : NAMES.get(leader), term);
  }

  /** The next request of one node to another one arrives, or the next answer. */
  void deliver(int connection) {
    Asking asking = asked.get(connection).poll();
    if (asking != null) {
      arrive(asking);
    }
    Answering answering = answers.get(connection).poll();
    if (answering != null) {
      unanswered.get(connection).remove(answering.asking());
      answering.asking().tell(answering.answer());
    }
  }

  /** A request of a connection that is gone arrives after all. */
  void deliverLate() {
    if (!late.isEmpty()) {
      arrive(late.remove(random.nextInt(late.size())));
    }
  }

  private void arrive(Asking asking) {
    ForwardRequest request = ForwardRequest.read(asking.request.write());
    nodes
        .get(asking.to)
        .intake
        .handle(
            asking.from,
            request,
            answer -> {
              ForwardAnswer read = ForwardAnswer.read(answer.write());
              answers.get(3 * asking.from + asking.to).add(new Answering(asking, read));
            });
  }

  /** A connection breaks: who waits for an answer gets none. */
  void breakConnection(int from, int to, boolean staysCut) {
    ArrayDeque<Asking> requests = asked.get(3 * from + to);
    ArrayDeque<Answering> replies = answers.get(3 * from + to);
    List<Asking> lost = new ArrayList<>(unanswered.get(3 * from + to));
    requests.forEach(
        asking -> {
          if (random.nextBoolean()) {
            late.add(asking);
          }
        });
    requests.clear();
    replies.clear();
    unanswered.get(3 * from + to).clear();
    lost.forEach(asking -> asking.tell(ForwardAnswer.lost()));
    if (staysCut) {
      cut.add(from + "-" + to);
    } else {
      cut.remove(from + "-" + to);
    }
  }

  /**
   * A node is killed, and starts again behind what it had applied: nobody there is told anything.
   */
  void restart(Node node) {
    if (leader == node.index) {
      commit(random.nextInt(node.waiting.size() + 1));
      leader = -1;
      term++;
    }
    node.leads = 0;
    node.isServing = false;
    node.isHandingOver = false;
    node.waiting.clear();
    node.committed.clear();
    node.forwarder.close();
    node.topics.clear();
    node.applied = random.nextInt(node.applied + 1);
    log.subList(0, node.applied).forEach(node::note);
    for (int other = 0; other < NAMES.size(); other++) {
      int from = 3 * node.index + other;
      unanswered.get(from).forEach(asking -> asking.told = null);
      breakConnection(node.index, other, false);
      late.removeIf(asking -> asking.to == node.index);
      ArrayDeque<Asking> never = asked.get(3 * other + node.index);
      breakConnection(other, node.index, false);
      never.clear();
    }
    late.removeIf(asking -> asking.to == node.index);
    node.start();
  }

  long startOf(Node node) {
    return node.began;
  }

  /** Those that the leader's engine was too busy for hear of it. */
  void tellRefusedLate() {
    List<Proposed> told = new ArrayList<>(refusedLate);
    refusedLate.clear();
    told.forEach(proposed -> proposed.refused().accept("too much is under way"));
  }

  void pass(long ms) {
    for (long left = ms; left > 0; left -= PublishForwarder.TICK_MS) {
      nowNs += TimeUnit.MILLISECONDS.toNanos(Math.min(left, PublishForwarder.TICK_MS));
      nodes.forEach(node -> node.forwarder.tick());
    }
  }

  /** Everything works from now on, and goes on until nothing more happens. */
  void heal() {
    refusing = 0;
    refusingLate = 0;
    cut.clear();
    tellRefusedLate();
    if (leader < 0 || nodes.get(leader).leads != term) {
      elect(random.nextInt(NAMES.size()));
    }
    nodes.get(leader).isHandingOver = false;
    nodes.forEach(this::tellLeader);
  }

  /** All that is under way arrives and is committed and applied; a moment passes. */
  void settle() {
    for (int connection = 0; connection < asked.size(); connection++) {
      while (!asked.get(connection).isEmpty() || !answers.get(connection).isEmpty()) {
        deliver(connection);
      }
    }
    commit(Integer.MAX_VALUE);
    for (Node node : nodes) {
      while (node.apply()) {
        // until the end
      }
    }
    pass(PublishForwarder.TICK_MS);
  }
}
