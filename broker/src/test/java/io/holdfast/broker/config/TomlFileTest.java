package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class TomlFileTest {
  @TempDir Path dir;

  private Options load(String toml, String... flags) {
    Parsed parsed = Loading.file(dir, toml, flags);
    return assertInstanceOf(Parsed.Run.class, parsed, parsed::toString).options();
  }

  private Parsed.Fail fail(String toml) {
    Parsed parsed = Loading.file(dir, toml);
    return assertInstanceOf(Parsed.Fail.class, parsed, parsed::toString);
  }

  @Test
  void shouldLetFlagBeatFileBeatDefault() {
    Options options = load("mem_queue_size = 5\nmsg_timeout = \"5s\"", "--mem-queue-size=7");
    assertEquals(7, options.memQueueSize());
    assertEquals(5000, options.msgTimeoutMs());
    assertEquals(2500, options.maxRdyCount());
  }

  @Test
  void shouldReplaceListsRatherThanMerge() {
    String toml = "nsqlookupd_tcp_addresses = [\"a:1\", \"b:2\"]";
    assertEquals(List.of("a:1", "b:2"), load(toml).lookupdTcpAddresses());
    assertEquals(
        List.of("c:3", "d:4"),
        load(toml, "--lookupd-tcp-address=c:3", "--lookupd-tcp-address=d:4").lookupdTcpAddresses());
  }

  static Stream<Arguments> spellings() {
    return Stream.of(
        Arguments.of("msg_timeout = 5000", "msg_timeout", 5_000_000_000L),
        Arguments.of("msg_timeout = \"1m30s\"", "msg_timeout", 90_000_000_000L),
        Arguments.of("mem_queue_size = \"12\"", "mem_queue_size", 12L),
        Arguments.of("mem_queue_size = \"010\"", "mem_queue_size", 10L),
        Arguments.of("max_msg_size = \"64KiB\"", "max_msg_size", 65536L),
        Arguments.of("id = 7", "id", 7L),
        Arguments.of(
            "max_disk_bytes = 9223372036854775807", "max_disk_bytes", 9223372036854775807L),
        Arguments.of(
            "max_disk_bytes = 1_000_000_000_000_000_001", "max_disk_bytes", 1000000000000000001L),
        Arguments.of("snappy = false", "snappy", false),
        Arguments.of("snappy = \"F\"", "snappy", false),
        Arguments.of("snappy = 0", "snappy", true),
        Arguments.of("snappy = 1", "snappy", false),
        Arguments.of(
            "nsqlookupd_tcp_addresses = \"a:1,b:2\"",
            "nsqlookupd_tcp_addresses",
            List.of("a:1", "b:2")),
        Arguments.of("nsqlookupd_tcp_addresses = \"\"", "nsqlookupd_tcp_addresses", List.of()),
        Arguments.of(
            "e2e_processing_latency_percentiles = \"0.95, 1.0\"",
            "e2e_processing_latency_percentiles",
            List.of(1.0, 0.95)),
        Arguments.of(
            "e2e_processing_latency_percentiles = [0.5, 1]",
            "e2e_processing_latency_percentiles",
            List.of(1.0, 0.5)),
        Arguments.of("log_level = \"WARN\"", "log_level", 3),
        Arguments.of("tls_min_version = \"\"", "tls_min_version", 769),
        Arguments.of("tls_min_version = \"TLS1.3\"", "tls_min_version", 772),
        Arguments.of("tls_required = 0", "tls_required", 0),
        Arguments.of("tls_required = false", "tls_required", 0),
        Arguments.of("durability = \"synced\"", "durability", "synced"),
        Arguments.of("\ufeff\"id\" = 9", "id", 9L));
  }

  @ParameterizedTest
  @MethodSource("spellings")
  void shouldReadValuesAsNsqdDoes(String toml, String key, Object expected) {
    assertEquals(expected, load(toml).configValue(key));
  }

  static Stream<Arguments> badFiles() {
    return Stream.of(
        Arguments.of(
            "\nfoo = 1", ":2: unknown key \"foo\": conf/holdfast.toml lists the accepted ones"),
        Arguments.of("sync_evry = 1", ":1: unknown key \"sync_evry\": did you mean sync_every?"),
        Arguments.of(
            "lookupd_tcp_address = []",
            ":1: unknown key \"lookupd_tcp_address\": did you mean nsqlookupd_tcp_addresses?"),
        Arguments.of("config = \"x\"", ":1: unknown key \"config\""),
        Arguments.of("\n\n[nsqd]\nid = 1", ":3: unknown key \"nsqd\""),
        Arguments.of("tls.cert = \"x\"", ":1: unknown key \"tls\""),
        Arguments.of("id = 1\nid = 2", ":2: not valid TOML"),
        Arguments.of("id = 1\n\nlog_level = info", ":3: not valid TOML"),
        Arguments.of("id = ", ":1: not valid TOML"),
        Arguments.of(
            "id = 1024", ":1: bad value \"1024\" for id: accepted is a whole number, 0 to 1023"),
        Arguments.of(
            "id = 1.5", ":1: bad value \"1.5\" for id: accepted is a whole number, 0 to 1023"),
        Arguments.of("id = [1]", ":1: bad value \"[1]\" for id"),
        Arguments.of("id = 99999999999999999999", "id"),
        Arguments.of(
            "msg_timeout = \"60\"", ":1: bad value \"60\" for msg_timeout: accepted is a duration"),
        Arguments.of(
            "msg_timeout = -1", ":1: bad value \"-1\" for msg_timeout: accepted is a duration"),
        Arguments.of(
            "msg_timeout = 9223372036854775807", ":1: bad value \"9223372036854775807\" for"),
        Arguments.of(
            "log_level = \"loud\"",
            ":1: bad value \"loud\" for log_level: accepted is debug, info"),
        Arguments.of("log_prefix = 5", ":1: bad value \"5\" for log_prefix: accepted is text"),
        Arguments.of(
            "snappy = \"yes\"", ":1: bad value \"yes\" for snappy: accepted is true or false"),
        Arguments.of(
            "tls_min_version = \"ssl3.0\"", ":1: bad value \"ssl3.0\" for tls_min_version"),
        Arguments.of("nsqlookupd_tcp_addresses = [\"a\"]", ":1: bad value \"[\\\"a\\\"]\""),
        Arguments.of("nsqlookupd_tcp_addresses = [1]", ":1: bad value"),
        Arguments.of("id = 1979-05-27", ":1: bad value \"1979-05-27\" for id"),
        Arguments.of("e2e_processing_latency_percentiles = [1.1]", ":1: bad value \"[1.1]\""));
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void shouldNameFileLineValueAndWhatIsAccepted(String toml, String message) {
    Parsed.Fail fail = fail(toml);
    assertEquals(1, fail.exitCode());
    assertTrue(fail.message().startsWith("holdfast: " + dir.resolve("nsqd.cfg")), fail.message());
    assertTrue(fail.message().contains(message), fail.message());
    assertFalse(fail.message().contains("\n"), fail.message());
    assertFalse(fail.message().contains("Exception"), fail.message());
  }

  @Test
  void shouldCheckTheFileAlsoWhereAFlagBeatsIt() {
    Parsed parsed = Loading.file(dir, "mem_queue_size = \"x\"", "--mem-queue-size=1");
    assertEquals(1, assertInstanceOf(Parsed.Fail.class, parsed).exitCode());
  }

  @Test
  void shouldAcceptAnEmptyFile() {
    assertEquals(Options.defaults(), load(""));
    assertEquals(Options.defaults(), load("# nothing\n"));
  }

  @Test
  void shouldRefuseFilesThatAreNone() throws IOException {
    Path missing = dir.resolve("missing.toml");
    assertEquals(
        new Parsed.Fail("holdfast: config file \"" + missing + "\" does not exist", 1),
        OptionsLoader.parse("--config", missing.toString()));
    assertEquals(
        new Parsed.Fail(
            "holdfast: config file \"" + dir + "\" is a directory: accepted is a TOML file", 1),
        OptionsLoader.parse("--config", dir.toString()));
    Path binary = Files.write(dir.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
    assertEquals(
        new Parsed.Fail("holdfast: config file \"" + binary + "\" is not UTF-8 text", 1),
        OptionsLoader.parse("--config", binary.toString()));
    Path huge = Files.write(dir.resolve("huge"), new byte[(1 << 20) + 1]);
    assertTrue(Loading.fail("--config", huge.toString()).message().contains("is too big"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "a = 1;mem_queue_size = 1;;mem_queue_size = 2; | 4: not valid TOML: mem_queue_size | 2",
        "sync_every=1;'sync_every'=1 | 2: not valid TOML: sync_every | 1",
        "tls_cert = '';snappy = true;  \"tls_cert\" = 'x';b = 1 | 3: not valid TOML: tls_cert | 1"
      })
  void shouldNameTheKeyThatIsGivenTwice(String toml, String lineAndKey, int first) {
    Parsed.Fail fail =
        assertInstanceOf(Parsed.Fail.class, Loading.file(dir, toml.replace(';', '\n')));
    assertEquals(
        "holdfast: "
            + dir.resolve("nsqd.cfg")
            + ":"
            + lineAndKey
            + " is given twice, first in line "
            + first,
        fail.message());
  }

  /**
   * The keys and shapes of the example file that nsq ships, nsqd.cfg.example, with other values.
   */
  @Test
  void shouldLoadAnNsqdConfigFileAsItIs() {
    String toml =
        """
        log_level = "info"
        tcp_address = "127.0.0.1:4150"
        http_address = "127.0.0.1:4151"
        nsqlookupd_tcp_addresses = [
            "127.0.0.1:4160"
        ]
        http_client_connect_timeout = "2s"
        http_client_request_timeout = "5s"
        mem_queue_size = 10000
        max_bytes_per_file = 104857600
        sync_every = 2500
        sync_timeout = "2s"
        msg_timeout = "60s"
        max_msg_timeout = "15m"
        max_msg_size = 1024768
        max_req_timeout = "1h"
        max_body_size = 5123840
        max_heartbeat_interval = "60s"
        max_rdy_count = 2500
        max_output_buffer_size = 65536
        max_output_buffer_timeout = "1s"
        statsd_prefix = "nsq.%s"
        statsd_interval = "60s"
        statsd_mem_stats = true
        e2e_processing_latency_percentiles = [
            1.0,
            0.99,
            0.95
        ]
        e2e_processing_latency_window_time = "10m"
        tls_cert = ""
        tls_key = ""
        tls_required = false
        tls_min_version = ""
        deflate = true
        max_deflate_level = 6
        snappy = true
        """;
    Options options = load(toml);
    assertEquals(List.of("127.0.0.1:4160"), options.lookupdTcpAddresses());
    assertEquals(List.of(1.0, 0.99, 0.95), options.e2eProcessingLatencyPercentiles());
    assertEquals(104_857_600L, options.maxBytesPerFile());
    assertEquals(List.of(), options.ineffective());
  }
}
