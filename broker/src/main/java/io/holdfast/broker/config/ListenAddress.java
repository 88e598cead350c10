package io.holdfast.broker.config;

import java.util.Optional;

/**
 * Where to listen or connect: host and port, or the path of a unix socket.
 *
 * @param host name or address without brackets; empty = every interface; null for a unix socket
 * @param port 0..65535, 0 = a free one; -1 for a unix socket
 * @param unixPath path of the socket, null for host and port
 */
public record ListenAddress(String host, int port, String unixPath) {
  private static final int MAX_PORT = 65535;

  /** Returns what one writes in the configuration for it. */
  public String text() {
    if (isUnix()) {
      return unixPath;
    }
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }

  /** Returns whether only this machine can connect: a unix socket, or an address of loopback. */
  public boolean isLoopback() {
    return isUnix()
        || host.equalsIgnoreCase("localhost")
        || host.equals("::1")
        || host.startsWith("127.");
  }

  /** Returns whether this is a unix socket's path. */
  public boolean isUnix() {
    return unixPath != null;
  }

  /**
   * Reads {@code host:port}, {@code :port} or {@code [v6]:port}.
   *
   * @param text as configured
   * @return the address, empty if it is none of these or the port is no number in 0..65535
   */
  public static Optional<ListenAddress> parseHostPort(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      return Optional.empty();
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      return Optional.empty(); // an IPv6 address without brackets is ambiguous
    }
    String port = text.substring(colon + 1);
    boolean badHost = host.chars().anyMatch(c -> c <= ' ' || c == '/' || c == '[' || c == ']');
    if (badHost || port.length() > 5 || !port.matches("[0-9]+")) {
      return Optional.empty();
    }
    int number = Integer.parseInt(port);
    return number <= MAX_PORT
        ? Optional.of(new ListenAddress(host, number, null))
        : Optional.empty();
  }

  /**
   * Reads a host and port, else takes the text for a unix socket's path as nsqd does (contract §8).
   * What is neither a path nor a well-formed address, such as {@code 0.0.0.0:99999}, is refused:
   * nsqd would take the first for a service name and {@code ::1:4150} for a file.
   *
   * @param text as configured
   * @return the address, empty if it is neither
   */
  public static Optional<ListenAddress> parseHostPortOrPath(String text) {
    Optional<ListenAddress> hostPort = parseHostPort(text);
    if (hostPort.isPresent()) {
      return hostPort;
    }
    boolean isPath = !text.isEmpty() && (text.indexOf('/') >= 0 || text.indexOf(':') < 0);
    return isPath && text.indexOf('\0') < 0
        ? Optional.of(new ListenAddress(null, -1, text))
        : Optional.empty();
  }
}
