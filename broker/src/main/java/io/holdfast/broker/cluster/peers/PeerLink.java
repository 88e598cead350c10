package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.cluster.peers.PeerException.Kind;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way from this node to another one: keeps a connection, and knows how much waits to be sent.
 * Its state is its event loop's; {@link #request} and {@link #send} are for any thread.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What fails to close is closed.
final class PeerLink {
  private static final Logger LOG = LoggerFactory.getLogger(Peers.class);

  /** Requests that may wait for an answer. */
  static final int MAX_WAITING = 65_536;

  private final PeersShared shared;
  private final String node;
  private final EventLoop loop;
  private final Transport transport;
  private final ByteBufAllocator alloc;
  private final Executor resolver;
  private final AtomicLong queuedBytes = new AtomicLong();

  private volatile HostPort address;
  private volatile MadeConnection ready;

  // The event loop's.
  private Channel channel;
  private boolean connecting;
  private boolean closed;
  private boolean saidUnreachable;

  PeerLink(
      PeersShared shared,
      String node,
      Transport transport,
      ByteBufAllocator alloc,
      Executor resolver) {
    this.shared = shared;
    this.node = node;
    this.transport = transport;
    this.alloc = alloc;
    this.resolver = resolver;
    loop = transport.workers().next();
    address = shared.config().addresses().get(node);
  }

  String node() {
    return node;
  }

  HostPort address() {
    return address;
  }

  boolean isReachable() {
    return ready != null;
  }

  // ---------------------------------------------------------------- asking

  /** As {@link Peers#request}. */
  CompletableFuture<ByteBuf> request(int type, ByteBuf payload, long timeoutNs) {
    CompletableFuture<ByteBuf> answer = new CompletableFuture<>();
    enqueue(
        payload,
        answer,
        (connection, written) -> connection.request(type, payload, timeoutNs, answer, written));
    return answer;
  }

  /** As {@link Peers#send}. */
  CompletableFuture<Void> send(int type, ByteBuf payload) {
    CompletableFuture<Void> sent = new CompletableFuture<>();
    enqueue(payload, sent, (connection, written) -> connection.send(type, payload, sent, written));
    return sent;
  }

  /** Puts something on a connection that is ready. On the event loop. */
  private interface Sending {
    void on(MadeConnection connection, Runnable written);
  }

  private void enqueue(ByteBuf payload, CompletableFuture<?> told, Sending sending) {
    int bytes = payload.readableBytes() + PeerFrame.HEAD_BYTES;
    PeerException refused = admit(bytes);
    if (refused != null) {
      payload.release();
      told.completeExceptionally(refused);
      return;
    }
    Runnable written = () -> queuedBytes.addAndGet(-bytes);
    Runnable task =
        () -> {
          MadeConnection connection = ready;
          if (connection == null || connection.waiting() >= MAX_WAITING) {
            written.run();
            payload.release();
            told.completeExceptionally(
                connection == null
                    ? unreachable()
                    : tooMany(MAX_WAITING + " requests wait for an answer"));
          } else {
            sending.on(connection, written);
          }
        };
    try {
      // Also from the event loop: nothing overtakes what another thread has asked before.
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      payload.release();
      told.completeExceptionally(unreachable());
    }
  }

  /** Takes room for bytes that are to be sent, or says why there is none. */
  private PeerException admit(int bytes) {
    int most = shared.config().maxFrameBytes();
    if (bytes > most) {
      return new PeerException(
          Kind.REFUSED, "a request of " + bytes + " bytes to " + node + ", at most " + most);
    }
    if (ready == null) {
      return unreachable();
    }
    long before = queuedBytes.getAndAdd(bytes);
    if (before > 0 && before + bytes > shared.config().maxQueuedBytes()) {
      queuedBytes.addAndGet(-bytes);
      return tooMany(before + " bytes wait to be sent");
    }
    return null;
  }

  private PeerException unreachable() {
    return new PeerException(Kind.UNREACHABLE, node + " is not reachable");
  }

  private PeerException tooMany(String what) {
    return new PeerException(Kind.UNREACHABLE, node + " is too slow: " + what);
  }

  /** Bytes that wait to be sent. */
  long queuedBytes() {
    return queuedBytes.get();
  }

  // ---------------------------------------------------------------- connecting

  /** Begins to connect, and never gives up. */
  void start() {
    loop.execute(() -> connect());
    long firstLookNs = shared.times().silence().toNanos();
    loop.schedule(this::sayIfUnreachable, firstLookNs, TimeUnit.NANOSECONDS);
  }

  /** Connects elsewhere from now on. */
  void moveTo(HostPort newAddress) {
    loop.execute(
        () -> {
          if (!newAddress.equals(address)) {
            address = newAddress;
            if (channel == null) {
              connect();
            } else {
              channel.close();
            }
          }
        });
  }

  /** Closes the connection, if there is one, and makes another. */
  void reconnect() {
    loop.execute(
        () -> {
          if (channel != null) {
            channel.close();
          }
        });
  }

  private void connect() {
    HostPort to = address;
    if (closed || connecting || channel != null || to == null) {
      return;
    }
    connecting = true;
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(to.host());
    if (literal != null) {
      connect(to, resolve(to));
      return;
    }
    try {
      // Asking for a name may take seconds.
      resolver.execute(
          () -> {
            InetSocketAddress resolved = resolve(to);
            try {
              loop.execute(() -> connect(to, resolved));
            } catch (RejectedExecutionException e) {
              LOG.debug("CLUSTER: the event loops have ended", e);
            }
          });
    } catch (RejectedExecutionException e) {
      connecting = false;
    }
  }

  private static InetSocketAddress resolve(HostPort to) {
    try {
      return new InetSocketAddress(InetAddress.getByName(to.host()), to.port());
    } catch (UnknownHostException e) {
      LOG.debug("CLUSTER: {}", to, e);
      return null;
    }
  }

  private void connect(HostPort to, InetSocketAddress resolved) {
    connecting = false;
    if (closed || resolved == null || !to.equals(address)) {
      connectLater();
      return;
    }
    MadeConnection connection = new MadeConnection(shared, this);
    ChannelFuture connected =
        new Bootstrap()
            .group(loop)
            .channel(transport.clientType())
            .option(ChannelOption.ALLOCATOR, alloc)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) shared.times().connect().toMillis())
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel made) {
                    initialize(made, connection);
                  }
                })
            .connect(resolved);
    channel = connected.channel();
    connected.addListener(
        done -> {
          if (!done.isSuccess()) {
            LOG.debug("CLUSTER: {} at {}: {}", node, to, String.valueOf(done.cause()));
          }
        });
    channel
        .closeFuture()
        .addListener(
            done -> {
              channel = null;
              connectLater();
            });
  }

  private void initialize(Channel made, MadeConnection connection) {
    made.pipeline().addLast(new FlushConsolidationHandler());
    if (shared.config().tls() != null) {
      made.pipeline()
          .addLast(PeerTls.connecting(shared.config().tls(), shared.times().handshake()));
    }
    made.pipeline().addLast(connection.decoder, connection);
  }

  private void connectLater() {
    if (!closed) {
      loop.schedule(() -> connect(), shared.times().retry().toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  // ---------------------------------------------------------------- what the connection tells

  void ready(MadeConnection connection) {
    ready = connection;
    if (saidUnreachable) {
      saidUnreachable = false;
      LOG.info("CLUSTER: {} is reachable", node);
    }
    shared.reachable(node, true);
  }

  void ended(MadeConnection connection, boolean wasReady) {
    if (ready == connection) {
      ready = null;
    }
    if (wasReady) {
      sayIfUnreachable();
      shared.reachable(node, false);
    }
  }

  private void sayIfUnreachable() {
    if (ready == null && !closed && !saidUnreachable && address != null) {
      saidUnreachable = true;
      LOG.warn("CLUSTER: {} is not reachable", node);
    }
  }

  /** Ends it; what waits is lost. */
  CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    try {
      loop.execute(
          () -> {
            closed = true;
            if (channel == null) {
              done.complete(null);
            } else {
              channel.close().addListener(closing -> done.complete(null));
            }
          });
    } catch (RejectedExecutionException e) {
      done.complete(null);
    }
    return done;
  }
}
