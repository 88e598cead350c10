package io.holdfast.tools.client;

import io.holdfast.tools.cli.Settings;
import java.net.InetSocketAddress;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Where a broker or nsqlookupd listens.
 *
 * @param host name or address, without brackets
 * @param port 1 to 65535
 */
public record BrokerAddress(String host, int port) {
  private static final String HTTP = "http://";

  /**
   * Reads {@code host:port}, {@code host}, {@code :port} or {@code [v6]:port}, each also with
   * {@code http://} in front.
   *
   * @param text what the user wrote
   * @param defaultPort used when the text has none
   * @return the address; an empty host means 127.0.0.1
   * @throws IllegalArgumentException when it is none of these
   */
  public static BrokerAddress parse(String text, int defaultPort) {
    String host = text.startsWith(HTTP) ? text.substring(HTTP.length()) : text;
    String port = "";
    int colon = host.lastIndexOf(':');
    if (colon >= 0 && !host.endsWith("]")) {
      port = host.substring(colon + 1);
      host = host.substring(0, colon);
    }
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.contains(":") || host.contains("/")) {
      throw new IllegalArgumentException("'" + text + "' is not an address such as host:port");
    }
    try {
      int number = port.isEmpty() ? defaultPort : Integer.parseInt(port);
      if (number >= 1 && number <= 65535) {
        return new BrokerAddress(host.isEmpty() ? "127.0.0.1" : host, number);
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' has no valid port", e);
    }
    throw new IllegalArgumentException("'" + text + "' has no valid port");
  }

  /**
   * What is set for all commands.
   *
   * @param name of the setting
   * @param defaultPort used where it has none
   * @return this machine's when it is not set
   */
  static List<BrokerAddress> set(Settings settings, String name, int defaultPort) {
    List<BrokerAddress> addresses = settings.list(name, text -> parse(text, defaultPort));
    return addresses.isEmpty() ? List.of(new BrokerAddress("127.0.0.1", defaultPort)) : addresses;
  }

  /**
   * Resolves the name.
   *
   * @return an address to connect to; unresolved when the name is unknown
   */
  public InetSocketAddress socketAddress() {
    return new InetSocketAddress(host, port);
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  /** Reads a broker's TCP address; the port defaults to 4150. */
  public static final class Tcp implements ITypeConverter<BrokerAddress> {
    @Override
    public BrokerAddress convert(String value) {
      return converted(value, 4150);
    }
  }

  /** Reads a broker's HTTP address; the port defaults to 4151. */
  public static final class Http implements ITypeConverter<BrokerAddress> {
    @Override
    public BrokerAddress convert(String value) {
      return converted(value, 4151);
    }
  }

  /** Reads an nsqlookupd's HTTP address; the port defaults to 4161. */
  public static final class Lookup implements ITypeConverter<BrokerAddress> {
    @Override
    public BrokerAddress convert(String value) {
      return converted(value, 4161);
    }
  }

  private static BrokerAddress converted(String value, int defaultPort) {
    try {
      return parse(value, defaultPort);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
