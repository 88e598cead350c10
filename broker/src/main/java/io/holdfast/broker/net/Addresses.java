package io.holdfast.broker.net;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.storage.files.Reasons;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Socket addresses as people and nsqd write them. Stateless. */
public final class Addresses {
  private static final Pattern SYSTEM_CALL =
      Pattern.compile("\\w+\\(\\.\\.\\) failed with error\\(-?\\d+\\): (.+)");

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

  /** Why an address cannot be listened on, in one line, as nsqd begins it. */
  public static IOException cannotListen(ListenAddress address, Throwable cause) {
    String reason = Reasons.of(cause);
    // Netty's native transport puts the system call and its number first.
    Matcher systemCall = SYSTEM_CALL.matcher(reason);
    return new IOException(
        "listen ("
            + address.text()
            + ") failed - "
            + (systemCall.matches() ? systemCall.group(1) : reason),
        cause);
  }
}
