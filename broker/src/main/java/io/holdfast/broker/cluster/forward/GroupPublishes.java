package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.state.Origin;
import io.holdfast.broker.cluster.state.PublishWatch;
import io.holdfast.broker.queue.PublishListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's publishes to the topics of one group, until it is known what became of each.
 *
 * <p>They go to the leader in the order in which they came, as a {@link PublishStream}. When that
 * ends (another leader or term, a refusal, a lost connection) nothing is sent until each of its
 * publishes is settled or certainly in no log: as the leader says so, or as an entry of a later
 * term was applied here and it was not. Those are sent again, in their order, in the next stream.
 * So nothing is stored twice, and nothing overtakes what was published before it.
 *
 * <p>Its state is that of its {@link Serial}; calls are for any thread, and never block.
 */
final class GroupPublishes implements PublishWatch {
  private static final Logger LOG = LoggerFactory.getLogger(GroupPublishes.class);

  /** How long it is tried, and asked what became of it. */
  static final long MAX_WAIT_MS = 5000;

  /** After a leader said "not now". */
  static final long PAUSE_MS = 20;

  // What may be under way to the leader; of all nodes together less than its group takes.
  private static final int MAX_ASKED = 1024;
  private static final long MAX_ASKED_BYTES = 4 << 20;

  private final int group;
  private final int node;
  private final long start;
  private final LeaderLink link;
  private final LongSupplier nanoClock;
  private final LongConsumer settledBytes;
  private final Serial serial = new Serial();

  // Those of the present stream, by sequence; all were published before the next ones.
  private final Map<Long, UnsettledPublish> sent = new LinkedHashMap<>();
  private final ArrayDeque<UnsettledPublish> toSend = new ArrayDeque<>();
  private long sequences;
  private long streams;
  private long sentBytes;

  /** How many of {@link #sent} may be in a log, or get there. */
  private int open;

  /** null before the first publish to a leader. */
  private PublishStream stream;

  private String leader;
  private long leaderTerm;
  private boolean isPausing;
  private long pauseUntilNs;

  /**
   * @param node place of this node in {@code cluster_nodes}
   * @param start counts its starts
   * @param settledBytes told how many bytes are not kept any more
   */
  GroupPublishes(
      int group,
      int node,
      long start,
      LeaderLink link,
      LongSupplier nanoClock,
      LongConsumer settledBytes) {
    this.group = group;
    this.node = node;
    this.start = start;
    this.link = link;
    this.nanoClock = nanoClock;
    this.settledBytes = settledBytes;
  }

  // ---------------------------------------------------------------- from outside

  /** Publishes; the section is kept. */
  void publish(String topic, byte[] section, int count, long deferMs, PublishListener listener) {
    long deadlineNs = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(MAX_WAIT_MS);
    serial.run(
        () -> {
          toSend.add(
              new UnsettledPublish(
                  ++sequences, topic, section, count, deferMs, deadlineNs, listener));
          send();
        });
  }

  /** As {@link io.holdfast.broker.cluster.engine.GroupMember#leaderIs}. */
  void leaderIs(String name, long term) {
    serial.run(
        () -> {
          if (term < leaderTerm) {
            return;
          }
          boolean isNew = term > leaderTerm || (name != null && !name.equals(leader));
          leaderTerm = term;
          leader = name;
          isPausing &= !isNew;
          send();
        });
  }

  @Override
  public void applied(Origin origin, boolean stored) {
    if (origin.node() == node && origin.start() == start && origin.sequence() > 0) {
      serial.run(() -> applied(origin.sequence(), stored));
    }
  }

  private void applied(long sequence, boolean stored) {
    UnsettledPublish publish = sent.get(sequence);
    if (publish != null) {
      // Nothing was in the topic when it was deleted before.
      settled(publish, stored ? ForwardAnswer.stored() : ForwardAnswer.refused("exiting"));
      send();
    }
  }

  @Override
  public void termBegins(long term) {
    serial.run(
        () -> {
          if (stream == null || stream.term >= term) {
            return;
          }
          stream.isClosed = true;
          for (UnsettledPublish publish : List.copyOf(sent.values())) {
            if (publish.isOpen() && publish.isPassedOver) {
              settled(publish, unknown(publish));
            } else {
              nowhere(publish);
            }
          }
          send();
        });
  }

  @Override
  public void snapshotInstalled() {
    serial.run(
        () -> {
          for (UnsettledPublish publish : List.copyOf(sent.values())) {
            if (publish.state == UnsettledPublish.State.OPEN) {
              settled(publish, unknown(publish));
            } else {
              // The leader's answer may still come.
              publish.isPassedOver |= publish.isOpen();
            }
          }
          send();
        });
  }

  /** Time has passed: what has waited for too long ends, and what waits for an answer asks. */
  void tick() {
    serial.run(
        () -> {
          expire();
          send();
          askWhatWasTaken();
        });
  }

  // ---------------------------------------------------------------- sending

  private void send() {
    if (stream != null) {
      boolean isLeaders =
          leader == null || (stream.node.equals(leader) && stream.term == leaderTerm);
      stream.isClosed |= !isLeaders;
      if (stream.isClosed) {
        if (open > 0) {
          return;
        }
        takeBack();
      }
    }
    if (leader == null || toSend.isEmpty()) {
      return;
    }
    if (isPausing && nanoClock.getAsLong() - pauseUntilNs < 0) {
      return;
    }
    isPausing = false;
    if (stream == null) {
      stream = new PublishStream(leader, leaderTerm, ++streams);
    }
    while (!toSend.isEmpty() && mayAsk()) {
      ask(toSend.poll());
    }
  }

  private boolean mayAsk() {
    return sent.isEmpty()
        || (stream.isProven && sent.size() < MAX_ASKED && sentBytes < MAX_ASKED_BYTES);
  }

  private void ask(UnsettledPublish publish) {
    PublishStream by = stream;
    publish.stream = by;
    publish.position = by.next++;
    publish.state = UnsettledPublish.State.ASKED;
    publish.isPassedOver = false;
    sent.put(publish.sequence, publish);
    sentBytes += publish.bytes();
    open++;
    link.ask(
        by.node,
        publish.request(group, start),
        answer -> serial.run(() -> answered(publish, by, answer)));
  }

  /** All of a stream that is over and are not settled are in no log: they come first. */
  private void takeBack() {
    PublishStream over = stream;
    stream = null;
    List<UnsettledPublish> again = new ArrayList<>(sent.values());
    sent.clear();
    sentBytes = 0;
    for (int i = again.size() - 1; i >= 0; i--) {
      UnsettledPublish publish = again.get(i);
      if (publish.position < over.taken) {
        // A later one is in the log, or may be: this one would come behind it.
        String reason = publish.reason == null ? noLeader(publish) : publish.reason;
        tell(publish, ForwardAnswer.later(reason));
      } else {
        toSend.addFirst(publish);
      }
    }
  }

  // ---------------------------------------------------------------- what became of it

  private void answered(UnsettledPublish publish, PublishStream by, ForwardAnswer answer) {
    if (sent.get(publish.sequence) != publish || publish.stream != by) {
      return;
    }
    switch (answer.kind()) {
      case STORED, REFUSED -> settled(publish, answer);
      case LATER -> {
        if (publish.isOpen()) {
          publish.reason = answer.text().isEmpty() ? publish.reason : answer.text();
          nowhere(publish);
          isPausing = true;
          pauseUntilNs = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(PAUSE_MS);
        }
        by.isClosed = true;
      }
      default -> {
        by.isClosed = true;
        by.isInDoubt |= answer.kind() == ForwardAnswer.Kind.LOST;
        if (publish.isOpen()) {
          publish.state = UnsettledPublish.State.OPEN;
          if (publish.isPassedOver) {
            settled(publish, unknown(publish));
          }
        }
      }
    }
    send();
  }

  private void nowhere(UnsettledPublish publish) {
    if (publish.isOpen()) {
      publish.state = UnsettledPublish.State.NOWHERE;
      open--;
    }
  }

  private void settled(UnsettledPublish publish, ForwardAnswer answer) {
    sent.remove(publish.sequence);
    sentBytes -= publish.bytes();
    nowhere(publish);
    if (answer.kind() == ForwardAnswer.Kind.STORED || answer.kind() == ForwardAnswer.Kind.UNKNOWN) {
      publish.stream.taken = Math.max(publish.stream.taken, publish.position);
    }
    publish.stream.isProven |=
        answer.kind() == ForwardAnswer.Kind.STORED || answer.kind() == ForwardAnswer.Kind.REFUSED;
    tell(publish, answer);
  }

  private void tell(UnsettledPublish publish, ForwardAnswer answer) {
    settledBytes.accept(publish.bytes());
    PublishListener listener = publish.listener;
    try {
      switch (answer.kind()) {
        case STORED -> listener.onDurable();
        case REFUSED -> listener.onFailed(answer.text());
        case LATER -> listener.onRefused(answer.text());
        default -> listener.onUnknown(answer.text());
      }
    } catch (RuntimeException e) {
      // What it has to do with its client is no matter of the other publishes.
      LOG.error("TOPIC({}): a publisher cannot be told", publish.topic, e);
    }
  }

  private void expire() {
    long nowNs = nanoClock.getAsLong();
    // Both are in the order in which they came.
    while (!sent.isEmpty()) {
      UnsettledPublish publish = sent.values().iterator().next();
      if (nowNs - publish.deadlineNs < 0) {
        break;
      }
      boolean isKnown = !publish.isOpen();
      settled(publish, isKnown ? ForwardAnswer.later(late(publish)) : unknown(publish));
    }
    while (!toSend.isEmpty() && nowNs - toSend.peek().deadlineNs >= 0) {
      UnsettledPublish publish = toSend.poll();
      tell(publish, ForwardAnswer.later(late(publish)));
    }
  }

  private String late(UnsettledPublish publish) {
    return leader == null || publish.reason == null ? noLeader(publish) : publish.reason;
  }

  private static String noLeader(UnsettledPublish publish) {
    return "no leader for topic " + publish.topic;
  }

  private static ForwardAnswer unknown(UnsettledPublish publish) {
    return ForwardAnswer.unknown("leader of topic " + publish.topic + " lost, outcome unknown");
  }

  // ---------------------------------------------------------------- a leader that stays

  /** A connection was lost, but not the leader: it says what it has taken of the stream. */
  private void askWhatWasTaken() {
    PublishStream by = stream;
    boolean isToAsk =
        by != null
            && open > 0
            && by.isInDoubt
            && !by.isAsking
            && by.node.equals(leader)
            && by.term == leaderTerm;
    if (isToAsk) {
      by.isAsking = true;
      Consumer<ForwardAnswer> told = answer -> serial.run(() -> taken(by, answer));
      link.ask(by.node, ForwardRequest.close(group, by.term, start, by.number), told);
    }
  }

  private void taken(PublishStream by, ForwardAnswer answer) {
    by.isAsking = false;
    if (by != stream || answer.kind() != ForwardAnswer.Kind.CLOSED) {
      return;
    }
    for (UnsettledPublish publish : sent.values()) {
      if (publish.position >= answer.accepted()) {
        nowhere(publish);
      }
    }
    send();
  }
}
