package io.holdfast.broker.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.storage.files.Reasons;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the other nodes last said of themselves, asked each second, and how far their clocks are
 * from this one's. Thread-safe.
 */
public final class NodeStatuses implements Closeable {
  /** Of requests. */
  public static final int TYPE = 3;

  /** Due times that one node sets are another one's after a failover. */
  static final long MAX_OFFSET_MS = 1000;

  private static final Logger LOG = LoggerFactory.getLogger(NodeStatuses.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private final Peers peers;
  private final Supplier<NodeStatus> own;
  private final LongSupplier wallClockMs;
  private final Map<String, Heard> heard = new ConcurrentHashMap<>();
  private final Set<String> offClocks = ConcurrentHashMap.newKeySet();
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("node-status", true));

  /**
   * What a node said.
   *
   * @param clockOffsetMs by how much its clock is ahead of this one's, give or take half the round
   *     trip
   * @param roundTripNs from the question to the answer
   */
  public record Heard(NodeStatus status, long clockOffsetMs, long roundTripNs) {}

  /**
   * @param peers not started yet: gets a handler
   * @param own what this node says; on event loops: must not block
   * @param wallClockMs usually {@link System#currentTimeMillis}
   */
  public NodeStatuses(Peers peers, Supplier<NodeStatus> own, LongSupplier wallClockMs) {
    this.peers = peers;
    this.own = own;
    this.wallClockMs = wallClockMs;
    peers.handle(TYPE, (from, payload, reply) -> reply.send(ownStatus()));
  }

  private ByteBuf ownStatus() {
    try {
      return Unpooled.wrappedBuffer(JSON.writeValueAsBytes(own.get()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Begins to ask.
   *
   * @param everyMs how often
   */
  public void start(long everyMs) {
    thread.scheduleWithFixedDelay(this::ask, 0, everyMs, TimeUnit.MILLISECONDS);
  }

  private void ask() {
    for (String node : peers.others()) {
      long sentNs = System.nanoTime();
      long sentMs = wallClockMs.getAsLong();
      peers
          .request(node, TYPE, Unpooled.EMPTY_BUFFER, TIMEOUT)
          .whenComplete(
              (answer, failed) -> {
                if (answer != null) {
                  answered(node, answer, sentMs, System.nanoTime() - sentNs);
                }
              });
    }
  }

  private void answered(String node, ByteBuf answer, long sentMs, long roundTripNs) {
    try {
      NodeStatus status = JSON.readValue(ByteBufUtil.getBytes(answer), NodeStatus.class);
      if (status == null) {
        throw new IOException("it is null");
      }
      long half = TimeUnit.NANOSECONDS.toMillis(roundTripNs / 2);
      Heard now = new Heard(status, status.wallClockMs() - sentMs - half, roundTripNs);
      heard.put(node, now);
      judgeClock(node, now);
    } catch (IOException e) {
      LOG.warn("CLUSTER: the status of {} cannot be read: {}", node, Reasons.of(e));
    } finally {
      answer.release();
    }
  }

  /** Half the way there and back is what the offset is not known by. */
  private void judgeClock(String node, Heard now) {
    long unsureMs = TimeUnit.NANOSECONDS.toMillis(now.roundTripNs() / 2);
    long offMs = Math.abs(now.clockOffsetMs());
    if (offMs - unsureMs > MAX_OFFSET_MS) {
      if (offClocks.add(node)) {
        LOG.warn(
            "CLUSTER: the clock of {} is {} ms {} this one's: deferred messages come so much off"
                + " after a failover",
            node,
            offMs,
            now.clockOffsetMs() > 0 ? "ahead of" : "behind");
      }
    } else if (offMs + unsureMs <= MAX_OFFSET_MS && offClocks.remove(node)) {
      LOG.info("CLUSTER: the clock of {} agrees with this one's again", node);
    }
  }

  /** What a node last said, however long ago; null when it never said anything. */
  public Heard of(String node) {
    return heard.get(node);
  }

  /** Ends asking. */
  @Override
  public void close() {
    thread.shutdownNow();
  }
}
