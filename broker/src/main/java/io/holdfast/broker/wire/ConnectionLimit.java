package io.holdfast.broker.wire;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.limits.SeldomLog;
import io.netty.channel.Channel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the open connections and refuses more than {@code max-connections}, or than memory has
 * room for. Thread-safe.
 */
final class ConnectionLimit {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectionLimit.class);

  private final int max;
  private final MemoryPart memory;
  private final ChannelGroup open =
      new DefaultChannelGroup("tcp", GlobalEventExecutor.INSTANCE, true);
  private final SeldomLog refusing = new SeldomLog();

  /**
   * @param max at least 1
   * @param memory of all connections
   */
  ConnectionLimit(int max, MemoryPart memory) {
    this.max = max;
    this.memory = memory;
  }

  /** Takes a new connection in; false when it is one too many. */
  boolean admit(Channel conn) {
    if (open.size() >= max) {
      if (refusing.isDue()) {
        LOG.warn("{} connections are open (max-connections): refusing more", max);
      }
      return false;
    }
    if (!memory.tryReserve(ConnectionMemory.BASE_BYTES)) {
      if (refusing.isDue()) {
        LOG.warn(
            "{} connections take their {} bytes (memory budget, by the heap): refusing more",
            open.size(),
            memory.limitBytes());
      }
      return false;
    }
    conn.closeFuture().addListener(closed -> memory.release(ConnectionMemory.BASE_BYTES));
    open.add(conn);
    return true;
  }

  int count() {
    return open.size();
  }

  void closeAll() {
    open.close().syncUninterruptibly();
  }
}
