package io.holdfast.broker.cluster.admin;

import io.holdfast.broker.cluster.peers.PeerException;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.Reply;
import io.holdfast.broker.queue.NoLeaderException;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has what is asked of shared topics answered by whoever leads them, on this node or another. What
 * was certainly not done is asked again for a while; what may have been is not. Thread-safe; blocks
 * for nothing.
 */
public final class LeaderRequests {
  /** Of requests between nodes. */
  public static final int TYPE = 5;

  /** How long somebody waits for a leader. */
  static final long MAX_WAIT_NS = TimeUnit.SECONDS.toNanos(5);

  private static final Logger LOG = LoggerFactory.getLogger(LeaderRequests.class);
  private static final long AGAIN_MS = 20;

  /** A leader that does not answer is none long before; nsqlookupds take their time. */
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final String self;
  private final Peers peers;
  private final LeaderFinder leaders;
  private final ScheduledExecutorService timer;
  private final int maxAnswerBytes;
  private final Supplier<String> address;

  /** null before anybody answers here. */
  private volatile TopicRequests answering;

  /**
   * @param self this node
   * @param peers not started yet: gets a handler
   * @param maxAnswerBytes that go from one node to another
   * @param address where this node is asked by HTTP; null when that is not known
   */
  public LeaderRequests(
      String self,
      Peers peers,
      LeaderFinder leaders,
      ScheduledExecutorService timer,
      int maxAnswerBytes,
      Supplier<String> address) {
    this.self = self;
    this.peers = peers;
    this.leaders = leaders;
    this.timer = timer;
    this.maxAnswerBytes = maxAnswerBytes;
    this.address = address;
    peers.handle(TYPE, this::handle);
  }

  /** Who answers for topics that are led here, from now on. */
  public void serve(TopicRequests requests) {
    answering = new Repeats(requests, System::nanoTime);
  }

  /**
   * Asks the leader of the request's topic.
   *
   * @param told once, any thread, perhaps before this returns; must not block
   */
  public void ask(TopicRequest request, Consumer<TopicAnswer> told) {
    new Asking(request, told).find();
  }

  // ---------------------------------------------------------------- asked

  private void handle(String from, ByteBuf payload, Reply reply) {
    TopicRequest request;
    try {
      request = TopicRequest.read(payload);
    } catch (IllegalArgumentException e) {
      reply.refuse(e.getMessage());
      return;
    }
    answer(from, request, answer -> reply.send(bounded(answer).write()));
  }

  private TopicAnswer bounded(TopicAnswer answer) {
    if (answer.body().length <= maxAnswerBytes) {
      return answer;
    }
    String where = address.get();
    return TopicAnswer.unavailable(
        "the answer is too long to be passed on, "
            + answer.body().length
            + " bytes: ask "
            + self
            + (where == null ? "" : ", " + where));
  }

  /** Answers a request if its topic is led here. */
  private void answer(String node, TopicRequest request, Consumer<TopicAnswer> told) {
    TopicRequests requests = answering;
    long term = leaders.servingTerm(request.topic());
    if (requests == null || term == 0) {
      told.accept(TopicAnswer.notLed(request.topic()));
      return;
    }
    requests.answer(
        node,
        request,
        answer -> {
          // What is not led any more is not found either.
          boolean isLost =
              answer.status() == TopicAnswer.NOT_FOUND
                  && leaders.servingTerm(request.topic()) != term;
          told.accept(isLost ? TopicAnswer.notLed(request.topic()) : answer);
        });
  }

  // ---------------------------------------------------------------- asking

  /** One request on its way. */
  private final class Asking {
    private final TopicRequest request;
    private final Consumer<TopicAnswer> told;
    private final long untilNs = System.nanoTime() + MAX_WAIT_NS;

    Asking(TopicRequest request, Consumer<TopicAnswer> told) {
      this.request = request;
      this.told = told;
    }

    private void find() {
      leaders
          .leaderOf(request.topic(), untilNs)
          .whenComplete(
              (leader, failure) -> {
                if (failure != null) {
                  told.accept(TopicAnswer.unavailable(reason(failure)));
                } else if (leader.equals(self)) {
                  answer(self, request, this::answered);
                } else {
                  send(leader);
                }
              });
    }

    private static String reason(Throwable failure) {
      Throwable cause =
          failure instanceof CompletionException && failure.getCause() != null
              ? failure.getCause()
              : failure;
      return cause instanceof NoLeaderException ? cause.getMessage() : "EXITING";
    }

    private void send(String leader) {
      peers
          .request(leader, TYPE, request.write(), TIMEOUT)
          .whenComplete(
              (answer, failure) -> {
                if (failure == null) {
                  answered(read(leader, answer));
                } else {
                  failed(leader, failure);
                }
              });
    }

    private TopicAnswer read(String leader, ByteBuf answer) {
      try {
        return TopicAnswer.read(answer);
      } catch (IllegalArgumentException e) {
        LOG.warn("CLUSTER: {} answered {}", leader, e.getMessage());
        return lost();
      } finally {
        answer.release();
      }
    }

    private void failed(String leader, Throwable failure) {
      boolean isUndone =
          request.isReading()
              || (failure instanceof PeerException known
                  && (known.kind() == PeerException.Kind.UNREACHABLE
                      || known.kind() == PeerException.Kind.REFUSED));
      LOG.debug("CLUSTER: {} of {} at {}", request.action(), request.topic(), leader, failure);
      answered(isUndone ? TopicAnswer.notLed(request.topic()) : lost());
    }

    private TopicAnswer lost() {
      return TopicAnswer.unavailable(
          "leader of topic " + request.topic() + " lost, outcome unknown");
    }

    private void answered(TopicAnswer answer) {
      if (!answer.isUndone() || System.nanoTime() - untilNs >= 0) {
        told.accept(answer);
        return;
      }
      try {
        timer.schedule(this::find, AGAIN_MS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("CLUSTER: stopping, {} is not asked again", request.action(), e);
        told.accept(answer);
      }
    }
  }
}
