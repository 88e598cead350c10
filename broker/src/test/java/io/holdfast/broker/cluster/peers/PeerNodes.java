package io.holdfast.broker.cluster.peers;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.tls.TlsContexts;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Nodes of one cluster in this JVM, on free ports of loopback; at the end every buffer must have
 * been released.
 */
final class PeerNodes implements Closeable {
  static final Duration LONG = Duration.ofSeconds(60);
  static final int MAX_FRAME = 6 << 20;
  static final long MAX_QUEUED = 8 << 20;

  final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(true);
  final Transport transport = new Transport(2);
  private final List<String> names;
  private final List<Peers> all = new ArrayList<>();
  private final Map<String, Peers> running = new TreeMap<>();
  private final ResourceLeakDetector.Level levelBefore = ResourceLeakDetector.getLevel();
  PeersConfig.Times times =
      new PeersConfig.Times(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(100),
          Duration.ofSeconds(20));

  PeerNodes(String... names) {
    this.names = List.of(names);
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
  }

  static Handshake handshake(String node, List<String> names) {
    return new Handshake(
        node, 0, null, 0, names, 900, 3, 1, 1, "forming", false, 0, Map.of(node, 0));
  }

  PeersConfig config(String node, TlsContexts tls) {
    Map<String, HostPort> addresses = new TreeMap<>();
    names.forEach(name -> addresses.put(name, null));
    addresses.put(node, new HostPort("127.0.0.1", 0));
    return new PeersConfig(node, addresses, MAX_FRAME, MAX_QUEUED, tls, times);
  }

  /** One that does not run yet. */
  Peers make(String node) {
    return make(node, null, own -> own, peer -> null);
  }

  Peers make(String node, TlsContexts tls, UnaryOperator<Handshake> changes, HandshakeJudge judge) {
    Handshake own = changes.apply(handshake(node, names));
    Peers peers = new Peers(config(node, tls), () -> own, judge, transport, alloc);
    all.add(peers);
    running.put(node, peers);
    return peers;
  }

  /** Starts all that were made last, and tells them where the others are. */
  void start() throws IOException {
    for (Peers peers : running.values()) {
      peers.start();
    }
    running.forEach(this::announce);
  }

  /** Starts one in place of an earlier one of that name. */
  void startOne(String node) throws IOException {
    running.get(node).start();
    running.forEach(this::announce);
  }

  private void announce(String node, Peers peers) {
    running.forEach(
        (other, theirs) -> {
          if (!other.equals(node)) {
            theirs.moved(node, new HostPort("127.0.0.1", peers.port()));
          }
        });
  }

  /** Ends one. */
  void stop(String node) {
    running.remove(node).close();
  }

  void awaitReachable(Peers from, String node) {
    await().atMost(LONG).until(() -> from.isReachable(node));
  }

  long usedBytes() {
    return alloc.metric().usedDirectMemory() + alloc.metric().usedHeapMemory();
  }

  @Override
  public void close() {
    try {
      all.forEach(Peers::close);
      await()
          .atMost(LONG)
          .pollInterval(10, TimeUnit.MILLISECONDS)
          .untilAsserted(() -> assertEquals(0, usedBytes(), "bytes that nobody released"));
    } finally {
      ResourceLeakDetector.setLevel(levelBefore);
      transport.close();
    }
  }
}
