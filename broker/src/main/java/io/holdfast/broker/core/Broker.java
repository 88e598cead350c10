package io.holdfast.broker.core;

import io.holdfast.broker.config.HostName;
import io.holdfast.broker.config.LogLevel;
import io.holdfast.broker.config.Logging;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.PolicyTable;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.policy.BadPolicyException;
import io.holdfast.broker.policy.PolicyBook;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.Topics;
import io.holdfast.broker.queue.TopologyListener;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data directory in use: opens and closes it with its {@link Topics} and the threads that serve
 * them, and is what front ends ask. Knows nothing of sockets: the server puts the listeners in
 * front of it.
 */
public final class Broker {
  private static final Logger LOG = LoggerFactory.getLogger(Broker.class);
  private static final int WORKERS = 4;

  /** How long the end waits for a thread that is busy. */
  static final long STOP_WAIT_MS = 2000;

  /** Changed under {@link #optionsLock}. */
  private volatile Options options;

  private final Object optionsLock = new Object();
  private final DataDir dataDir;
  private final MemoryBudget memory;
  private final BrokerContext context;

  /** null for a broker of no cluster. */
  private final BrokerCluster cluster;

  private final Topics topics;
  private final ExecutorService workers;
  private final Health health;
  private final long startTimeMs = System.currentTimeMillis();
  private final long startNs = System.nanoTime();
  private volatile Consumer<List<String>> lookupdListener = addresses -> {};

  /** Whether all topics are open, so that what is known is all there is. */
  private volatile boolean restored;

  private volatile int tcpPort = -1;
  private volatile int httpPort = -1;

  /**
   * Opens the data directory and every topic in it.
   *
   * @throws IOException in one line for the user: in use, of a later version, not readable
   */
  public Broker(Options options) throws IOException {
    this(options, Disk.LOCAL);
  }

  /**
   * Opens the data directory alone, which is soon done; {@link #restore} opens the topics.
   *
   * @throws IOException in one line for the user, as {@link #Broker(Options)}
   */
  public static Broker unrestored(Options options) throws IOException {
    return new Broker(options, BrokerCluster.Opening.of(options, Disk.LOCAL));
  }

  /**
   * @param disk where the data directory is; a test's knows more than the machine's
   */
  Broker(Options options, Disk disk) throws IOException {
    this(options, BrokerCluster.Opening.of(options, disk));
    restore();
    health.running();
  }

  private Broker(Options options, BrokerCluster.Opening opening) throws IOException {
    this.options = options;
    dataDir = opening.dataDir();
    memory = MemoryBudget.ofThisJvm(options.maxInputBytes(), options.maxTotalOutputBytes());
    LOG.info("{}", memory.describe());
    // Its threads start with its first tasks.
    workers = Executors.newFixedThreadPool(WORKERS, DaemonThreads.named("worker"));
    boolean opened = false;
    try {
      context = new BrokerContext(options, dataDir, memory, workers, dataDir.readMetadata());
      cluster = opening.config() == null ? null : new BrokerCluster(this, context, opening);
      opened = true;
    } finally {
      if (!opened) {
        dataDir.close();
      }
    }
    topics = context.topics();
    health =
        new Health(
            this::recoveryState,
            this::inFlightCount,
            context.diskHealth()::state,
            cluster == null ? null : cluster::health);
  }

  /**
   * Opens every topic. Once, before anything else is asked of this broker but its {@link #health}.
   *
   * @throws IOException in one line for the user; the broker is of no use then
   */
  public void restore() throws IOException {
    if (dataDir.mayHaveUnforcedFiles()) {
      context.syncThread().forceLeftBehind(dataDir.root());
    }
    topics.open();
    if (cluster != null) {
      // Before the mark below: what a power cut has torn of the groups' logs is judged first.
      context.checkDisk();
      cluster.start();
    }
    try {
      context.metadata().writeWhole();
      // Only now: which ordinals a power cut may have cost is on the disk.
      dataDir.markSettled();
    } catch (IOException e) {
      if (!NoSpaceException.isCauseOf(e)) {
        throw e;
      }
      // Housekeeping will write it; consumers, who bring space back, need not wait for that.
      context.diskHealth().failed("metadata", e);
    }
    dataDir.format().onNeeded(context.metadata()::writeSoon);
    context.housekeeper().start();
    policiesChanged();
    restored = true;
  }

  /** What the topics get; for tests. */
  BrokerContext context() {
    return context;
  }

  private Health.State recoveryState() {
    return restored
        ? Health.State.OK
        : Health.State.failed("opening the data path: " + topics.all().size() + " topics so far");
  }

  // ---------------------------------------------------------------- topics

  /** The topic of this name, or null. Any thread. */
  public Topic existingTopic(String name) {
    return topics.existing(name);
  }

  /** The topics, sorted by name; a live view. Any thread. */
  public Collection<Topic> topics() {
    return topics.all();
  }

  /**
   * The topic of this name, created if need be. Waits for disks and nsqlookupds: for threads that
   * are neither event loops nor workers.
   */
  public Topic topic(String name) throws BrokerException {
    try {
      return topicLater(name).join();
    } catch (CompletionException e) {
      throw BrokerException.of(e);
    }
  }

  /** As {@link Topics#later}. */
  public CompletableFuture<Topic> topicLater(String name) {
    return topics.later(name);
  }

  /** As {@link Topics#delete}. */
  public boolean deleteTopic(String name) throws IOException {
    return topics.delete(name);
  }

  /** As {@link Topics#consumerLeft}. */
  public void consumerLeft(MessageSource source) {
    topics.consumerLeft(source);
  }

  /** Who is told of topics and channels; set before the listeners open. */
  public void setTopologyListener(TopologyListener listener) {
    topics.setListener(listener);
  }

  /** Messages that consumers have and did not answer. */
  public long inFlightCount() {
    long count = 0;
    for (Topic topic : topics.all()) {
      for (Channel channel : topic.channels()) {
        count += channel.figures().inFlightCount();
      }
    }
    return cluster == null ? count : count + cluster.relays().inFlight();
  }

  /** For work that blocks; never run it on an event loop. */
  public Executor workers() {
    return workers;
  }

  // ---------------------------------------------------------------- settings and figures

  /** The options now; some change at run time. */
  public Options options() {
    return options;
  }

  /** Changes the log level; a lower-case name. */
  public void setLogLevel(String level) {
    Logging.setLevel(level);
    LogLevel.parse(level).ifPresent(parsed -> changeOptions(now -> now.withLogLevel(parsed)));
  }

  /** Replaces the nsqlookupds to register with. */
  public void setLookupdTcpAddresses(List<String> addresses) {
    changeOptions(now -> now.withLookupdTcpAddresses(addresses));
    lookupdListener.accept(addresses);
  }

  /** Who is told when the nsqlookupds are replaced; must not block. */
  public void setLookupdListener(Consumer<List<String>> listener) {
    lookupdListener = listener;
  }

  /** The data directory. */
  public DataDir dataDir() {
    return dataDir;
  }

  /** Flags and file were read again, and what changed was set: it comes from there now. */
  public void reloaded(Options fresh) {
    changeOptions(now -> now.reloaded(fresh));
  }

  /** What the configuration says of policies, and what is in force. */
  public PolicyBook policies() {
    return context.policies();
  }

  /**
   * Replaces the policies of the configuration, for what exists and what will.
   *
   * @param tables that {@link PolicyBook#verify} has accepted
   * @return whether anything changed
   */
  public boolean replacePolicies(List<PolicyTable> tables) {
    boolean changed;
    try {
      changed = policies().replace(tables);
    } catch (BadPolicyException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    if (changed) {
      topics.all().forEach(Topic::refreshPolicies);
      policiesChanged();
    }
    return changed;
  }

  /** Some were set, by hand or by the configuration: says in the log what they may cost. */
  public void policiesChanged() {
    DeadLetterTargets.warn(topics, policies());
  }

  /** How the JVM's memory is divided. */
  public MemoryBudget memory() {
    return memory;
  }

  /** Where durations are counted. */
  public BrokerMeters meters() {
    return context.meters();
  }

  /** This machine's name. */
  public String hostname() {
    return HostName.ofThisMachine();
  }

  /** Where clients connect, -1 for a unix socket. */
  public int tcpPort() {
    return tcpPort;
  }

  /** Where HTTP is served, -1 for a unix socket or nowhere. */
  public int httpPort() {
    return httpPort;
  }

  /**
   * The listeners are open: the options show their ports from now on.
   *
   * @param prefix makes statsd's prefix of options with the ports
   */
  public void listening(int tcp, int http, Function<Options, String> prefix) {
    tcpPort = tcp;
    httpPort = http;
    changeOptions(now -> now.listening(tcp, http, prefix));
  }

  private void changeOptions(UnaryOperator<Options> change) {
    synchronized (optionsLock) {
      options = change.apply(options);
    }
  }

  /** For how long the broker runs, ms, whatever became of the clock. */
  public long uptimeMs() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
  }

  /** When the broker started, ms since 1970. */
  public long startTimeMs() {
    return startTimeMs;
  }

  /** What is wrong, for "NOK - ..."; null when nothing is. */
  public String healthError() {
    String problem = context.diskHealth().problem();
    return problem != null || cluster == null ? problem : cluster.error();
  }

  /** The cluster that this is a node of; null for none. */
  public BrokerCluster cluster() {
    return cluster;
  }

  /** Bytes that the disk of the data directory has left; -1 when that is not known. */
  long freeBytes() {
    return context.freeBytes();
  }

  /** With less than so many bytes left the disk is nearly full for topics that are shared. */
  long sharedDiskLimitBytes() {
    return context.sharedDiskLimitBytes();
  }

  /** Where the broker is in its life, and whether it can serve. */
  public Health health() {
    return health;
  }

  // ---------------------------------------------------------------- the end

  /**
   * Takes no more messages and delivers none; what is in flight can still be answered. For good.
   */
  public void drain() {
    health.stopping();
    if (cluster != null) {
      cluster.handOver();
      cluster.relays().drain();
    }
    topics.drain();
  }

  /**
   * Stops: takes nothing more, sums everything up, gives the data directory free. Nothing that a
   * crash would lose is left to do here; it makes the next start quick. The listeners are closed
   * already.
   */
  public void exit() {
    if (!topics.exit()) {
      return;
    }
    health.stopping();
    closeCluster();
    context.housekeeper().stop();
    if (!restored) {
      abandon();
      return;
    }
    try {
      context.metadata().writeWhole();
    } catch (IOException e) {
      LOG.error("metadata cannot be written", e);
    }
    topics.close();
    context.queueScan().close();
    workers.shutdown();
    // A deletion that is under way still writes to the data directory.
    if (!awaitWorkers()) {
      LOG.warn("workers are still busy");
    }
    context.syncThread().close();
    try {
      if (context.syncThread().allForced() && !context.metadata().isBehind()) {
        dataDir.markClean();
      }
    } catch (IOException e) {
      LOG.error("data path {}: the next start will not know of this clean stop", dataDir.root(), e);
    }
    closeDataDir();
  }

  /** Ends without summing up, as if the process were killed; the data directory is free then. */
  public void kill() {
    if (topics.exit()) {
      health.stopping();
      closeCluster();
      context.housekeeper().stop();
      abandon();
    }
  }

  private void closeCluster() {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** Ends what could not be opened: what is not known must not be written, nor called clean. */
  private void abandon() {
    context.queueScan().close();
    workers.shutdownNow();
    if (!awaitWorkers()) {
      return;
    }
    context.syncThread().close();
    closeDataDir();
  }

  private void closeDataDir() {
    try {
      dataDir.close();
    } catch (IOException e) {
      LOG.error("data path {} cannot be closed", dataDir.root(), e);
    }
  }

  private boolean awaitWorkers() {
    try {
      return workers.awaitTermination(STOP_WAIT_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
