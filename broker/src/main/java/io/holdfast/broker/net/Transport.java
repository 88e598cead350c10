package io.holdfast.broker.net;

import io.holdfast.broker.config.ListenAddress;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The event loops: epoll where the platform has it, NIO elsewhere. */
public final class Transport {
  private static final Logger LOG = LoggerFactory.getLogger(Transport.class);
  private static final long STOP_MS = 1000;

  private final boolean epoll;
  private final EventLoopGroup acceptors;
  private final EventLoopGroup workers;

  /** Loads the native code, for which the first transport would do it otherwise. */
  public static void load() {
    Epoll.isAvailable();
  }

  /**
   * @param threads event loops that serve connections
   */
  public Transport(int threads) {
    this(threads, Epoll.isAvailable());
    if (!epoll && System.getProperty("os.name").equals("Linux")) {
      LOG.warn(
          "epoll is not available, using Java's NIO: is java.io.tmpdir {}"
              + " writable and mounted without noexec?",
          System.getProperty("java.io.tmpdir"));
      LOG.debug("no epoll", Epoll.unavailabilityCause());
    }
  }

  /**
   * @param threads event loops that serve connections
   * @param epoll whether to use it; NIO otherwise
   */
  public Transport(int threads, boolean epoll) {
    this.epoll = epoll;
    acceptors =
        new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("accept", true), factory());
    workers =
        new MultiThreadIoEventLoopGroup(
            threads, new DefaultThreadFactory("eventLoop", true), factory());
  }

  private IoHandlerFactory factory() {
    return epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
  }

  /** "epoll" or "nio". */
  public String name() {
    return epoll ? "epoll" : "nio";
  }

  public EventLoopGroup acceptors() {
    return acceptors;
  }

  public EventLoopGroup workers() {
    return workers;
  }

  /**
   * Listens; not for event loops.
   *
   * @param bootstrap all but loops, channel type and address
   * @throws IOException in one line, naming the address
   */
  public Channel bind(ServerBootstrap bootstrap, ListenAddress address) throws IOException {
    if (address.isUnix()) {
      UnixSocketFile.removeIfStale(address.unixPath());
    } else {
      bootstrap
          .option(ChannelOption.SO_REUSEADDR, true)
          .childOption(ChannelOption.TCP_NODELAY, true);
    }
    ChannelFuture bound =
        bootstrap
            .group(acceptors, workers)
            .channel(channelType(address.isUnix()))
            .bind(socketAddress(address))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw Addresses.cannotListen(address, bound.cause());
    }
    if (address.isUnix()) {
      UnixSocketFile.open(address.unixPath());
    }
    bound.channel().pipeline().addLast(new AcceptFailures());
    return bound.channel();
  }

  /** What connects to others, with {@link #workers}. */
  public Class<? extends Channel> clientType() {
    return epoll ? EpollSocketChannel.class : NioSocketChannel.class;
  }

  private Class<? extends ServerChannel> channelType(boolean unix) {
    if (epoll) {
      return unix ? EpollServerDomainSocketChannel.class : EpollServerSocketChannel.class;
    }
    return unix ? NioServerDomainSocketChannel.class : NioServerSocketChannel.class;
  }

  private SocketAddress socketAddress(ListenAddress address) {
    if (address.isUnix()) {
      return epoll
          ? new DomainSocketAddress(address.unixPath())
          : UnixDomainSocketAddress.of(address.unixPath());
    }
    return address.host().isEmpty()
        ? new InetSocketAddress(address.port())
        : new InetSocketAddress(address.host(), address.port());
  }

  /** Ends the event loops, after their tasks. */
  public void close() {
    acceptors.shutdownGracefully(0, STOP_MS, TimeUnit.MILLISECONDS);
    workers.shutdownGracefully(0, STOP_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(STOP_MS);
    acceptors.terminationFuture().awaitUninterruptibly(STOP_MS);
  }
}
