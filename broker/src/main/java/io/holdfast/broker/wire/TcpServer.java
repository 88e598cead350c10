package io.holdfast.broker.wire;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.net.Addresses;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.net.UnixSocketFile;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** Listens for NSQ clients on a TCP port or a unix socket. */
public final class TcpServer {
  private static final int BACKLOG = 1024;
  private static final int LOW_WATER_PARTS = 4;

  private final ListenAddress address;
  private final Channel listener;
  private final ConnectionLimit connections;

  private TcpServer(ListenAddress address, Channel listener, ConnectionLimit connections) {
    this.address = address;
    this.listener = listener;
    this.connections = connections;
  }

  /**
   * Opens the listener.
   *
   * @throws IOException in one line, naming the address
   */
  public static TcpServer start(
      Transport transport, ListenAddress address, ConnectionServices services) throws IOException {
    int maxOutputBytes = services.broker().options().maxOutputBytes();
    ConnectionLimit connections =
        new ConnectionLimit(affordable(services), services.budgets().memory().connections());
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(maxOutputBytes / LOW_WATER_PARTS, maxOutputBytes))
            .childHandler(new PipelineInitializer(services, connections));
    Channel listener = transport.bind(bootstrap, address);
    return new TcpServer(address, listener, connections);
  }

  /** No more than file descriptors have room for, whatever is configured. */
  private static int affordable(ConnectionServices services) {
    int configured = services.broker().options().maxConnections();
    int most = services.budgets().descriptors().tcpConnections();
    return configured == 0 ? most : Math.min(configured, most);
  }

  /** Where it listens, as host:port or path. */
  public String listeningOn() {
    return Addresses.text(listener.localAddress());
  }

  /** The port it listens on, -1 for a unix socket. */
  public int port() {
    SocketAddress local = listener.localAddress();
    return local instanceof InetSocketAddress inet ? inet.getPort() : -1;
  }

  /** Open connections. */
  public int connectionCount() {
    return connections.count();
  }

  /** Takes no more connections. Further calls do nothing. */
  public void stopAccepting() {
    if (!listener.isOpen()) {
      return;
    }
    listener.close().syncUninterruptibly();
    if (address.isUnix()) {
      UnixSocketFile.remove(address.unixPath());
    }
  }

  /** Closes every connection; returns when that is done. */
  public void closeConnections() {
    connections.closeAll();
  }
}
