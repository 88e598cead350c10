package io.holdfast.broker.http;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.Descriptors;
import io.holdfast.broker.limits.SeldomLog;
import io.holdfast.broker.net.Addresses;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.net.UnixSocketFile;
import io.holdfast.broker.tls.ServerTlsHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens for HTTP or HTTPS on host and port or on a unix socket and serves {@link HttpApi}'s
 * routes. Thread-safe.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // closes of single connections; the group waits for all
public final class HttpServer {
  private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);

  /**
   * Connections there is always memory for: whoever runs the broker must be able to look and to act
   * when consumers have taken all of it.
   */
  private static final int ALWAYS_ADMITTED = 16;

  private static final int MAX_CHUNK_BYTES = 64 * 1024;

  private final String scheme;
  private final Channel listener;
  private final ChannelGroup connections;
  private final ListenAddress address;
  private final String boundTo;
  private final AtomicBoolean closed = new AtomicBoolean();

  private HttpServer(
      String scheme, Channel listener, ChannelGroup connections, ListenAddress address) {
    this.scheme = scheme;
    this.listener = listener;
    this.connections = connections;
    this.address = address;
    this.boundTo = Addresses.text(listener.localAddress());
  }

  /**
   * What to listen with.
   *
   * @param address host and port (0: a free one) or path of a unix socket
   * @param transport event loops
   * @param api routes to serve
   * @param limits what a client may cost
   * @param budgets memory that all connections share
   * @param sslContext asked for each connection, so that a new certificate takes effect; null for
   *     plain HTTP
   * @param tlsRequiredPort null, or to answer everything with 403 {@code TLS_REQUIRED}: gives
   *     HTTPS's port. For the plain listener when tls-required is {@code true} (not for {@code
   *     tcp-https})
   */
  public record Config(
      ListenAddress address,
      Transport transport,
      HttpApi api,
      HttpLimits limits,
      Budgets budgets,
      Supplier<SslContext> sslContext,
      IntSupplier tlsRequiredPort) {}

  /**
   * Starts to listen. Waits for the bind; not for event loops.
   *
   * @throws IOException if the address cannot be had; the message is one line for the user
   */
  public static HttpServer bind(Config config) throws IOException {
    return bind(config, config.api().router());
  }

  static HttpServer bind(Config config, Router router) throws IOException {
    String scheme = config.sslContext() == null ? "HTTP" : "HTTPS";
    ListenAddress address = config.address();
    ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childHandler(new Initializer(config, router, connections));
    if (!address.isUnix()) {
      bootstrap.childOption(ChannelOption.SO_KEEPALIVE, true);
    }
    Channel listener = config.transport().bind(bootstrap, address);
    HttpServer server = new HttpServer(scheme, listener, connections, address);
    LOG.info("{}: listening on {}", scheme, server.boundTo);
    return server;
  }

  /** Returns the port listened on; -1 for a unix socket. */
  public int port() {
    return listener.localAddress() instanceof InetSocketAddress inet ? inet.getPort() : -1;
  }

  /** Returns {@code http} or {@code https}. */
  public String kind() {
    return scheme.toLowerCase(Locale.ROOT);
  }

  /** Returns how many connections are open. */
  public int connectionCount() {
    return connections.size();
  }

  /**
   * Stops listening, closes idle connections, lets running requests be answered, and closes what is
   * left when the time is over. Further calls do nothing. Not for event loops.
   *
   * @param graceMs how long running requests may take, in ms
   */
  public void close(long graceMs) {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    listener.close().awaitUninterruptibly();
    if (address.isUnix()) {
      UnixSocketFile.remove(address.unixPath());
    }
    for (Channel connection : connections) {
      connection
          .eventLoop()
          .execute(
              () -> {
                HttpConnectionHandler handler =
                    connection.pipeline().get(HttpConnectionHandler.class);
                if (handler == null) {
                  connection.close();
                } else {
                  handler.closeWhenIdle();
                }
              });
    }
    if (!connections.newCloseFuture().awaitUninterruptibly(graceMs, TimeUnit.MILLISECONDS)) {
      connections.close().awaitUninterruptibly();
    }
    LOG.info("{}: closed {}", scheme, boundTo);
  }

  /** Builds a connection's pipeline. */
  static final class Initializer extends ChannelInitializer<Channel> {
    private final Config config;
    private final Router router;
    private final ChannelGroup connections;
    private final SeldomLog full = new SeldomLog();

    Initializer(Config config, Router router, ChannelGroup connections) {
      this.config = config;
      this.router = router;
      this.connections = connections;
    }

    @Override
    protected void initChannel(Channel connection) {
      Descriptors descriptors = config.budgets().descriptors();
      if (!descriptors.admitHttp(config.limits().maxConnections())) {
        if (full.isDue()) {
          LOG.warn(
              "HTTP: {} connections are open, the most there may be; new ones are closed",
              Math.min(config.limits().maxConnections(), descriptors.httpConnections()));
        }
        connection.close();
        return;
      }
      ConnectionMemory memory = new ConnectionMemory(config.budgets().memory().connections());
      connection
          .closeFuture()
          .addListener(
              closed -> {
                descriptors.httpClosed();
                memory.release();
              });
      long tlsBytes = config.sslContext() == null ? 0 : ConnectionMemory.TLS_BYTES;
      long baseBytes = ConnectionMemory.HTTP_BASE_BYTES + tlsBytes;
      if (connections.size() < ALWAYS_ADMITTED) {
        memory.take(baseBytes);
      } else if (!memory.tryTake(baseBytes)) {
        if (full.isDue()) {
          LOG.warn(
              "HTTP: connections take their {} bytes (memory budget, by the heap); new ones are"
                  + " closed",
              config.budgets().memory().connections().limitBytes());
        }
        connection.close();
        return;
      }
      connections.add(connection);
      if (config.sslContext() != null) {
        connection
            .pipeline()
            .addLast(
                new ServerTlsHandler(
                    config.sslContext().get().newEngine(connection.alloc()), "HTTPS"));
      }
      addHandlers(connection.pipeline(), config, router, memory);
    }

    /** The handlers above TLS. */
    static void addHandlers(
        ChannelPipeline pipeline, Config config, Router router, ConnectionMemory memory) {
      HttpLimits limits = config.limits();
      RequestPace pace = new RequestPace(limits);
      ReadSize readSize = new ReadSize();
      pipeline.channel().config().setRecvByteBufAllocator(readSize);
      HttpDecoderConfig decoder =
          new HttpDecoderConfig()
              .setMaxInitialLineLength(limits.maxRequestLineBytes())
              .setMaxHeaderSize(limits.maxHeaderBytes())
              .setMaxChunkSize(MAX_CHUNK_BYTES)
              .setHeadersFactory(BoundedHttpHeaders.FACTORY)
              .setTrailersFactory(BoundedHttpHeaders.FACTORY)
              .setStrictLineParsing(false); // bare line feeds, as Go takes them
      pipeline
          .addLast(new HeadMemory(memory, pace))
          .addLast(pace)
          .addLast(new HttpServerCodec(decoder))
          .addLast(
              new HttpConnectionHandler(
                  router, config.budgets(), pace, readSize, config.tlsRequiredPort()));
    }
  }
}
