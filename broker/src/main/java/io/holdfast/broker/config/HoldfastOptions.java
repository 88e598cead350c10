package io.holdfast.broker.config;

import static io.holdfast.broker.config.OptionGroup.draft;

import java.util.List;

/** The options nsqd does not have: durability, and a limit for everything that can grow. */
final class HoldfastOptions {
  private static final long MAX_INT = Integer.MAX_VALUE;

  private static final OptionGroup GROUP = new OptionGroup(NsqdOptions.ALL.size());

  static {
    GROUP.heading("Durability and disk (Holdfast's own)");
  }

  static final OptionSpec DURABILITY =
      GROUP.add(
          draft(
              "durability",
              OptionType.choice(
                  "written or synced", Durability::parse, Durability::text, Durability::text),
              "",
              "what OK promises: written (survives kill -9) or synced (survives a power cut)"),
          Durability.WRITTEN);
  static final OptionSpec RETENTION =
      GROUP.duration(
          "retention", "0s", "0s", "keep finished messages on disk at least so long; 0s = drop");
  static final OptionSpec DISK_FREE_LIMIT =
      GROUP.bytes(
          "disk-free-limit",
          256L << 20,
          0,
          Long.MAX_VALUE,
          "refuse to publish while the disk has less free than this; 0 = never");
  static final OptionSpec MAX_DISK_BYTES =
      GROUP.bytes(
          "max-disk-bytes",
          0,
          0,
          Long.MAX_VALUE,
          "refuse to publish while the broker uses more disk than this; 0 = no limit");
  static final OptionSpec MAX_DISK_BYTES_PER_TOPIC =
      GROUP.bytes(
          "max-disk-bytes-per-topic",
          0,
          0,
          Long.MAX_VALUE,
          "refuse to publish to a topic that uses more disk than this; 0 = no limit");
  static final OptionSpec IDLE_CLOSE =
      GROUP.duration("idle-close", "60s", "1s", "close a topic's files after so long without use");

  static {
    GROUP.heading("Limits (Holdfast's own)");
  }

  static final OptionSpec MEM_QUEUE_BYTES =
      GROUP.bytes(
          "mem-queue-bytes",
          16L << 20,
          0,
          Long.MAX_VALUE,
          "bytes of bodies a channel keeps in memory, beside mem-queue-size");
  static final OptionSpec MAX_DEFERRED =
      GROUP.count(
          "max-deferred",
          1_000_000,
          1,
          MAX_INT,
          "messages",
          "deferred and requeued messages a channel keeps track of");
  static final OptionSpec MAX_TOPICS =
      GROUP.count("max-topics", 10_000, 1, MAX_INT, "topics", "topics that can exist");
  static final OptionSpec MAX_CHANNELS =
      GROUP.count("max-channels", 1_000, 1, MAX_INT, "channels", "channels a topic can have");
  static final OptionSpec MAX_CONNECTIONS =
      GROUP.count(
          "max-connections",
          65_536,
          0,
          MAX_INT,
          "connections",
          "open TCP connections of clients; 0 = as many as memory and descriptors allow");
  static final OptionSpec MAX_OUTPUT_BYTES =
      GROUP.bytes(
          "max-output-bytes",
          4L << 20,
          64L << 10,
          MAX_INT,
          "output waiting for one slow client before nothing more is sent to it");
  static final OptionSpec MAX_INPUT_BYTES =
      GROUP.bytes(
          "max-input-bytes",
          0,
          0,
          Long.MAX_VALUE,
          "bodies being received by all connections; 0 = a quarter of the JVM's direct memory");
  static final OptionSpec MAX_TOTAL_OUTPUT_BYTES =
      GROUP.bytes(
          "max-total-output-bytes",
          0,
          0,
          Long.MAX_VALUE,
          "output waiting for all slow clients; 0 = a quarter of the JVM's direct memory");

  static {
    GROUP.heading("Metrics (Holdfast's own)");
  }

  static final OptionSpec METRICS_EXCLUDE_EPHEMERAL =
      GROUP.bool(
          "metrics-exclude-ephemeral",
          false,
          "leave ephemeral topics and channels out of /metrics");

  static {
    GROUP.heading("Access (Holdfast's own)");
  }

  static final OptionSpec AUTH_USERS_FILE =
      GROUP.string(
          "auth-users-file", "", "users of AUTH over TCP, a line each: name:HASH:AUTHORIZATIONS");
  static final OptionSpec HTTP_USERS_FILE =
      GROUP.string("http-users-file", "", "users of the HTTP API, a line each: name:HASH:role");
  static final OptionSpec HTTP_ANONYMOUS_ROLE =
      GROUP.add(
          draft(
              "http-anonymous-role",
              OptionType.choice(
                  "admin, read, publish or none",
                  AnonymousRole::parse,
                  AnonymousRole::text,
                  AnonymousRole::text),
              "",
              "what who gives no name may do over HTTP: admin, read, publish or none"),
          AnonymousRole.ADMIN);
  static final OptionSpec HTTP_ALLOWED_HOSTS =
      GROUP.add(
          draft(
              "http-allowed-hosts",
              ListType.strings(
                  "host names without a port, *.name for all below one, * for any",
                  text -> text.matches("\\*|(\\*\\.)?[A-Za-z0-9_-][A-Za-z0-9._-]*")),
              "list",
              "names in Host beside addresses, localhost, the host's and the broadcast name"),
          List.of());
  static final OptionSpec DEBUG_ENDPOINTS =
      GROUP.bool("debug-endpoints", false, "answer /debug to others than this machine");

  static {
    GROUP.heading("Log and stop (Holdfast's own)");
  }

  static final OptionSpec LOG_FORMAT =
      GROUP.add(
          draft(
              "log-format",
              OptionType.choice("text or json", LogFormat::parse, LogFormat::text, LogFormat::text),
              "",
              "log lines: text, as nsqd's, or json, one object a line"),
          LogFormat.TEXT);
  static final OptionSpec SHUTDOWN_TIMEOUT =
      GROUP.duration(
          "shutdown-timeout",
          "5s",
          "0s",
          "when stopping, wait at most so long for messages in flight; 0s = not at all");

  static {
    GROUP.heading("Threads (Holdfast's own)");
  }

  static final OptionSpec EVENT_LOOP_THREADS =
      GROUP.count(
          "event-loop-threads",
          0,
          0,
          1024,
          "threads",
          "threads that serve connections; 0 = one per processor");

  static final List<OptionSpec> ALL = GROUP.specs();

  private HoldfastOptions() {}
}
