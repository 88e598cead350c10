package io.holdfast.broker.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * The options in force: immutable, one accessor each (contract §8 and Holdfast's own). Made by
 * {@link OptionsLoader} from arguments and file, or by {@link #builder()}. Two of them can change
 * while the broker runs, log level and nsqlookupd addresses: {@link #withLogLevel} and {@link
 * #withLookupdTcpAddresses} make the changed copy, whoever holds the current one publishes it.
 */
public final class Options extends NsqdSettings {
  Options(OptionValues values) {
    super(values);
  }

  /** Returns every option at its default. */
  public static Options defaults() {
    return builder().build();
  }

  /** Starts from the defaults. */
  public static OptionsBuilder builder() {
    return new OptionsBuilder(OptionValues.defaults());
  }

  /** Starts from these options. */
  public OptionsBuilder toBuilder() {
    return new OptionsBuilder(values());
  }

  /** Returns a copy with another log level, set at run time. */
  public Options withLogLevel(LogLevel level) {
    return new Options(values().with(NsqdOptions.LOG_LEVEL, level, Origin.RUN_TIME));
  }

  /**
   * Returns a copy with other nsqlookupd addresses, set at run time: host:port each, not checked,
   * as in nsqd.
   */
  public Options withLookupdTcpAddresses(List<String> addresses) {
    OptionSpec spec = NsqdOptions.LOOKUPD_TCP_ADDRESSES;
    return new Options(values().with(spec, List.copyOf(addresses), Origin.RUN_TIME));
  }

  /** Returns a copy in which what can be set at run time is as flags and file have it. */
  public Options reloaded(Options fresh) {
    OptionValues copy = values();
    for (OptionSpec spec : List.of(NsqdOptions.LOG_LEVEL, NsqdOptions.LOOKUPD_TCP_ADDRESSES)) {
      copy = copy.with(spec, fresh.given(spec), fresh.origin(spec));
    }
    return new Options(copy.withPolicies(fresh.policies()));
  }

  /** Returns the policies of the file, in its order, as they stand there: not checked. */
  public List<PolicyTable> policies() {
    return values().policies();
  }

  /**
   * Returns a copy in which ports and prefix are those in force, as nsqd shows them at {@code
   * /config}.
   *
   * @param tcpPort where TCP is listened on, below 1 for a unix socket; not used if one is
   *     configured
   * @param httpPort the same for HTTP
   * @param prefix statsd's, given the copy with the ports
   */
  public Options listening(int tcpPort, int httpPort, Function<Options, String> prefix) {
    OptionValues ports =
        withPort(
            withPort(values(), NsqdOptions.BROADCAST_TCP_PORT, tcpPort),
            NsqdOptions.BROADCAST_HTTP_PORT,
            httpPort);
    OptionSpec spec = NsqdOptions.STATSD_PREFIX;
    return new Options(ports.with(spec, prefix.apply(new Options(ports)), ports.origin(spec)));
  }

  private static OptionValues withPort(OptionValues values, OptionSpec spec, int port) {
    boolean isFree = values.get(spec).equals(0L) && port > 0;
    return isFree ? values.with(spec, (long) port, values.origin(spec)) : values;
  }

  /**
   * Returns an option as {@code GET /config/{key}} shows it: a String is sent raw, anything else as
   * JSON; durations in ns, log_level 1..5, tls_required 0..2, tls_min_version 769..772 (contract
   * §5).
   *
   * @param tomlKey the option's key in the file
   * @return the value, null if there is no such option
   */
  public Object configValue(String tomlKey) {
    return OptionTable.byTomlKey(tomlKey)
        .map(spec -> spec.type().toConfig(effective(spec)))
        .orElse(null);
  }

  /**
   * Returns one line per option, {@code flag=value (origin)}, for the start-up log. The origin is
   * {@code default}, {@code flag}, or the file with its line.
   */
  public List<String> describe() {
    return OptionTable.all().stream()
        .map(
            spec ->
                GoValues.oneLine(
                    spec.flag()
                        + "="
                        + spec.type().format(effective(spec))
                        + " ("
                        + values().origin(spec).text()
                        + ")"))
        .toList();
  }

  /** Returns every option with value, default and origin, in the order of {@code --help}. */
  public List<ShownOption> shown() {
    return OptionTable.all().stream()
        .map(spec -> ShownOption.of(spec, effective(spec), values().origin(spec)))
        .toList();
  }

  /** Returns the keys, as in the file, of options that have another value there, in order. */
  public List<String> differing(Options other) {
    return OptionTable.all().stream()
        .filter(spec -> !get(spec).equals(other.get(spec)))
        .map(OptionSpec::tomlKey)
        .toList();
  }

  /**
   * Returns an option's value for people, on one line.
   *
   * @param tomlKey the option's key in the file
   */
  public String text(String tomlKey) {
    OptionSpec spec = OptionTable.byTomlKey(tomlKey).orElseThrow();
    return GoValues.quote(spec.type().format(get(spec)));
  }

  /** Returns one line for each option the user gave that is not used as given, and why. */
  public List<String> ineffective() {
    return IneffectiveOptions.explain(this);
  }

  /** Returns whether ephemeral topics and channels are left out of /metrics. */
  public boolean isMetricsExcludeEphemeral() {
    return bool(HoldfastOptions.METRICS_EXCLUDE_EPHEMERAL);
  }

  /** Returns what a message has survived when its publisher gets OK. */
  public Durability durability() {
    return (Durability) get(HoldfastOptions.DURABILITY);
  }

  /** Returns the users of AUTH over TCP, empty = auth servers alone. */
  public Optional<Path> authUsersFile() {
    return path(HoldfastOptions.AUTH_USERS_FILE);
  }

  /** Returns the file of the HTTP API's users; empty = there are none. */
  public Optional<Path> httpUsersFile() {
    return path(HoldfastOptions.HTTP_USERS_FILE);
  }

  /** Returns what somebody who gives no name may do over HTTP. */
  public AnonymousRole httpAnonymousRole() {
    return (AnonymousRole) get(HoldfastOptions.HTTP_ANONYMOUS_ROLE);
  }

  /** Returns how long finished messages stay on disk, ms; 0 = dropped at once. */
  public long retentionMs() {
    return ms(HoldfastOptions.RETENTION);
  }

  /** Returns the free disk space in bytes below which publishing is refused; 0 = never. */
  public long diskFreeLimitBytes() {
    return number(HoldfastOptions.DISK_FREE_LIMIT);
  }

  /** Returns the broker's disk use in bytes above which publishing is refused; 0 = no limit. */
  public long maxDiskBytes() {
    return number(HoldfastOptions.MAX_DISK_BYTES);
  }

  /** Returns a topic's disk use in bytes above which publishing to it is refused; 0 = no limit. */
  public long maxDiskBytesPerTopic() {
    return number(HoldfastOptions.MAX_DISK_BYTES_PER_TOPIC);
  }

  /** Returns after how long without use a topic's files are closed, ms. */
  public long idleCloseMs() {
    return ms(HoldfastOptions.IDLE_CLOSE);
  }

  /** Returns how many bytes of bodies a channel keeps in memory; 0 = none. */
  public long memQueueBytes() {
    return number(HoldfastOptions.MEM_QUEUE_BYTES);
  }

  /** Returns how many deferred and requeued messages a channel keeps track of. */
  public int maxDeferred() {
    return intOf(HoldfastOptions.MAX_DEFERRED);
  }

  /** Returns how many topics can exist. */
  public int maxTopics() {
    return intOf(HoldfastOptions.MAX_TOPICS);
  }

  /** Returns how many channels a topic can have. */
  public int maxChannels() {
    return intOf(HoldfastOptions.MAX_CHANNELS);
  }

  /** Returns how many client connections can be open; 0 = no limit. */
  public int maxConnections() {
    return intOf(HoldfastOptions.MAX_CONNECTIONS);
  }

  /** Returns how much output may wait for one client, bytes. */
  public int maxOutputBytes() {
    return intOf(HoldfastOptions.MAX_OUTPUT_BYTES);
  }

  /** Returns what bodies being received may take, bytes; 0 = derived from the JVM's memory. */
  public long maxInputBytes() {
    return number(HoldfastOptions.MAX_INPUT_BYTES);
  }

  /** Returns how much output may wait for all clients, bytes; 0 = derived likewise. */
  public long maxTotalOutputBytes() {
    return number(HoldfastOptions.MAX_TOTAL_OUTPUT_BYTES);
  }

  /** Returns names under which HTTP may be asked, beside those that are known. */
  public List<String> httpAllowedHosts() {
    return strings(HoldfastOptions.HTTP_ALLOWED_HOSTS);
  }

  /** Returns what was said of a cluster. */
  public ClusterSettings cluster() {
    return ClusterOptions.of(this);
  }

  /** Returns whether /debug answers others than this machine. */
  public boolean isDebugEndpoints() {
    return bool(HoldfastOptions.DEBUG_ENDPOINTS);
  }

  /** Returns how log lines look. */
  public LogFormat logFormat() {
    return (LogFormat) get(HoldfastOptions.LOG_FORMAT);
  }

  /** Returns how long a stop waits for messages in flight at most, ms; 0 = not at all. */
  public long shutdownTimeoutMs() {
    return ms(HoldfastOptions.SHUTDOWN_TIMEOUT);
  }

  /** Returns how many threads serve connections; one per processor unless set. */
  public int eventLoopThreads() {
    return intOf(HoldfastOptions.EVENT_LOOP_THREADS) == 0
        ? Runtime.getRuntime().availableProcessors()
        : intOf(HoldfastOptions.EVENT_LOOP_THREADS);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Options options && values().sameValues(options.values());
  }

  @Override
  public int hashCode() {
    return Objects.hash(values().get(NsqdOptions.DATA_PATH), values().get(NsqdOptions.TCP_ADDRESS));
  }
}
