package io.holdfast.broker.cluster.peers;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.net.Addresses;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The connections that others made: one for each node, the newest, since the one before it is dead
 * when a node makes another; and a few of which nobody knows yet whose they are. Thread-safe (own
 * monitor).
 */
final class AcceptedConnections extends ChannelInitializer<Channel> {
  /** Whoever may connect can hold so many connections; nodes try again. */
  static final int MAX_STRANGERS = 64;

  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(512 * 1024, 2 * 1024 * 1024);

  private final PeersShared shared;
  private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);

  @GuardedBy("this")
  private final Map<String, AcceptedConnection> ofNodes = new HashMap<>();

  @GuardedBy("this")
  private final Set<AcceptedConnection> strangers = new HashSet<>();

  AcceptedConnections(PeersShared shared) {
    this.shared = shared;
  }

  @Override
  protected void initChannel(Channel channel) {
    AcceptedConnection connection = new AcceptedConnection(shared, this);
    synchronized (this) {
      if (strangers.size() >= MAX_STRANGERS) {
        shared
            .log()
            .refused(
                null,
                "connection from " + Addresses.text(channel.remoteAddress()),
                MAX_STRANGERS + " others have not said yet who they are");
        channel.close();
        return;
      }
      strangers.add(connection);
    }
    // Also of one that never comes to life.
    channel.closeFuture().addListener(closed -> ended(connection));
    channels.add(channel);
    channel.config().setWriteBufferWaterMark(WATER_MARK);
    channel.pipeline().addLast(new FlushConsolidationHandler());
    if (shared.config().tls() != null) {
      channel
          .pipeline()
          .addLast(
              PeerTls.accepted(shared.config().tls(), channel.alloc(), shared.times().handshake()));
    }
    channel.pipeline().addLast(connection.decoder, connection);
  }

  /** It is known whose connection that is. On its event loop. */
  void ready(String node, AcceptedConnection connection) {
    AcceptedConnection before;
    synchronized (this) {
      strangers.remove(connection);
      before = ofNodes.put(node, connection);
    }
    if (before != null) {
      before.closeLater();
    }
  }

  private synchronized void ended(AcceptedConnection connection) {
    strangers.remove(connection);
    ofNodes.values().remove(connection);
  }

  /** Closes all of them; others may come. */
  void closeNow() {
    for (Channel channel : channels) {
      channel.close();
    }
  }

  /** Closes all of them, and those still to come. */
  void close() {
    channels.close().awaitUninterruptibly(Peers.CLOSE_MS);
  }
}
