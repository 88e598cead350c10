package io.holdfast.broker.config;

import static io.holdfast.broker.config.OptionGroup.draft;

import java.util.List;

/** nsqd's options: names, types, defaults and bounds of contract §8. */
final class NsqdOptions {
  private static final long MAX_INT = Integer.MAX_VALUE;

  /** A publish command is one journal record, and a record's size has a limit. */
  private static final long MAX_COMMAND_BYTES = 64L << 20;

  private static final OptionGroup GROUP = new OptionGroup(0);

  static {
    GROUP.heading("General");
  }

  static final OptionSpec LOG_LEVEL =
      GROUP.add(
          draft(
              "log-level",
              OptionType.choice(
                  "debug, info, warn, error or fatal",
                  LogLevel::parse,
                  LogLevel::number,
                  LogLevel::text),
              "",
              "least severe level that is logged"),
          LogLevel.INFO);
  static final OptionSpec LOG_PREFIX =
      GROUP.string("log-prefix", "[nsqd] ", "text before every log line");
  static final OptionSpec NODE_ID =
      GROUP.add(
          draft(
                  "node-id",
                  NumberType.count(0, NodeId.LIMIT - 1),
                  "number",
                  "part of every message id; different on every broker")
              .key("id")
              .computed("hash of the host name"),
          (long) NodeId.ofHostName(HostName.ofThisMachine()));

  static {
    GROUP.heading("Addresses");
  }

  static final OptionSpec TCP_ADDRESS =
      GROUP.text(
          "tcp-address",
          "0.0.0.0:4150",
          "host:port with a port of 0 to 65535, or the path of a unix socket",
          text -> ListenAddress.parseHostPortOrPath(text).isPresent(),
          "where TCP clients connect; host:port or the path of a unix socket");
  static final OptionSpec HTTP_ADDRESS =
      GROUP.text(
          "http-address",
          "0.0.0.0:4151",
          "host:port with a port of 0 to 65535, the path of a unix socket, or empty for none",
          text -> text.isEmpty() || ListenAddress.parseHostPortOrPath(text).isPresent(),
          "where HTTP clients connect; host:port or the path of a unix socket; empty = none");
  static final OptionSpec HTTPS_ADDRESS =
      GROUP.text(
          "https-address",
          "0.0.0.0:4152",
          "host:port with a port of 0 to 65535, or empty for none",
          text -> text.isEmpty() || ListenAddress.parseHostPort(text).isPresent(),
          "where HTTPS clients connect, once a certificate is set; empty = none");
  static final OptionSpec BROADCAST_ADDRESS =
      GROUP.add(
          draft(
                  "broadcast-address",
                  OptionType.string(),
                  "",
                  "address that nsqlookupd gives to consumers; empty = the host name")
              .computed("the host name"),
          "");
  static final OptionSpec BROADCAST_TCP_PORT =
      GROUP.count(
          "broadcast-tcp-port", 0, 0, 65535, "port", "TCP port for nsqlookupd; 0 = the real one");
  static final OptionSpec BROADCAST_HTTP_PORT =
      GROUP.count(
          "broadcast-http-port", 0, 0, 65535, "port", "HTTP port for nsqlookupd; 0 = the real one");
  static final OptionSpec LOOKUPD_TCP_ADDRESSES =
      GROUP.add(
          draft(
                  "lookupd-tcp-address",
                  ListType.strings(
                      "host:port of each nsqlookupd, with a port of 0 to 65535",
                      text -> ListenAddress.parseHostPort(text).isPresent()),
                  "list",
                  "nsqlookupd to register at (may be repeated)")
              .key("nsqlookupd_tcp_addresses"),
          List.of());
  static final OptionSpec AUTH_HTTP_ADDRESSES =
      GROUP.add(
          draft(
                  "auth-http-address",
                  ListType.strings(
                      "host:port or a URL of each auth server",
                      text -> !text.isEmpty() && text.chars().allMatch(c -> c > ' ')),
                  "list",
                  "auth server, host:port or full URL (may be repeated); any = AUTH is required")
              .key("auth_http_addresses"),
          List.of());
  static final OptionSpec AUTH_HTTP_REQUEST_METHOD =
      GROUP.text(
          "auth-http-request-method",
          "get",
          "get or post",
          text -> text.equals("get") || text.equals("post"),
          "how auth servers are asked: get or post");
  static final OptionSpec HTTP_CLIENT_CONNECT_TIMEOUT =
      GROUP.defaultedDuration(
          "http-client-connect-timeout", "2s", "1ms", "limit for connecting to auth and lookupd");
  static final OptionSpec HTTP_CLIENT_REQUEST_TIMEOUT =
      GROUP.defaultedDuration(
          "http-client-request-timeout", "5s", "1ms", "limit for a request to auth and lookupd");

  static {
    GROUP.heading("Storage");
  }

  static final OptionSpec DATA_PATH =
      GROUP.add(
          draft(
                  "data-path",
                  OptionType.string(),
                  "",
                  "directory for messages, which must exist; empty = the current one")
              .computed("the current directory"),
          "");
  static final OptionSpec MEM_QUEUE_SIZE =
      GROUP.count(
          "mem-queue-size",
          10_000,
          0,
          MAX_INT,
          "messages",
          "messages a channel keeps in memory; the rest are read from disk");
  static final OptionSpec MAX_BYTES_PER_FILE =
      GROUP.nearestBytes(
          "max-bytes-per-file",
          64L << 20,
          1L << 20,
          1L << 30,
          "size at which a topic starts its next journal file");
  static final OptionSpec SYNC_EVERY =
      GROUP.nearestCount(
          "sync-every",
          2500,
          1,
          Long.MAX_VALUE,
          "messages",
          "fsync after so many messages: what a power cut can cost when durability is written");
  static final OptionSpec SYNC_TIMEOUT =
      GROUP.duration("sync-timeout", "2s", "1ms", "fsync at least this often while there is news");

  static {
    GROUP.heading("Messages and commands");
  }

  static final OptionSpec MSG_TIMEOUT =
      GROUP.duration(
          "msg-timeout", "60s", "1ms", "time a consumer has for a message before it is requeued");
  static final OptionSpec MAX_MSG_TIMEOUT =
      GROUP.duration(
          "max-msg-timeout", "15m", "1ms", "largest time a consumer can ask for or touch");
  static final OptionSpec MAX_REQ_TIMEOUT =
      GROUP.duration("max-req-timeout", "1h", "0s", "largest delay of REQ, DPUB and /pub?defer=");
  static final OptionSpec MAX_MSG_SIZE =
      GROUP.bytes("max-msg-size", 1 << 20, 1, MAX_COMMAND_BYTES, "largest message body");
  static final OptionSpec MAX_BODY_SIZE =
      GROUP.bytes(
          "max-body-size", 5 << 20, 5, MAX_COMMAND_BYTES, "largest body of a command, e.g. MPUB");

  static {
    GROUP.heading("Clients");
  }

  static final OptionSpec MAX_HEARTBEAT_INTERVAL =
      GROUP.duration(
          "max-heartbeat-interval",
          "60s",
          "1ms",
          "largest heartbeat interval a client can ask for");
  static final OptionSpec MAX_RDY_COUNT =
      GROUP.count(
          "max-rdy-count",
          2500,
          1,
          MAX_INT,
          "messages",
          "largest RDY, so the messages in flight at one client");
  static final OptionSpec MAX_OUTPUT_BUFFER_SIZE =
      GROUP.nearestBytes(
          "max-output-buffer-size",
          65_536,
          1,
          MAX_INT,
          "largest output buffer a client can ask for");
  static final OptionSpec MAX_OUTPUT_BUFFER_TIMEOUT =
      GROUP.duration(
          "max-output-buffer-timeout", "30s", "0s", "largest output_buffer_timeout in IDENTIFY");
  static final OptionSpec MIN_OUTPUT_BUFFER_TIMEOUT =
      GROUP.duration(
          "min-output-buffer-timeout", "25ms", "0s", "smallest output_buffer_timeout in IDENTIFY");
  static final OptionSpec OUTPUT_BUFFER_TIMEOUT =
      GROUP.duration(
          "output-buffer-timeout",
          "250ms",
          "0s",
          "output_buffer_timeout of clients that ask for none");
  static final OptionSpec MAX_CHANNEL_CONSUMERS =
      GROUP.count(
          "max-channel-consumers", 0, 0, MAX_INT, "clients", "consumers per channel; 0 = no limit");

  static {
    GROUP.heading("Topology");
  }

  static final OptionSpec TOPOLOGY_REGION =
      GROUP.string("topology-region", "", "this broker's region");
  static final OptionSpec TOPOLOGY_ZONE = GROUP.string("topology-zone", "", "this broker's zone");
  static final OptionSpec ENABLE_EXPERIMENT =
      GROUP.add(
          draft(
              "enable-experiment",
              ListType.strings("text", text -> true),
              "list",
              "experiment to enable: topology-aware-consumption (may be repeated)"),
          List.of());

  static {
    GROUP.heading("Statistics");
  }

  static final OptionSpec STATSD_ADDRESS =
      GROUP.text(
          "statsd-address",
          "",
          "host:port with a port of 0 to 65535, or empty for none",
          text -> text.isEmpty() || ListenAddress.parseHostPort(text).isPresent(),
          "statsd daemon to push to over UDP; empty = none");
  static final OptionSpec STATSD_PREFIX =
      GROUP.string("statsd-prefix", "nsq.%s", "prefix of statsd keys; %s = this broker's address");
  static final OptionSpec STATSD_INTERVAL =
      GROUP.duration("statsd-interval", "60s", "10ms", "time between two pushes to statsd");
  static final OptionSpec STATSD_MEM_STATS =
      GROUP.bool("statsd-mem-stats", true, "push memory and GC figures too");
  static final OptionSpec STATSD_UDP_PACKET_SIZE =
      GROUP.nearestBytes("statsd-udp-packet-size", 508, 1, 65_507, "largest packet sent to statsd");
  static final OptionSpec STATSD_EXCLUDE_EPHEMERAL =
      GROUP.bool("statsd-exclude-ephemeral", false, "leave out ephemeral topics and channels");
  static final OptionSpec E2E_PERCENTILES =
      GROUP.add(
          draft(
                  "e2e-processing-latency-percentile",
                  ListType.quantiles(),
                  "list",
                  "quantiles of publish-to-FIN time to track, e.g. 0.99,0.95 (may be repeated)")
              .key("e2e_processing_latency_percentiles"),
          List.of());
  static final OptionSpec E2E_WINDOW_TIME =
      GROUP.duration(
          "e2e-processing-latency-window-time", "10m", "1ms", "time those quantiles look back");

  static {
    GROUP.heading("TLS");
  }

  static final OptionSpec TLS_CERT = GROUP.string("tls-cert", "", "PEM file, certificate chain");
  static final OptionSpec TLS_KEY = GROUP.string("tls-key", "", "PEM file, private key");
  static final OptionSpec TLS_ROOT_CA_FILE =
      GROUP.string("tls-root-ca-file", "", "PEM file, authorities trusted in others' certificates");
  static final OptionSpec TLS_CLIENT_AUTH_POLICY =
      GROUP.string(
          "tls-client-auth-policy",
          "",
          "client certificates: require (any) or require-verify; turns tls-required on");
  static final OptionSpec TLS_REQUIRED =
      GROUP.add(
          draft(
              "tls-required",
              OptionType.boolChoice(
                  "true, false or tcp-https",
                  TlsRequired::parse,
                  TlsRequired::number,
                  TlsRequired::text),
              "",
              "refuse clients without TLS: true, false, or tcp-https (plain HTTP stays open)"),
          TlsRequired.FALSE);
  static final OptionSpec TLS_MIN_VERSION =
      GROUP.add(
          draft(
              "tls-min-version",
              OptionType.choice(
                  "tls1.0, tls1.1, tls1.2 or tls1.3",
                  TlsVersion::parse,
                  TlsVersion::number,
                  TlsVersion::text),
              "",
              "oldest TLS version that is spoken"),
          TlsVersion.TLS1_0);

  static {
    GROUP.heading("Compression");
  }

  static final OptionSpec DEFLATE = GROUP.bool("deflate", true, "let clients use deflate");
  static final OptionSpec MAX_DEFLATE_LEVEL =
      GROUP.count("max-deflate-level", 6, 1, 9, "level", "largest deflate level; more is slower");
  static final OptionSpec SNAPPY = GROUP.bool("snappy", true, "let clients use snappy");

  static {
    GROUP.heading("Accepted for nsqd's sake, no effect here");
  }

  static final OptionSpec VERBOSE =
      GROUP.add(
          draft("verbose", OptionType.bool(), "", "nsqd's old way to ask for debug logging")
              .withoutEffect("use log-level=debug"),
          false);
  static final OptionSpec WORKER_ID =
      GROUP.add(
          draft("worker-id", OptionType.bool(), "", "nsqd's old name of node-id")
              .withoutEffect("use node-id"),
          false);
  static final OptionSpec QUEUE_SCAN_WORKER_POOL_MAX =
      GROUP.add(
          draft(
                  "queue-scan-worker-pool-max",
                  NumberType.count(0, MAX_INT),
                  "threads",
                  "nsqd's scanner threads")
              .withoutEffect(
                  "due messages are kept in order of time, no pool has to look for them"),
          4L);
  static final OptionSpec QUEUE_SCAN_SELECTION_COUNT =
      GROUP.add(
          draft(
                  "queue-scan-selection-count",
                  NumberType.count(0, MAX_INT),
                  "channels",
                  "channels nsqd's scanner samples at a time")
              .withoutEffect("every channel is looked at, none is sampled"),
          20L);

  static final List<OptionSpec> ALL = GROUP.specs();

  private NsqdOptions() {}
}
