package io.holdfast.broker.cluster;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.Reply;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.ClusterFile.Known;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What one node has another one do, or say of itself, for the life of the cluster. Orders are
 * carried out on threads of their own, and never wait for an order to a third node. Thread-safe.
 */
final class NodeOrders implements Closeable {
  /** Of requests. */
  static final int TYPE = 7;

  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final int THREADS = 4;
  private static final int MAX_WAITING = 100;
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** What is to be done. */
  enum Kind {
    /** Say how you stand. */
    DESCRIBE,
    /** Lead nothing until you are told otherwise. */
    DRAIN,
    /** Lead again. */
    UNDRAIN,
    /** Where you lead the group: have the member be a learner in place of who has its name. */
    SWAP,
    /** The member is where it says. */
    MOVED,
    /** Begin anew, as the member of this incarnation. */
    JOIN,
    /** Have a node replaced; asked on behalf of the very node. */
    REPLACE
  }

  /**
   * An order; what the kind has no need of is null.
   *
   * @param group of SWAP
   * @param member of SWAP, MOVED, JOIN and REPLACE; in REPLACE host is null for where it was
   * @param uuid of the cluster
   * @param generation of JOIN
   * @param known of JOIN
   */
  record Order(
      Kind kind,
      Integer group,
      GroupPeer member,
      String uuid,
      long generation,
      Map<String, Known> known) {
    static Order of(Kind kind) {
      return new Order(kind, null, null, null, 0, null);
    }
  }

  /**
   * How a node stands.
   *
   * @param state as of {@link ClusterDirectory.State#text}
   * @param incarnation its own
   * @param known the newest incarnations that it knows of
   */
  record Said(
      String state,
      int incarnation,
      String uuid,
      long generation,
      Map<String, Integer> known,
      List<GroupSaid> groups) {
    boolean isMember() {
      return ClusterDirectory.State.MEMBER.text().equals(state);
    }
  }

  /**
   * How a group stands on a node.
   *
   * @param error why it has stopped there; null when it has not
   * @param leads whether the node leads it
   * @param changing whether it leads it and members are being changed, so that they are in between
   * @param lags of others, by name, where it leads: entries that they lack, negative for not known
   */
  record GroupSaid(
      int group,
      String error,
      boolean leads,
      boolean changing,
      List<GroupPeer> voters,
      List<GroupPeer> learners,
      Map<String, Long> lags) {}

  /** Carries orders out. */
  interface Doer {
    /**
     * Does what is ordered; may block.
     *
     * @return the answer, as JSON has it
     * @throws IOException why not, in one line
     */
    Object carryOut(Order order) throws IOException;
  }

  private final Peers peers;
  private final Doer doer;
  private final ExecutorService threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          10,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(MAX_WAITING),
          new DefaultThreadFactory("cluster-orders", true));

  /**
   * @param peers not started yet: gets a handler
   */
  NodeOrders(Peers peers, Doer doer) {
    this.peers = peers;
    this.doer = doer;
    peers.handle(TYPE, (from, payload, reply) -> handle(ByteBufUtil.getBytes(payload), reply));
  }

  private void handle(byte[] payload, Reply reply) {
    try {
      threads.execute(
          () -> {
            try {
              Object answer = doer.carryOut(JSON.readValue(payload, Order.class));
              reply.send(Unpooled.wrappedBuffer(JSON.writeValueAsBytes(answer)));
            } catch (IOException | RuntimeException e) {
              reply.refuse(Reasons.of(e));
            }
          });
    } catch (RejectedExecutionException e) {
      reply.refuse("busy");
    }
  }

  /**
   * Gives another node an order and waits until it is carried out.
   *
   * @param as what the answer is
   * @throws IOException why it was not, or that nobody knows, in one line
   */
  <T> T give(String node, Order order, Class<T> as) throws IOException {
    return answer(giveLater(node, order), as);
  }

  /** As {@link #give}, without waiting; for {@link #answer}. */
  CompletableFuture<ByteBuf> giveLater(String node, Order order) throws IOException {
    return peers.request(
        node, TYPE, Unpooled.wrappedBuffer(JSON.writeValueAsBytes(order)), TIMEOUT);
  }

  /** Waits for an answer. */
  <T> T answer(CompletableFuture<ByteBuf> asked, Class<T> as) throws IOException {
    ByteBuf answer;
    try {
      answer = asked.get(2 * TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException(Reasons.of(e.getCause()), e);
    } catch (TimeoutException e) {
      throw new IOException("no answer in time", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("this node stops", e);
    }
    try {
      return JSON.readValue(ByteBufUtil.getBytes(answer), as);
    } finally {
      answer.release();
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
