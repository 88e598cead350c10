package io.holdfast.broker.cluster.peers;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** What all connections of a node have in common. Thread-safe. */
final class PeersShared {
  /** {@link #lastContactMs} of a node that was never heard. */
  static final long NEVER = -1;

  private final PeersConfig config;
  private final Supplier<Handshake> own;
  private final HandshakeJudge judge;
  private final PeersLog log = new PeersLog(System::nanoTime);
  private final List<PeersListener> listeners = new CopyOnWriteArrayList<>();

  /** Index: the type. */
  private final RequestHandler[] handlers = new RequestHandler[256];

  private final long startNs = System.nanoTime();

  /** Ns since the start when a node was last heard, negative for never. */
  private final Map<String, AtomicLong> heardNs = new HashMap<>();

  PeersShared(PeersConfig config, Supplier<Handshake> own, HandshakeJudge judge) {
    this.config = config;
    this.own = own;
    this.judge = judge;
    config.addresses().keySet().forEach(node -> heardNs.put(node, new AtomicLong(NEVER)));
  }

  PeersConfig config() {
    return config;
  }

  PeersConfig.Times times() {
    return config.times();
  }

  Handshake own() {
    return own.get();
  }

  HandshakeJudge judge() {
    return judge;
  }

  PeersLog log() {
    return log;
  }

  /** To be called before anything starts. */
  void handle(int type, RequestHandler handler) {
    if (handlers[type] != null) {
      throw new IllegalStateException("type " + type + " has a handler");
    }
    handlers[type] = handler;
  }

  /** null for none. */
  RequestHandler handler(int type) {
    return handlers[type];
  }

  void listen(PeersListener listener) {
    listeners.add(listener);
  }

  void reachable(String node, boolean isReachable) {
    listeners.forEach(listener -> listener.reachable(node, isReachable));
  }

  /** Says so, to the log now and then, to the listeners always. */
  void refused(Handshake peer, String whom, String reason) {
    log.refused(isOther(peer.node()) ? peer.node() : null, whom, reason);
    listeners.forEach(listener -> listener.refused(peer, reason));
  }

  /** Whether that is the name of another node of the configuration. */
  boolean isOther(String node) {
    return !node.equals(config.node()) && config.addresses().containsKey(node);
  }

  void heard(String node) {
    heardNs.get(node).lazySet(System.nanoTime() - startNs);
  }

  long lastContactMs(String node) {
    long ns = heardNs.get(node).get();
    return ns < 0 ? NEVER : (System.nanoTime() - startNs - ns) / 1_000_000;
  }
}
