package io.holdfast.broker.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The options that nsqd has as well, one accessor each (contract §8). Immutable. */
abstract class NsqdSettings extends OptionReader {
  static final String TOPOLOGY_AWARE_CONSUMPTION = "topology-aware-consumption";

  NsqdSettings(OptionValues values) {
    super(values);
  }

  /** The value with what follows from other options or the machine. */
  final Object effective(OptionSpec spec) {
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
}
