package io.holdfast.broker.net;

import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** Socket addresses as people and nsqd write them. Stateless. */
public final class Addresses {
  private Addresses() {}

  /**
   * {@code 127.0.0.1:4150}, {@code [::1]:4150} (RFC 5952), or the path of a unix socket.
   *
   * @param address may be null, as that of a connection already closed
   */
  public static String text(SocketAddress address) {
    return address instanceof InetSocketAddress inet
        ? NetUtil.toSocketAddressString(inet)
        : String.valueOf(address);
  }
}
