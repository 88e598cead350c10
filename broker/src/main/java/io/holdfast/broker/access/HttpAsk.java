package io.holdfast.broker.access;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;

/**
 * What a request says of itself and of where it comes from, as far as access depends on it.
 *
 * @param method upper case
 * @param path decoded
 * @param scheme of the listener, {@code http} or {@code https}
 * @param hosts {@code Host} and, where the request line names one, its authority; as they came
 * @param origins values of {@code Origin}
 * @param fetchSites values of {@code Sec-Fetch-Site}
 * @param forwarded whether a proxy says that it passed the request on
 * @param remote the peer; of a unix socket anything but an {@link InetSocketAddress}
 */
public record HttpAsk(
    String method,
    String path,
    String scheme,
    List<String> hosts,
    List<String> origins,
    List<String> fetchSites,
    boolean forwarded,
    SocketAddress remote) {

  boolean isLocal() {
    return !forwarded && (!isTcp() || isLoopback());
  }

  /** Whether it came to a host and port, which a name can be made to point to. */
  boolean isTcp() {
    return remote instanceof InetSocketAddress;
  }

  private boolean isLoopback() {
    return remote instanceof InetSocketAddress inet
        && inet.getAddress() != null
        && inet.getAddress().isLoopbackAddress();
  }

  /** Whether it can change something. */
  boolean isChange() {
    return !method.equals("GET") && !method.equals("HEAD") && !method.equals("OPTIONS");
  }
}
