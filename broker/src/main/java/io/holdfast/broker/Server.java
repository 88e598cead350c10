package io.holdfast.broker;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.core.BrokerCluster;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Events;
import io.holdfast.broker.history.History;
import io.holdfast.broker.history.NoticedLines;
import io.holdfast.broker.http.HttpApi;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.metrics.BrokerCollector;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.net.LoopDelay;
import io.holdfast.broker.net.ServiceNotifier;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.stats.MemoryStats;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.stats.StatsSnapshot;
import io.holdfast.broker.stats.StatsdOptions;
import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.broker.tls.TlsException;
import io.holdfast.broker.tls.TlsOptions;
import io.holdfast.broker.tls.TrustManagers;
import io.holdfast.broker.wire.ConnectionServices;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole process but for flags and signals: a {@link Broker}, its {@link Listeners} in front of
 * it, and the threads that talk to others. Starts them in the order in which they need each other
 * and stops them in reverse. One thread starts it, one stops it.
 */
public final class Server {
  private static final Logger LOG = LoggerFactory.getLogger(Server.class);
  private static final long DRAIN_LOOK_MS = 10;

  private final Options options;
  private final Broker broker;
  private final Accounts accounts;
  private final Transport transport;
  private final Budgets budgets;
  private final Listeners listeners;
  private final Outbound outbound;
  private final Events events = new Events();

  /** null where the log is another program's. */
  private final NoticedLines noticed;

  private final History history;
  private final ServiceNotifier notifier;
  private final Reload reload;
  private Metrics metrics;

  /**
   * @param isProcess whether the process, its log and environment, are the broker's own
   */
  private Server(Options options, Broker broker, Accounts accounts, boolean isProcess) {
    this.options = options;
    this.broker = broker;
    this.accounts = accounts;
    transport = new Transport(options.eventLoopThreads());
    LoopDelay.watch(transport.workers(), broker.meters().eventLoopDelay());
    budgets = Budgets.of(broker.memory());
    listeners = new Listeners(options, transport, budgets);
    outbound = new Outbound(options, broker);
    history = new History(broker, listeners::connections);
    noticed = isProcess ? NoticedLines.into(events) : null;
    notifier =
        ServiceNotifier.of(
            isProcess ? System.getenv() : Map.of(), ProcessHandle.current().pid(), transport);
    reload = new Reload(options, broker, new Audit(events));
  }

  /**
   * Starts everything; ready for clients when this returns.
   *
   * @throws IOException in one line for the user; nothing is left running then
   */
  public static Server start(Options options) throws IOException {
    return start(options, true);
  }

  /** As {@link #start(Options)}, in a process that is another program's. */
  static Server startEmbedded(Options options) throws IOException {
    return start(options, false);
  }

  private static Server start(Options options, boolean isProcess) throws IOException {
    TlsContexts tls;
    try {
      tls = tlsContexts(options);
    } catch (TlsException e) {
      throw new IOException(e.getMessage(), e);
    }
    Accounts accounts = new Accounts(options);
    Server server = null;
    boolean started = false;
    try {
      server = new Server(options, Broker.unrestored(options), accounts, isProcess);
      server.open(tls);
      started = true;
      return server;
    } finally {
      if (!started) {
        accounts.close();
      }
      if (!started && server != null) {
        server.stop();
      }
    }
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
            options.tlsMinVersion()),
        System::nanoTime);
  }

  private void open(TlsContexts tls) throws IOException {
    metrics =
        new Metrics(
            new BrokerCollector(
                broker,
                options.isMetricsExcludeEphemeral(),
                Map.of("version", OptionsLoader.version(), "nsqd_version", StatsSnapshot.VERSION),
                listeners::connections));
    Producers producers = new Producers();
    HttpApi api = new HttpApi(broker, producers, metrics, accounts.access(), events, history);
    // First: whoever watches over the broker is told that it starts.
    int httpPort = listeners.openHttp(api, tls);
    broker.restore();
    int tcpPort =
        listeners.openTcp(
            new ConnectionServices(
                broker, tls, accounts.authority(outbound.httpClient()), budgets, producers));
    broker.listening(
        tcpPort,
        httpPort,
        now ->
            StatsdOptions.expandPrefix(
                now.statsdPrefix(), now.broadcastAddress(), now.broadcastHttpPort()));
    accounts.watch(reload);
    accounts.sayWhoMay(tls != null);
    if (tls != null) {
      reload.add(tls);
    }
    outbound.start();
    history.begin();
    broker.health().running();
    notifier.ready();
    broker.workers().execute(() -> afterStart(api));
  }

  /** What nobody waits for who waits for the start. */
  private void afterStart(HttpApi api) {
    api.load();
    MemoryStats.recordPauses();
    metrics.begin();
  }

  /** Done, with a line for the operator, when the process has to end because of another broker. */
  public CompletableFuture<String> mustExit() {
    BrokerCluster cluster = broker.cluster();
    return cluster == null ? new CompletableFuture<>() : cluster.mustExit();
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
    listeners.stopAccepting();
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
    closeFrontEnds();
    broker.exit();
    outbound.close();
  }

  /** Ends without summing up, as if the process were killed. */
  void kill() {
    closeFrontEnds();
    broker.kill();
    outbound.close();
  }

  private void closeFrontEnds() {
    listeners.close();
    outbound.stop();
    transport.close();
    accounts.close();
    if (noticed != null) {
      noticed.close();
    }
    history.close();
    if (metrics != null) {
      metrics.close();
    }
  }
}
