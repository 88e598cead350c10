package io.holdfast.broker;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.lookup.BrokerIdentity;
import io.holdfast.broker.lookup.ChannelLookup;
import io.holdfast.broker.lookup.LookupLoop;
import io.holdfast.broker.lookup.LookupTopology;
import io.holdfast.broker.net.HttpJsonClient;
import io.holdfast.broker.queue.Names;
import io.holdfast.broker.queue.TopologyListener;
import io.holdfast.broker.stats.MemoryStats;
import io.holdfast.broker.stats.StatsSnapshot;
import io.holdfast.broker.stats.StatsdOptions;
import io.holdfast.broker.stats.StatsdPusher;
import io.holdfast.broker.tls.TlsException;
import io.holdfast.broker.tls.TrustManagers;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * Whom the broker calls: nsqlookupd and statsd, which hear of it, and by HTTP auth servers and
 * nsqlookupd, which it asks. Opened and closed by the server.
 */
final class Outbound implements Closeable {
  private final Options options;
  private final Broker broker;
  private final ExecutorService httpThreads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "http-client");
            thread.setDaemon(true);
            return thread;
          });
  private final HttpJsonClient httpClient;
  private LookupLoop lookupLoop;
  private StatsdPusher statsd;

  /** Calls nobody yet. */
  Outbound(Options options, Broker broker) {
    this.options = options;
    this.broker = broker;
    httpClient = newHttpClient();
  }

  /** Asks auth servers and nsqlookupd. */
  HttpJsonClient httpClient() {
    return httpClient;
  }

  /** Tells nsqlookupd and statsd, if there are any, once the broker listens. */
  void start() {
    startLookup();
    startStatsd();
  }

  private HttpJsonClient newHttpClient() {
    SSLParameters parameters = new SSLParameters();
    parameters.setProtocols(options.tlsMinVersion().jdkNamesFromHere());
    return new HttpJsonClient(
        options.httpClientConnectTimeoutMs(),
        options.httpClientRequestTimeoutMs(),
        options.tlsRootCaFile().isEmpty() ? null : this::trustOfRootCa,
        parameters,
        httpThreads);
  }

  private SSLContext trustOfRootCa() {
    try {
      return TrustManagers.clientContext(options.tlsRootCaFile().orElseThrow());
    } catch (TlsException e) {
      throw new UncheckedIOException(new IOException(e.getMessage(), e));
    }
  }

  private void startLookup() {
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
    broker.setLookupdListener(lookupLoop::setAddresses);
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
            () -> StatsSnapshot.withoutClients(broker).withMemory(MemoryStats.now(), null));
    statsd.start();
  }

  /** Tells them no more. */
  void stop() {
    broker.setTopologyListener(TopologyListener.NONE);
    if (lookupLoop != null) {
      lookupLoop.close();
    }
    if (statsd != null) {
      statsd.close();
    }
  }

  /** Ends what is being asked. */
  @Override
  public void close() {
    httpThreads.shutdownNow();
  }
}
