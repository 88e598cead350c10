package io.holdfast.broker;

import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.TlsRequired;
import io.holdfast.broker.http.HttpApi;
import io.holdfast.broker.http.HttpLimits;
import io.holdfast.broker.http.HttpServer;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.broker.wire.ConnectionServices;
import io.holdfast.broker.wire.TcpServer;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where clients connect: TCP, HTTP, HTTPS. One thread opens and closes; others may ask. */
final class Listeners {
  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);
  private static final long HTTP_GRACE_MS = 500;

  private final Options options;
  private final Transport transport;
  private final Budgets budgets;
  private final List<HttpServer> http = new CopyOnWriteArrayList<>();

  /** null before it is open. */
  private volatile TcpServer tcp;

  Listeners(Options options, Transport transport, Budgets budgets) {
    this.options = options;
    this.transport = transport;
    this.budgets = budgets;
  }

  /**
   * Opens what is configured of HTTP and HTTPS; returns the plain port, -1 without one.
   *
   * @param tls null when TLS is not set up
   * @throws IOException in one line, naming the address
   */
  int openHttp(HttpApi api, TlsContexts tls) throws IOException {
    HttpServer https = null;
    if (tls != null && options.httpsAddress().isPresent()) {
      https = bindHttp(options.httpsAddress().get(), api, tls::current, null);
    }
    Optional<ListenAddress> plain = options.httpAddress();
    if (plain.isEmpty()) {
      return -1;
    }
    IntSupplier httpsPort = null;
    if (options.tlsRequired() == TlsRequired.TRUE) {
      int port = https == null ? -1 : https.port();
      httpsPort = () -> port;
    }
    return bindHttp(plain.get(), api, null, httpsPort).port();
  }

  private HttpServer bindHttp(
      ListenAddress address, HttpApi api, Supplier<SslContext> tls, IntSupplier httpsPort)
      throws IOException {
    HttpServer server =
        HttpServer.bind(
            new HttpServer.Config(
                address, transport, api, HttpLimits.DEFAULT, budgets, tls, httpsPort));
    http.add(server);
    return server;
  }

  /**
   * Opens TCP; returns the port, -1 for a unix socket.
   *
   * @throws IOException in one line, naming the address
   */
  int openTcp(ConnectionServices services) throws IOException {
    tcp = TcpServer.start(transport, options.tcpAddress(), services);
    LOG.info("TCP: listening on {} ({})", tcp.listeningOn(), transport.name());
    return tcp.port();
  }

  /** Open connections by kind. */
  Map<String, Integer> connections() {
    Map<String, Integer> open = new TreeMap<>();
    open.put("tcp", tcp == null ? 0 : tcp.connectionCount());
    for (HttpServer server : http) {
      open.merge(server.kind(), server.connectionCount(), Integer::sum);
    }
    return open;
  }

  /** Takes no more TCP connections. Further calls do nothing. */
  void stopAccepting() {
    if (tcp != null) {
      tcp.stopAccepting();
    }
  }

  /** Lets running requests end, then closes all connections; returns when that is done. */
  void close() {
    stopAccepting();
    for (HttpServer server : http) {
      server.close(HTTP_GRACE_MS);
    }
    if (tcp != null) {
      tcp.closeConnections();
    }
  }
}
