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
public final class Options {
  static final String TOPOLOGY_AWARE_CONSUMPTION = "topology-aware-consumption";

  private final OptionValues values;

  Options(OptionValues values) {
    this.values = values;
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
    return new OptionsBuilder(values);
  }

  /** Returns a copy with another log level, set at run time. */
  public Options withLogLevel(LogLevel level) {
    return new Options(values.with(NsqdOptions.LOG_LEVEL, level, Origin.RUN_TIME));
  }

  /**
   * Returns a copy with other nsqlookupd addresses, set at run time: host:port each, not checked,
   * as in nsqd.
   */
  public Options withLookupdTcpAddresses(List<String> addresses) {
    OptionSpec spec = NsqdOptions.LOOKUPD_TCP_ADDRESSES;
    return new Options(values.with(spec, List.copyOf(addresses), Origin.RUN_TIME));
  }

  /** Returns a copy in which what can be set at run time is as flags and file have it. */
  public Options reloaded(Options fresh) {
    OptionValues copy = values;
    for (OptionSpec spec : List.of(NsqdOptions.LOG_LEVEL, NsqdOptions.LOOKUPD_TCP_ADDRESSES)) {
      copy = copy.with(spec, fresh.values.get(spec), fresh.values.origin(spec));
    }
    return new Options(copy);
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
            withPort(values, NsqdOptions.BROADCAST_TCP_PORT, tcpPort),
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
                        + values.origin(spec).text()
                        + ")"))
        .toList();
  }

  /** Returns every option with value, default and origin, in the order of {@code --help}. */
  public List<ShownOption> shown() {
    return OptionTable.all().stream()
        .map(spec -> ShownOption.of(spec, effective(spec), values.origin(spec)))
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

  /** Returns whether flag or file gave this option, rather than the default. */
  boolean isGiven(OptionSpec spec) {
    return values.origin(spec).isGiven();
  }

  Origin origin(OptionSpec spec) {
    return values.origin(spec);
  }

  /** The value used, which may be another than the one given. */
  Object get(OptionSpec spec) {
    return spec.used(values.get(spec));
  }

  /** The value that flag or file gave, or the default. */
  Object given(OptionSpec spec) {
    return values.get(spec);
  }

  String text(OptionSpec spec) {
    return (String) get(spec);
  }

  /** The value with what follows from other options or the machine. */
  private Object effective(OptionSpec spec) {
    if (spec == NsqdOptions.BROADCAST_ADDRESS) {
      return broadcastAddress();
    }
    boolean implied =
        spec == NsqdOptions.TLS_REQUIRED
            && get(spec) == TlsRequired.FALSE
            && !tlsClientAuthPolicy().isEmpty();
    return implied ? TlsRequired.TRUE : get(spec);
  }

  /**
   * Returns the least severe level logged at start; the level in force may have been changed since.
   */
  public LogLevel logLevel() {
    return (LogLevel) get(NsqdOptions.LOG_LEVEL);
  }

  /** Returns the text before every log line. */
  public String logPrefix() {
    return text(NsqdOptions.LOG_PREFIX);
  }

  /** Returns the node id, 0..1023. */
  public int nodeId() {
    return intOf(NsqdOptions.NODE_ID);
  }

  /** Returns where TCP clients connect. */
  public ListenAddress tcpAddress() {
    return ListenAddress.parseHostPortOrPath(text(NsqdOptions.TCP_ADDRESS)).orElseThrow();
  }

  /** Returns where HTTP clients connect, empty = not at all. */
  public Optional<ListenAddress> httpAddress() {
    return ListenAddress.parseHostPortOrPath(text(NsqdOptions.HTTP_ADDRESS));
  }

  /**
   * Returns where HTTPS clients connect if TLS is set up, empty = not at all. Never a unix socket.
   */
  public Optional<ListenAddress> httpsAddress() {
    return ListenAddress.parseHostPort(text(NsqdOptions.HTTPS_ADDRESS));
  }

  /** Returns the address announced to nsqlookupd; the host name unless set. */
  public String broadcastAddress() {
    return text(NsqdOptions.BROADCAST_ADDRESS).isEmpty()
        ? HostName.ofThisMachine()
        : text(NsqdOptions.BROADCAST_ADDRESS);
  }

  /** Returns the TCP port announced to nsqlookupd; before listening 0 for the listening one. */
  public int broadcastTcpPort() {
    return intOf(NsqdOptions.BROADCAST_TCP_PORT);
  }

  /** Returns the HTTP port announced to nsqlookupd; before listening 0 for the listening one. */
  public int broadcastHttpPort() {
    return intOf(NsqdOptions.BROADCAST_HTTP_PORT);
  }

  /**
   * Returns the nsqlookupd addresses given at start, host:port each; may be changed at run time.
   */
  public List<String> lookupdTcpAddresses() {
    return strings(NsqdOptions.LOOKUPD_TCP_ADDRESSES);
  }

  /** Returns the auth servers, host:port or URL each; any makes AUTH required. */
  public List<String> authHttpAddresses() {
    return strings(NsqdOptions.AUTH_HTTP_ADDRESSES);
  }

  /** Returns how auth servers are asked: {@code get} or {@code post}. */
  public String authHttpRequestMethod() {
    return text(NsqdOptions.AUTH_HTTP_REQUEST_METHOD);
  }

  /** Returns the limit for connecting to auth servers and nsqlookupd by HTTP, ms. */
  public long httpClientConnectTimeoutMs() {
    return ms(NsqdOptions.HTTP_CLIENT_CONNECT_TIMEOUT);
  }

  /** Returns the limit for a request to auth servers and nsqlookupd by HTTP, ms. */
  public long httpClientRequestTimeoutMs() {
    return ms(NsqdOptions.HTTP_CLIENT_REQUEST_TIMEOUT);
  }

  /** Returns the data directory; the current directory unless set. */
  public Path dataPath() {
    return path(NsqdOptions.DATA_PATH).orElse(Path.of("."));
  }

  /** Returns how many messages a channel keeps in memory; 0 = none. */
  public int memQueueSize() {
    return intOf(NsqdOptions.MEM_QUEUE_SIZE);
  }

  /** Returns the size in bytes at which a journal file is followed by the next. */
  public long maxBytesPerFile() {
    return number(NsqdOptions.MAX_BYTES_PER_FILE);
  }

  /** Returns after how many messages an fsync is due. */
  public long syncEvery() {
    return number(NsqdOptions.SYNC_EVERY);
  }

  /** Returns after how long an fsync is due, ms. */
  public long syncTimeoutMs() {
    return ms(NsqdOptions.SYNC_TIMEOUT);
  }

  /** Returns the default time a consumer has for a message, ms. */
  public long msgTimeoutMs() {
    return ms(NsqdOptions.MSG_TIMEOUT);
  }

  /** Returns the largest msg_timeout and the limit of TOUCH, ms. */
  public long maxMsgTimeoutMs() {
    return ms(NsqdOptions.MAX_MSG_TIMEOUT);
  }

  /** Returns the largest delay of REQ, DPUB and defer, ms. */
  public long maxReqTimeoutMs() {
    return ms(NsqdOptions.MAX_REQ_TIMEOUT);
  }

  /** Returns the largest message body, bytes, inclusive. */
  public int maxMsgSize() {
    return intOf(NsqdOptions.MAX_MSG_SIZE);
  }

  /** Returns the largest command body, bytes, inclusive. */
  public int maxBodySize() {
    return intOf(NsqdOptions.MAX_BODY_SIZE);
  }

  /** Returns the largest heartbeat interval a client can ask for, ms. */
  public long maxHeartbeatIntervalMs() {
    return ms(NsqdOptions.MAX_HEARTBEAT_INTERVAL);
  }

  /** Returns the largest RDY count. */
  public int maxRdyCount() {
    return intOf(NsqdOptions.MAX_RDY_COUNT);
  }

  /** Returns the largest output buffer a client can ask for, bytes. */
  public int maxOutputBufferSize() {
    return intOf(NsqdOptions.MAX_OUTPUT_BUFFER_SIZE);
  }

  /** Returns the largest output_buffer_timeout a client can ask for, ms. */
  public long maxOutputBufferTimeoutMs() {
    return ms(NsqdOptions.MAX_OUTPUT_BUFFER_TIMEOUT);
  }

  /** Returns the smallest output_buffer_timeout a client can ask for, ms. */
  public long minOutputBufferTimeoutMs() {
    return ms(NsqdOptions.MIN_OUTPUT_BUFFER_TIMEOUT);
  }

  /** Returns the output_buffer_timeout reported to clients that ask for none, ms. */
  public long outputBufferTimeoutMs() {
    return ms(NsqdOptions.OUTPUT_BUFFER_TIMEOUT);
  }

  /** Returns how many consumers a channel takes; 0 = no limit. */
  public int maxChannelConsumers() {
    return intOf(NsqdOptions.MAX_CHANNEL_CONSUMERS);
  }

  /** Returns this broker's region, empty = none. */
  public String topologyRegion() {
    return text(NsqdOptions.TOPOLOGY_REGION);
  }

  /** Returns this broker's zone, empty = none. */
  public String topologyZone() {
    return text(NsqdOptions.TOPOLOGY_ZONE);
  }

  /** Returns whether the experiment topology-aware-consumption is enabled. */
  public boolean isTopologyAwareConsumption() {
    return strings(NsqdOptions.ENABLE_EXPERIMENT).contains(TOPOLOGY_AWARE_CONSUMPTION);
  }

  /** Returns the statsd daemon, empty = none. Never a unix socket. */
  public Optional<ListenAddress> statsdAddress() {
    return ListenAddress.parseHostPort(text(NsqdOptions.STATSD_ADDRESS));
  }

  /** Returns the prefix of statsd keys; before listening {@code %s} is not yet replaced. */
  public String statsdPrefix() {
    return text(NsqdOptions.STATSD_PREFIX);
  }

  /** Returns the time between two pushes to statsd, ms; 10 or more, so possibly under a second. */
  public long statsdIntervalMs() {
    return ms(NsqdOptions.STATSD_INTERVAL);
  }

  /** Returns whether memory figures are pushed to statsd. */
  public boolean isStatsdMemStats() {
    return bool(NsqdOptions.STATSD_MEM_STATS);
  }

  /** Returns the largest packet sent to statsd, bytes. */
  public int statsdUdpPacketSize() {
    return intOf(NsqdOptions.STATSD_UDP_PACKET_SIZE);
  }

  /** Returns whether ephemeral topics and channels are left out of statsd. */
  public boolean isStatsdExcludeEphemeral() {
    return bool(NsqdOptions.STATSD_EXCLUDE_EPHEMERAL);
  }

  /** Returns whether ephemeral topics and channels are left out of /metrics. */
  public boolean isMetricsExcludeEphemeral() {
    return bool(HoldfastOptions.METRICS_EXCLUDE_EPHEMERAL);
  }

  /** Returns the quantiles in (0, 1] of publish-to-FIN time to track, largest first. */
  public List<Double> e2eProcessingLatencyPercentiles() {
    return doubles(NsqdOptions.E2E_PERCENTILES);
  }

  /** Returns how far those quantiles look back, ms. */
  public long e2eProcessingLatencyWindowTimeMs() {
    return ms(NsqdOptions.E2E_WINDOW_TIME);
  }

  /** Returns the certificate chain, a PEM file; empty = TLS is off. */
  public Optional<Path> tlsCert() {
    return path(NsqdOptions.TLS_CERT);
  }

  /** Returns the private key, a PEM file; present exactly if {@link #tlsCert()} is. */
  public Optional<Path> tlsKey() {
    return path(NsqdOptions.TLS_KEY);
  }

  /** Returns the authorities trusted in others' certificates, a PEM file; empty = the JDK's. */
  public Optional<Path> tlsRootCaFile() {
    return path(NsqdOptions.TLS_ROOT_CA_FILE);
  }

  /**
   * Returns {@code require}, {@code require-verify}, or anything else: no client certificate is
   * asked for.
   */
  public String tlsClientAuthPolicy() {
    return text(NsqdOptions.TLS_CLIENT_AUTH_POLICY);
  }

  /** Returns who must use TLS; a client auth policy implies everybody unless tcp-https is set. */
  public TlsRequired tlsRequired() {
    return (TlsRequired) effective(NsqdOptions.TLS_REQUIRED);
  }

  /** Returns the oldest TLS version that is spoken. */
  public TlsVersion tlsMinVersion() {
    return (TlsVersion) get(NsqdOptions.TLS_MIN_VERSION);
  }

  /** Returns whether clients may use deflate. */
  public boolean isDeflate() {
    return bool(NsqdOptions.DEFLATE);
  }

  /** Returns the largest deflate level, 1..9. */
  public int maxDeflateLevel() {
    return intOf(NsqdOptions.MAX_DEFLATE_LEVEL);
  }

  /** Returns whether clients may use snappy. */
  public boolean isSnappy() {
    return bool(NsqdOptions.SNAPPY);
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
    return other instanceof Options options && values.sameValues(options.values);
  }

  @Override
  public int hashCode() {
    return Objects.hash(values.get(NsqdOptions.DATA_PATH), values.get(NsqdOptions.TCP_ADDRESS));
  }

  private long number(OptionSpec spec) {
    return (Long) get(spec);
  }

  /** For options whose bounds lie within an int. */
  private int intOf(OptionSpec spec) {
    return Math.toIntExact(number(spec));
  }

  private long ms(OptionSpec spec) {
    return number(spec) / 1_000_000;
  }

  private boolean bool(OptionSpec spec) {
    return (Boolean) get(spec);
  }

  private Optional<Path> path(OptionSpec spec) {
    return text(spec).isEmpty() ? Optional.empty() : Optional.of(Path.of(text(spec)));
  }

  @SuppressWarnings("unchecked") // the option's type makes no other lists
  List<String> strings(OptionSpec spec) {
    return (List<String>) get(spec);
  }

  @SuppressWarnings("unchecked") // the option's type makes no other lists
  private List<Double> doubles(OptionSpec spec) {
    return (List<Double>) get(spec);
  }
}
