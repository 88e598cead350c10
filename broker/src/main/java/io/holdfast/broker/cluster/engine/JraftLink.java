package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.util.Endpoint;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersListener;
import io.holdfast.broker.cluster.peers.Reply;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * What all groups of a node share: their way to the other nodes, threads for what is asked from
 * there, and a timer. JRaft knows members by address, {@link Peers} by name; this knows both.
 * Thread-safe.
 */
public final class JraftLink implements Closeable {
  /** The type of JRaft's messages at {@link Peers}. */
  public static final int MESSAGE_TYPE = 1;

  private static final int MAX_THREADS = 64;

  /** Bytes of a read from a snapshot's file; JRaft's default of 1 KB costs a call each. */
  private static final int FILE_BUFFER_BYTES = 512 << 10;

  static {
    // Read once, when JRaft's classes are loaded.
    System.setProperty("jraft.byte_buf.size", Integer.toString(FILE_BUFFER_BYTES));
    // It would keep the buffers of requests, each of up to 512 KiB, for the thread that made them.
    // Who gives them back are other threads, and those queues have no end: the heap goes full.
    System.setProperty("jraft.recyclers.maxCapacityPerThread", "0");
  }

  private final Peers peers;
  private final Map<Endpoint, GroupPeer> members = new ConcurrentHashMap<>();
  private final Map<Integer, JraftServer> servers = new ConcurrentHashMap<>();
  private final Map<Integer, ReplicatorGroup> replicators = new ConcurrentHashMap<>();
  private final ThreadPoolExecutor executor =
      new ThreadPoolExecutor(
          0,
          MAX_THREADS,
          10,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          new DefaultThreadFactory("raft", true));
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("raft-timer", true));

  /**
   * Takes the messages of {@link #MESSAGE_TYPE}.
   *
   * @param peers not started; closed by the caller before this
   */
  public JraftLink(Peers peers) {
    this.peers = peers;
    peers.handle(MESSAGE_TYPE, this::handle);
    peers.listen(
        new PeersListener() {
          @Override
          public void reachable(String node, boolean isReachable) {
            if (isReachable) {
              wakeReplicatorsTo(node);
            }
          }
        });
  }

  /**
   * Notes where nodes are that may be members: what is at an address that nobody told cannot be
   * asked.
   *
   * @param known some, or all; a later one at the same address counts
   */
  public void know(List<GroupPeer> known) {
    for (GroupPeer member : known) {
      members.put(new Endpoint(member.host(), member.port()), member);
    }
  }

  /** The name of the node at an address; the address itself when nobody told it. */
  String nodeAt(Endpoint endpoint) {
    GroupPeer member = members.get(endpoint);
    return member == null ? endpoint.toString() : member.node();
  }

  ThreadPoolExecutor executor() {
    return executor;
  }

  /** Has a group's requests handled from now on. */
  void serve(int group, JraftServer server) {
    servers.put(group, server);
  }

  /** The group is not here any more. */
  void unserve(int group) {
    servers.remove(group);
    replicators.remove(group);
  }

  private void handle(String fromNode, ByteBuf payload, Reply reply) {
    int group = JraftMessages.groupOf(payload);
    JraftServer server = servers.get(group);
    if (server == null) {
      reply.refuse("group " + group + " does not run here");
    } else {
      server.handle(fromNode, payload, reply);
    }
  }

  boolean isReachable(Endpoint endpoint) {
    String node = nodeAt(endpoint);
    return peers.others().contains(node) && peers.isReachable(node);
  }

  /** Ms since anything came from there, negative when that is not known. */
  long lastContactMs(Endpoint endpoint) {
    String node = nodeAt(endpoint);
    return peers.others().contains(node) ? peers.lastContactMs(node) : -1;
  }

  /** As {@link Peers#request}, by address. */
  CompletableFuture<ByteBuf> request(Endpoint endpoint, ByteBuf encoded, Duration timeout) {
    String node = nodeAt(endpoint);
    if (!peers.others().contains(node)) {
      encoded.release();
      return CompletableFuture.failedFuture(new IOException("no node is known at " + endpoint));
    }
    return peers.request(node, MESSAGE_TYPE, encoded, timeout);
  }

  /** Has a group's replicators woken when a node is there again: else they wait for a timer. */
  void onReachable(int group, ReplicatorGroup itsReplicators) {
    replicators.put(group, itsReplicators);
  }

  private void wakeReplicatorsTo(String node) {
    try {
      executor.execute(
          () -> {
            for (ReplicatorGroup one : replicators.values()) {
              for (GroupPeer member : members.values()) {
                if (member.node().equals(node)) {
                  one.checkReplicator(JraftPeers.id(member), true);
                }
              }
            }
          });
    } catch (RejectedExecutionException e) {
      // Closed, or busy: JRaft's own timer will.
      return;
    }
  }

  ScheduledFuture<?> every(Duration interval, Runnable task) {
    return timer.scheduleWithFixedDelay(
        task, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Ends the threads. The groups have been stopped. */
  @Override
  public void close() {
    timer.shutdownNow();
    executor.shutdownNow();
  }
}
