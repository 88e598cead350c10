package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OptionsTest {
  /** Defaults of contract §8, in the shape of /config. */
  static Stream<Arguments> defaults() {
    return Stream.of(
        Arguments.of("log_level", 2),
        Arguments.of("log_prefix", "[nsqd] "),
        Arguments.of("id", (long) NodeId.ofHostName(HostName.ofThisMachine())),
        Arguments.of("tcp_address", "0.0.0.0:4150"),
        Arguments.of("http_address", "0.0.0.0:4151"),
        Arguments.of("https_address", "0.0.0.0:4152"),
        Arguments.of("broadcast_address", HostName.ofThisMachine()),
        Arguments.of("broadcast_tcp_port", 0L),
        Arguments.of("broadcast_http_port", 0L),
        Arguments.of("nsqlookupd_tcp_addresses", List.of()),
        Arguments.of("auth_http_addresses", List.of()),
        Arguments.of("auth_http_request_method", "get"),
        Arguments.of("http_client_connect_timeout", 2_000_000_000L),
        Arguments.of("http_client_request_timeout", 5_000_000_000L),
        Arguments.of("data_path", ""),
        Arguments.of("mem_queue_size", 10_000L),
        Arguments.of("max_bytes_per_file", 67_108_864L),
        Arguments.of("sync_every", 2500L),
        Arguments.of("sync_timeout", 2_000_000_000L),
        Arguments.of("queue_scan_worker_pool_max", 4L),
        Arguments.of("queue_scan_selection_count", 20L),
        Arguments.of("msg_timeout", 60_000_000_000L),
        Arguments.of("max_msg_timeout", 900_000_000_000L),
        Arguments.of("max_req_timeout", 3_600_000_000_000L),
        Arguments.of("max_msg_size", 1_048_576L),
        Arguments.of("max_body_size", 5_242_880L),
        Arguments.of("max_heartbeat_interval", 60_000_000_000L),
        Arguments.of("max_rdy_count", 2500L),
        Arguments.of("max_output_buffer_size", 65_536L),
        Arguments.of("max_output_buffer_timeout", 30_000_000_000L),
        Arguments.of("min_output_buffer_timeout", 25_000_000L),
        Arguments.of("output_buffer_timeout", 250_000_000L),
        Arguments.of("max_channel_consumers", 0L),
        Arguments.of("statsd_address", ""),
        Arguments.of("statsd_prefix", "nsq.%s"),
        Arguments.of("statsd_interval", 60_000_000_000L),
        Arguments.of("statsd_mem_stats", true),
        Arguments.of("statsd_udp_packet_size", 508L),
        Arguments.of("statsd_exclude_ephemeral", false),
        Arguments.of("e2e_processing_latency_percentiles", List.of()),
        Arguments.of("e2e_processing_latency_window_time", 600_000_000_000L),
        Arguments.of("tls_cert", ""),
        Arguments.of("tls_key", ""),
        Arguments.of("tls_root_ca_file", ""),
        Arguments.of("tls_client_auth_policy", ""),
        Arguments.of("tls_required", 0),
        Arguments.of("tls_min_version", 769),
        Arguments.of("deflate", true),
        Arguments.of("snappy", true),
        Arguments.of("max_deflate_level", 6L),
        Arguments.of("topology_region", ""),
        Arguments.of("topology_zone", ""),
        Arguments.of("enable_experiment", List.of()),
        Arguments.of("verbose", false),
        Arguments.of("worker_id", false),
        Arguments.of("durability", "written"),
        Arguments.of("retention", 0L),
        Arguments.of("disk_free_limit", 268_435_456L),
        Arguments.of("max_disk_bytes", 0L),
        Arguments.of("max_disk_bytes_per_topic", 0L),
        Arguments.of("idle_close", 60_000_000_000L),
        Arguments.of("mem_queue_bytes", 16_777_216L),
        Arguments.of("max_deferred", 1_000_000L),
        Arguments.of("max_topics", 10_000L),
        Arguments.of("max_channels", 1_000L),
        Arguments.of("max_connections", 65_536L),
        Arguments.of("max_output_bytes", 4_194_304L),
        Arguments.of("max_input_bytes", 0L),
        Arguments.of("max_total_output_bytes", 0L),
        Arguments.of("metrics_exclude_ephemeral", false),
        Arguments.of("http_users_file", ""),
        Arguments.of("auth_users_file", ""),
        Arguments.of("http_anonymous_role", "admin"),
        Arguments.of("http_allowed_hosts", List.of()),
        Arguments.of("debug_endpoints", false),
        Arguments.of("log_format", "text"),
        Arguments.of("shutdown_timeout", 5_000_000_000L),
        Arguments.of("event_loop_threads", 0L),
        Arguments.of("cluster_nodes", List.of()),
        Arguments.of("cluster_node", ""),
        Arguments.of("cluster_id", ""),
        Arguments.of("cluster_groups", 3L),
        Arguments.of("cluster_tls", true),
        Arguments.of("cluster_tls_cert", ""),
        Arguments.of("cluster_tls_key", ""),
        Arguments.of("cluster_tls_ca", ""));
  }

  @ParameterizedTest
  @MethodSource("defaults")
  void shouldHaveTheContractsDefaults(String key, Object expected) {
    assertEquals(expected, Options.defaults().configValue(key));
  }

  @Test
  void shouldHaveADefaultTestedForEveryOption() {
    Set<String> tested = new HashSet<>();
    defaults().forEach(arguments -> tested.add((String) arguments.get()[0]));
    assertEquals(Set.copyOf(OptionTable.tomlKeys()), tested);
  }

  @Test
  void shouldWriteEveryConfigValueAsJson() throws JsonProcessingException {
    ObjectMapper mapper = new ObjectMapper();
    for (OptionSpec spec : OptionTable.all()) {
      assertNotNull(mapper.writeValueAsString(Options.defaults().configValue(spec.tomlKey())));
    }
    assertNull(Options.defaults().configValue("no_such_key"));
    assertNull(Options.defaults().configValue("config"));
  }

  @Test
  void shouldNameWhatDiffersInTheTablesOrder() {
    Options some =
        Options.builder().set("max-topics", "5").set("lookupd-tcp-address", "a:1").build();
    assertEquals(List.of(), some.differing(some.toBuilder().build()));
    assertEquals(
        List.of("nsqlookupd_tcp_addresses", "max_topics"), Options.defaults().differing(some));
    assertEquals("\"5\"", some.text("max_topics"));
  }

  @Test
  void shouldCopyWithTheOptionsThatChangeAtRunTime() {
    Options before = Options.defaults();
    Options after =
        before.withLogLevel(LogLevel.DEBUG).withLookupdTcpAddresses(List.of("127.0.0.1:4160"));
    assertEquals(1, after.configValue("log_level"));
    assertEquals(List.of("127.0.0.1:4160"), after.configValue("nsqlookupd_tcp_addresses"));
    assertEquals(LogLevel.INFO, before.logLevel());
    assertEquals(List.of(), before.lookupdTcpAddresses());
    assertEquals("set at run time", from(after, "log_level"));
    assertEquals("set at run time", from(after, "nsqlookupd_tcp_addresses"));
    assertEquals("default", from(before, "log_level"));
    Options fresh = Options.builder().set("log-level", "warn").build();
    assertEquals(LogLevel.WARN, after.reloaded(fresh).logLevel());
    assertEquals("flag", from(after.reloaded(fresh), "log_level"));
    assertEquals("default", from(after.reloaded(fresh), "nsqlookupd_tcp_addresses"));
  }

  private static String from(Options options, String key) {
    return options.shown().stream()
        .filter(option -> option.key().equals(key))
        .findFirst()
        .orElseThrow()
        .from();
  }

  @Test
  void shouldBuildFromFlagsWithoutLookingAtFiles() {
    Options options =
        Options.builder().set("msg-timeout", "100ms").set("data-path", "/no/such/dir").build();
    assertEquals(100, options.msgTimeoutMs());
    assertEquals(Path.of("/no/such/dir"), options.dataPath());
    assertEquals(200, options.toBuilder().set("msg-timeout", "200ms").build().msgTimeoutMs());
    assertThrows(IllegalArgumentException.class, () -> Options.builder().set("x", "1"));
    assertThrows(IllegalArgumentException.class, () -> Options.builder().set("node-id", "x"));
    assertThrows(IllegalArgumentException.class, () -> Options.builder().set("node-id", "1024"));
  }

  @Test
  void shouldDescribeEveryOptionWithItsOrigin(@TempDir Path dir) {
    Options options =
        ((Parsed.Run) Loading.file(dir, "\nmsg_timeout = 90000", "--node-id=3")).options();
    List<String> lines = options.describe();
    assertEquals(OptionTable.all().size(), lines.size());
    assertTrue(lines.contains("node-id=3 (flag)"), lines::toString);
    assertTrue(
        lines.contains("msg-timeout=1m30s (" + dir.resolve("nsqd.cfg") + ":2)"), lines::toString);
    assertTrue(lines.contains("mem-queue-size=10000 (default)"), lines::toString);
  }

  @Test
  void shouldExplainOptionsWithoutEffectOnlyIfGiven() {
    assertEquals(List.of(), Options.defaults().ineffective());
    assertEquals(
        List.of(
            "verbose has no effect: use log-level=debug",
            "worker-id has no effect: use node-id",
            "queue-scan-worker-pool-max has no effect: due messages are kept in order of time, no"
                + " pool has to look for them",
            "queue-scan-selection-count has no effect: every channel is looked at, none is sampled",
            "enable-experiment has no effect: there is no experiment \"warp\"",
            "https-address has no effect: HTTPS needs tls-cert and tls-key"),
        Loading.run(
                "--verbose",
                "--worker-id",
                "--queue-scan-worker-pool-max=4",
                "--queue-scan-selection-count=20",
                "--enable-experiment=warp",
                "--enable-experiment=topology-aware-consumption",
                "--https-address=:0")
            .ineffective());
    assertTrue(
        Loading.run("--enable-experiment=topology-aware-consumption").isTopologyAwareConsumption());
  }

  /** Every accessor works on the defaults, i.e. casts and units fit the table. */
  @Test
  void shouldAnswerEveryAccessor() throws ReflectiveOperationException {
    Options options = Options.defaults();
    for (var method : Options.class.getDeclaredMethods()) {
      boolean accessor =
          method.getParameterCount() == 0
              && java.lang.reflect.Modifier.isPublic(method.getModifiers())
              && !java.lang.reflect.Modifier.isStatic(method.getModifiers());
      if (accessor) {
        assertNotNull(method.invoke(options), method.getName());
      }
    }
    assertEquals(60_000, options.msgTimeoutMs());
    assertEquals(25, options.minOutputBufferTimeoutMs());
    assertTrue(options.eventLoopThreads() > 0);
  }
}
