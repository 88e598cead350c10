package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The other nodes of a cluster, for whoever has something to ask them.
 *
 * <p>Requests of one thread to one node are handled there in the order in which they were made,
 * those of one connection at least: after a connection was lost, and all that waited on it with it,
 * the next request uses the next one. A node is asked only while it {@link #isReachable}. Nothing
 * is repeated. Thread-safe.
 */
public final class Peers implements Closeable {
  /** How long the end waits for connections to close. */
  static final long CLOSE_MS = 1000;

  private static final int MAX_TYPE = 255;

  private final PeersShared shared;
  private final Transport transport;
  private final ByteBufAllocator alloc;
  private final Map<String, PeerLink> links = new TreeMap<>();
  private final AcceptedConnections accepted;
  private final ThreadPoolExecutor resolver;
  private volatile Channel listener;
  private volatile boolean started;

  /**
   * Neither listens nor connects yet.
   *
   * @param own what this node says of itself, asked for each connection; on event loops: must not
   *     block
   * @param transport whose event loops are used; closed by the caller, later
   */
  public Peers(
      PeersConfig config, Supplier<Handshake> own, HandshakeJudge judge, Transport transport) {
    this(config, own, judge, transport, PooledByteBufAllocator.DEFAULT);
  }

  /**
   * @param alloc a test's counts
   */
  Peers(
      PeersConfig config,
      Supplier<Handshake> own,
      HandshakeJudge judge,
      Transport transport,
      ByteBufAllocator alloc) {
    this.transport = transport;
    this.alloc = alloc;
    shared = new PeersShared(config, own, judge);
    accepted = new AcceptedConnections(shared);
    resolver =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            new DefaultThreadFactory("peers-resolver", true));
    resolver.allowCoreThreadTimeOut(true);
    for (String node : config.addresses().keySet()) {
      if (!node.equals(config.node())) {
        links.put(node, new PeerLink(shared, node, transport, alloc, resolver));
      }
    }
  }

  /**
   * Has requests of a type handled; without a handler they close their connection. Before {@link
   * #start}.
   *
   * @param type 0..255
   * @throws IllegalArgumentException for another number
   * @throws IllegalStateException when the type has a handler, or it is too late
   */
  public void handle(int type, RequestHandler handler) {
    if (type < 0 || type > MAX_TYPE) {
      throw new IllegalArgumentException("type " + type + " is not in 0.." + MAX_TYPE);
    }
    if (started) {
      throw new IllegalStateException("started");
    }
    shared.handle(type, handler);
  }

  /** Has somebody told what becomes of the others, from now on. */
  public void listen(PeersListener told) {
    shared.listen(told);
  }

  /**
   * Listens, and begins to connect to all others. Not for event loops.
   *
   * @throws IOException in one line: the address is taken, or none of this machine's
   */
  public void start() throws IOException {
    started = true;
    HostPort here = shared.config().addresses().get(shared.config().node());
    ServerBootstrap bootstrap =
        new ServerBootstrap().childOption(ChannelOption.ALLOCATOR, alloc).childHandler(accepted);
    listener = transport.bind(bootstrap, new ListenAddress(here.host(), here.port(), null));
    links.values().forEach(PeerLink::start);
  }

  /** The port that {@link #start} listens on. */
  public int port() {
    return ((InetSocketAddress) listener.localAddress()).getPort();
  }

  /**
   * A node is somewhere else from now on.
   *
   * @throws IllegalArgumentException when it is none of the others
   */
  public void moved(String node, HostPort address) {
    link(node).moveTo(address);
  }

  /**
   * Closes all connections; those that are made next are judged as things are then. What waits for
   * an answer is lost.
   */
  public void reconnect() {
    links.values().forEach(PeerLink::reconnect);
    accepted.closeNow();
  }

  /**
   * Asks a node. Any thread, never blocks.
   *
   * @param type of {@link #handle} there
   * @param payload released by the callee, always; must not change
   * @return the answer, which whoever takes it releases; or a {@link PeerException}. Told on an
   *     event loop: what depends on it must not block
   * @throws IllegalArgumentException when it is none of the others
   */
  public CompletableFuture<ByteBuf> request(
      String node, int type, ByteBuf payload, Duration timeout) {
    return linkOrRelease(node, payload).request(type, payload, timeout.toNanos());
  }

  /**
   * Tells a node something that it does not answer; in order with {@link #request}.
   *
   * @param payload released by the callee, always; must not change
   * @return done when it is out of this process, which does not say that it arrives; or a {@link
   *     PeerException}
   * @throws IllegalArgumentException when it is none of the others
   */
  public CompletableFuture<Void> send(String node, int type, ByteBuf payload) {
    return linkOrRelease(node, payload).send(type, payload);
  }

  private PeerLink linkOrRelease(String node, ByteBuf payload) {
    boolean found = false;
    try {
      PeerLink link = link(node);
      found = true;
      return link;
    } finally {
      if (!found) {
        payload.release();
      }
    }
  }

  private PeerLink link(String node) {
    PeerLink link = links.get(node);
    if (link == null) {
      throw new IllegalArgumentException(
          node + " is none of the other nodes: " + shared.config().names());
    }
    return link;
  }

  /** The names of the others, sorted. */
  public List<String> others() {
    return List.copyOf(links.keySet());
  }

  /** Whether a node can be asked: a connection stands, and there was a sign of it. */
  public boolean isReachable(String node) {
    return link(node).isReachable();
  }

  /** Ms since anything came from a node; -1 for never. */
  public long lastContactMs(String node) {
    link(node);
    return shared.lastContactMs(node);
  }

  /** Bytes that wait to be sent to a node. */
  public long queuedBytes(String node) {
    return link(node).queuedBytes();
  }

  /** Ends all connections: what waits for an answer is lost. Not for event loops. */
  @Override
  public void close() {
    resolver.shutdownNow();
    if (listener != null) {
      listener.close().awaitUninterruptibly(CLOSE_MS);
    }
    CompletableFuture<?>[] closing =
        links.values().stream().map(PeerLink::close).toArray(CompletableFuture<?>[]::new);
    accepted.close();
    CompletableFuture.allOf(closing)
        .completeOnTimeout(null, CLOSE_MS, TimeUnit.MILLISECONDS)
        .join();
  }
}
