package io.holdfast.broker.net;

import io.netty.channel.Channel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts the open connections and refuses more than {@code max-connections}. Thread-safe. */
final class ConnectionLimit {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectionLimit.class);

  private final int max;
  private final ChannelGroup open =
      new DefaultChannelGroup("tcp", GlobalEventExecutor.INSTANCE, true);
  private final AtomicBoolean refusing = new AtomicBoolean();

  /**
   * @param max 0 for no limit
   */
  ConnectionLimit(int max) {
    this.max = max;
  }

  /** Takes a new connection in; false when it is one too many. */
  boolean admit(Channel conn) {
    if (max > 0 && open.size() >= max) {
      if (refusing.compareAndSet(false, true)) {
        LOG.warn("{} connections are open (max-connections): refusing more", max);
      }
      return false;
    }
    refusing.set(false);
    open.add(conn);
    return true;
  }

  void closeAll() {
    open.close().syncUninterruptibly();
  }
}
