package io.holdfast.broker;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.PasswordCheck;
import io.holdfast.broker.access.Role;
import io.holdfast.broker.access.Users;
import io.holdfast.broker.access.UsersFile;
import io.holdfast.broker.auth.AuthClient;
import io.holdfast.broker.auth.AuthOptions;
import io.holdfast.broker.auth.Authority;
import io.holdfast.broker.auth.Authorizations;
import io.holdfast.broker.auth.UsersAuthority;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.config.TlsRequired;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Events;
import io.holdfast.broker.history.History;
import io.holdfast.broker.history.NoticedLines;
import io.holdfast.broker.http.HttpApi;
import io.holdfast.broker.http.HttpLimits;
import io.holdfast.broker.http.HttpServer;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.lookup.BrokerIdentity;
import io.holdfast.broker.lookup.ChannelLookup;
import io.holdfast.broker.lookup.LookupLoop;
import io.holdfast.broker.lookup.LookupTopology;
import io.holdfast.broker.metrics.BrokerCollector;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.net.HttpJsonClient;
import io.holdfast.broker.net.LoopDelay;
import io.holdfast.broker.net.ServiceNotifier;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.stats.StatsSnapshot;
import io.holdfast.broker.stats.StatsdOptions;
import io.holdfast.broker.stats.StatsdPusher;
import io.holdfast.broker.stats.StatsdSampler;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.broker.tls.TlsException;
import io.holdfast.broker.tls.TlsOptions;
import io.holdfast.broker.tls.TrustManagers;
import io.holdfast.broker.wire.ConnectionServices;
import io.holdfast.broker.wire.TcpServer;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole process but for flags and signals: a {@link Broker}, its listeners in front of it, and
 * the threads that talk to nsqlookupd and statsd. Starts them in the order in which they need each
 * other and stops them in reverse. One thread starts it, one stops it.
 */
public final class Server {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);
  private static final long HTTP_GRACE_MS = 500;
  private static final long FILE_WATCH_MS = 1000;
  private static final long DRAIN_LOOK_MS = 10;

  private final Options options;
  private final Broker broker;
  private final Transport transport;
  private final Budgets budgets;
  private final ExecutorService httpClientThreads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "http-client");
            thread.setDaemon(true);
            return thread;
          });
  private final List<HttpServer> httpServers = new ArrayList<>();

  /** null without http-users-file. */
  private final UsersFile<Role> httpUsers;

  /** null without auth-users-file. */
  private final UsersFile<Authorizations> authUsers;

  private final PasswordCheck authPasswords = new PasswordCheck(System::nanoTime);
  private final HttpAccess access;
  private final Events events = new Events();
  private final NoticedLines noticed = NoticedLines.into(events);

  /** Looks every second whether files that people edit have changed. */
  private final ScheduledExecutorService fileWatch =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "file-watch");
            thread.setDaemon(true);
            return thread;
          });

  private final History history;
  private final ServiceNotifier notifier;
  private final Reload reload;
  private TcpServer tcpServer;
  private Metrics metrics;
  private LookupLoop lookupLoop;
  private StatsdPusher statsd;

  private Server(
      Options options,
      Broker broker,
      UsersFile<Role> httpUsers,
      UsersFile<Authorizations> authUsers) {
    this.options = options;
    this.broker = broker;
    this.httpUsers = httpUsers;
    this.authUsers = authUsers;
    access =
        new HttpAccess(
            httpUsers == null ? null : httpUsers::users,
            Role.valueOf(options.httpAnonymousRole().name()),
            System::nanoTime);
    transport = new Transport(options.eventLoopThreads());
    LoopDelay.watch(transport.workers(), broker.meters().eventLoopDelay());
    budgets = Budgets.of(broker.memory());
    history = new History(broker, this::connections);
    notifier = ServiceNotifier.of(System.getenv(), ProcessHandle.current().pid(), transport);
    reload = new Reload(options, broker, new Audit(events));
  }

  /**
   * Starts everything; ready for clients when this returns.
   *
   * @throws IOException in one line for the user; nothing is left running then
   */
  public static Server start(Options options) throws IOException {
    TlsContexts tls;
    try {
      tls = tlsContexts(options);
    } catch (TlsException e) {
      throw new IOException(e.getMessage(), e);
    }
    UsersFile<Role> httpUsers = users(options.httpUsersFile(), Role::ofUser);
    UsersFile<Authorizations> authUsers = users(options.authUsersFile(), Authorizations::parse);
    Server server = new Server(options, Broker.unrestored(options), httpUsers, authUsers);
    boolean started = false;
    try {
      server.open(tls);
      started = true;
    } finally {
      if (!started) {
        server.stop();
      }
    }
    return server;
  }

  private static <T> UsersFile<T> users(Optional<Path> file, Users.RightsParser<T> rights)
      throws IOException {
    return file.isEmpty() ? null : new UsersFile<>(file.get(), rights);
  }

  private static TlsContexts tlsContexts(Options options) throws TlsException {
    if (options.tlsRootCaFile().isPresent()) {
      // Needed for requests to auth servers later; what is wrong with it is said now.
      TrustManagers.clientContext(options.tlsRootCaFile().get());
    }
    if (options.tlsCert().isEmpty() || options.tlsKey().isEmpty()) {
      return null;
    }
    return new TlsContexts(
        new TlsOptions(
            options.tlsCert().get(),
            options.tlsKey().get(),
            options.tlsRootCaFile().orElse(null),
            TlsOptions.ClientAuthPolicy.parse(options.tlsClientAuthPolicy()),
            TlsOptions.MinVersion.parse(options.tlsMinVersion().text())),
        System::nanoTime);
  }

  private void open(TlsContexts tls) throws IOException {
    HttpJsonClient httpClient = httpClient();
    // First: whoever watches over the broker is told that it starts.
    int httpPort = openHttp(tls);
    broker.restore();
    tcpServer =
        TcpServer.start(
            transport,
            options.tcpAddress(),
            new ConnectionServices(broker, tls, authority(httpClient), budgets));
    LOG.info("TCP: listening on {} ({})", tcpServer.listeningOn(), transport.name());
    broker.listening(
        tcpServer.port(),
        httpPort,
        now ->
            StatsdOptions.expandPrefix(
                now.statsdPrefix(), now.broadcastAddress(), now.broadcastHttpPort()));
    watchUsers();
    sayWhoMay(tls != null);
    if (tls != null) {
      reload.add(tls);
    }
    startLookup(httpClient);
    startStatsd();
    history.begin();
    broker.health().running();
    notifier.ready();
  }

  /** Returns whom AUTH asks, null for nobody. */
  private Authority authority(HttpJsonClient httpClient) {
    Authority servers =
        options.authHttpAddresses().isEmpty()
            ? null
            : new AuthClient(
                new AuthOptions(
                    options.authHttpAddresses(), options.authHttpRequestMethod().equals("post")),
                httpClient,
                System::nanoTime);
    return authUsers == null
        ? servers
        : new UsersAuthority(authUsers::users, authPasswords, servers, System::nanoTime);
  }

  private void watchUsers() {
    Stream.of(httpUsers, authUsers)
        .filter(Objects::nonNull)
        .forEach(
            users -> {
              reload.add(users);
              fileWatch.scheduleWithFixedDelay(
                  () -> reload.check(users), FILE_WATCH_MS, FILE_WATCH_MS, TimeUnit.MILLISECONDS);
            });
  }

  private void sayWhoMay(boolean isTlsOpen) {
    boolean isPlainOpen = options.tlsRequired() != TlsRequired.TRUE;
    boolean isBeyondLoopback =
        Stream.of(
                isPlainOpen ? options.httpAddress() : Optional.<ListenAddress>empty(),
                isTlsOpen ? options.httpsAddress() : Optional.<ListenAddress>empty())
            .flatMap(Optional::stream)
            .anyMatch(address -> !address.isLoopback());
    if (access.isOpen() && isBeyondLoopback) {
      LOG.info(
          "HTTP: whoever reaches the port may do everything (http-anonymous-role is admin, as in"
              + " nsqd)");
    }
  }

  private HttpJsonClient httpClient() {
    SSLParameters parameters = new SSLParameters();
    parameters.setProtocols(
        TlsOptions.MinVersion.parse(options.tlsMinVersion().text()).protocols());
    return new HttpJsonClient(
        options.httpClientConnectTimeoutMs(),
        options.httpClientRequestTimeoutMs(),
        options.tlsRootCaFile().isEmpty() ? null : this::trustOfRootCa,
        parameters,
        httpClientThreads);
  }

  private SSLContext trustOfRootCa() {
    try {
      return TrustManagers.clientContext(options.tlsRootCaFile().orElseThrow());
    } catch (TlsException e) {
      throw new UncheckedIOException(new IOException(e.getMessage(), e));
    }
  }

  /** Opens what is configured of HTTP and HTTPS; returns the plain port, -1 without one. */
  private int openHttp(TlsContexts tls) throws IOException {
    metrics =
        new Metrics(
            new BrokerCollector(
                broker,
                options.isMetricsExcludeEphemeral(),
                Map.of("version", OptionsLoader.version(), "nsqd_version", StatsSnapshot.VERSION),
                this::connections));
    HttpApi api = new HttpApi(broker, metrics, access, events, history);
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

  /** Open connections by kind. */
  private Map<String, Integer> connections() {
    Map<String, Integer> open = new TreeMap<>();
    open.put("tcp", tcpServer.connectionCount());
    for (HttpServer server : httpServers) {
      open.merge(server.kind(), server.connectionCount(), Integer::sum);
    }
    return open;
  }

  private HttpServer bindHttp(
      ListenAddress address, HttpApi api, Supplier<SslContext> tls, IntSupplier httpsPort)
      throws IOException {
    HttpServer server =
        HttpServer.bind(
            new HttpServer.Config(
                address,
                transport.acceptors(),
                transport.workers(),
                api,
                HttpLimits.DEFAULT,
                budgets,
                tls,
                httpsPort));
    httpServers.add(server);
    return server;
  }

  private void startLookup(HttpJsonClient httpClient) {
    Options real = broker.options();
    lookupLoop =
        new LookupLoop(
            new BrokerIdentity(
                real.broadcastAddress(),
                broker.hostname(),
                real.broadcastHttpPort(),
                real.broadcastTcpPort(),
                options.topologyRegion(),
                options.topologyZone(),
                StatsSnapshot.VERSION),
            options.lookupdTcpAddresses(),
            options.maxBodySize(),
            () -> LookupTopology.registrations(broker));
    broker.setTopologyListener(
        new LookupTopology(
            lookupLoop,
            new ChannelLookup(httpClient, lookupLoop::identifiedPeers, Names::isValid)));
    lookupLoop.start();
  }

  private void startStatsd() {
    if (options.statsdAddress().isEmpty()) {
      return;
    }
    statsd =
        new StatsdPusher(
            new StatsdOptions(
                options.statsdAddress().get().text(),
                broker.options().statsdPrefix(),
                options.statsdIntervalMs(),
                options.isStatsdMemStats(),
                options.statsdUdpPacketSize(),
                options.isStatsdExcludeEphemeral()),
            () -> StatsdSampler.sample(broker));
    statsd.start();
  }

  /** The topics. */
  public Broker broker() {
    return broker;
  }

  /**
   * Takes over what changed in the configuration and can be changed without a restart. What becomes
   * of it is logged.
   *
   * @param parsed the arguments and the file they name, as they are now
   */
  public void reload(Parsed parsed) {
    try {
      reload.apply(parsed);
    } catch (RuntimeException e) {
      LOG.error("reload failed", e);
    }
  }

  /**
   * Takes no more connections and messages and delivers none, until nothing is in flight any more,
   * at most for {@code shutdown-timeout}. {@link #stop} is still to be called.
   *
   * @param atOnce ends the wait
   */
  public void drain(CountDownLatch atOnce) {
    notifier.stopping();
    long timeoutNs = TimeUnit.MILLISECONDS.toNanos(options.shutdownTimeoutMs());
    if (timeoutNs == 0) {
      return;
    }
    tcpServer.stopAccepting();
    broker.drain();
    long startNs = System.nanoTime();
    long inFlight = broker.inFlightCount();
    if (inFlight > 0) {
      LOG.info(
          "{} messages are in flight: waiting for them, at most {} ms (shutdown-timeout)",
          inFlight,
          options.shutdownTimeoutMs());
    }
    try {
      while (inFlight > 0
          && System.nanoTime() - startNs < timeoutNs
          && !atOnce.await(DRAIN_LOOK_MS, TimeUnit.MILLISECONDS)) {
        inFlight = broker.inFlightCount();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (inFlight > 0) {
      LOG.info("{} messages are still in flight; after the next start they come again", inFlight);
    }
  }

  /**
   * Stops accepting, lets running requests end, then closes the topics. Returns when all is done.
   */
  public void stop() {
    if (tcpServer != null) {
      tcpServer.stopAccepting();
    }
    for (HttpServer server : httpServers) {
      server.close(HTTP_GRACE_MS);
    }
    if (tcpServer != null) {
      tcpServer.closeConnections();
    }
    broker.setTopologyListener(Broker.TopologyListener.NONE);
    if (lookupLoop != null) {
      lookupLoop.close();
    }
    if (statsd != null) {
      statsd.close();
    }
    transport.close();
    fileWatch.shutdownNow();
    access.close();
    authPasswords.close();
    noticed.close();
    history.close();
    if (metrics != null) {
      metrics.close();
    }
    broker.exit();
    httpClientThreads.shutdownNow();
  }
}
