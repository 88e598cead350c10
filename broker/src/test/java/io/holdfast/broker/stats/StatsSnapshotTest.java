package io.holdfast.broker.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.stats.StatsSnapshot.BoundStats;
import io.holdfast.broker.stats.StatsSnapshot.ChannelStats;
import io.holdfast.broker.stats.StatsSnapshot.ClientStats;
import io.holdfast.broker.stats.StatsSnapshot.DeadStats;
import io.holdfast.broker.stats.StatsSnapshot.PubCount;
import io.holdfast.broker.stats.StatsSnapshot.TopicStats;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** JSON and text of contract §5 from the same records. */
class StatsSnapshotTest {
  private static final long START_MS = 1_700_000_000_000L;
  private static final MemoryStats MEMORY = new MemoryStats(1, 2, 3, 4, 5, 6, 7, 8, 9);

  private static ClientStats client(List<PubCount> pubCounts, boolean authed) {
    return new ClientStats(
        "id",
        "host",
        "V2",
        "127.0.0.1:5",
        3,
        10,
        1,
        20,
        18,
        1,
        START_MS / 1000,
        0,
        false,
        true,
        "agent/1",
        authed,
        authed ? "me" : "",
        authed ? "http://me" : "",
        "z",
        "r",
        pubCounts,
        false,
        "",
        "",
        "",
        false,
        65,
        null);
  }

  private static StatsSnapshot snapshot(List<TopicStats> topics, List<ClientStats> producers) {
    return new StatsSnapshot("1.3.0", "OK", START_MS / 1000, topics, null, producers, null);
  }

  private static String json(Object value) throws JsonProcessingException {
    return new ObjectMapper().writeValueAsString(value);
  }

  private static String text(StatsSnapshot snapshot) {
    return StatsSnapshotText.render(snapshot, START_MS, 65_500, ZoneId.of("Europe/Berlin"));
  }

  private static StatsSnapshot full() {
    E2eLatency latency =
        new E2eLatency(
            2,
            List.of(
                new E2eLatency.Percentile(0.99, 1_600_000),
                new E2eLatency.Percentile(1, 2_000_000_001)));
    ChannelStats channel =
        new ChannelStats(
            "c",
            1,
            2,
            3,
            4,
            5,
            0,
            0,
            6,
            7,
            8,
            0,
            0,
            DeadStats.NONE,
            2,
            List.of(client(List.of(), true), client(List.of(new PubCount("t", 2)), false)),
            true,
            E2eLatency.NONE);
    TopicStats topic =
        new TopicStats("t", List.of(channel), 11, 12, 13, 14, BoundStats.NONE, false, latency);
    TopicStats paused =
        new TopicStats("u", List.of(), 0, 0, 0, 0, BoundStats.NONE, true, E2eLatency.NONE);
    return snapshot(List.of(topic, paused), List.of(client(List.of(new PubCount("t", 2)), false)));
  }

  @Test
  void shouldWriteJsonInNsqdsOrder() throws JsonProcessingException {
    String client =
        "{\"client_id\":\"id\",\"hostname\":\"host\",\"version\":\"V2\","
            + "\"remote_address\":\"127.0.0.1:5\",\"state\":3,\"ready_count\":10,"
            + "\"in_flight_count\":1,\"message_count\":20,\"finish_count\":18,\"requeue_count\":1,"
            + "\"connect_ts\":1700000000,\"sample_rate\":0,\"deflate\":false,\"snappy\":true,"
            + "\"user_agent\":\"agent/1\"%s,\"topology_zone\":\"z\",\"topology_region\":\"r\"%s,"
            + "\"tls\":false,\"tls_cipher_suite\":\"\",\"tls_version\":\"\","
            + "\"tls_negotiated_protocol\":\"\",\"tls_negotiated_protocol_is_mutual\":false}";
    String authed = ",\"authed\":true,\"auth_identity\":\"me\",\"auth_identity_url\":\"http://me\"";
    String publisher = client.formatted("", ",\"pub_counts\":[{\"topic\":\"t\",\"count\":2}]");
    assertEquals(
        "{\"version\":\"1.3.0\",\"health\":\"OK\",\"start_time\":1700000000,\"topics\":["
            + "{\"topic_name\":\"t\",\"channels\":["
            + "{\"channel_name\":\"c\",\"depth\":1,\"backend_depth\":2,\"in_flight_count\":3,"
            + "\"deferred_count\":4,\"message_count\":5,\"global_msg_count\":6,"
            + "\"requeue_count\":7,\"timeout_count\":8,\"client_count\":2,\"clients\":["
            + client.formatted(authed, "")
            + ","
            + publisher
            + "],\"paused\":true,\"e2e_processing_latency\":{\"count\":0,\"percentiles\":null}}],"
            + "\"depth\":11,\"backend_depth\":12,\"message_count\":13,\"message_bytes\":14,"
            + "\"paused\":false,\"e2e_processing_latency\":{\"count\":2,\"percentiles\":["
            + "{\"quantile\":0.99,\"value\":1600000},{\"quantile\":1,\"value\":2000000001}]}},"
            + "{\"topic_name\":\"u\",\"channels\":[],\"depth\":0,\"backend_depth\":0,"
            + "\"message_count\":0,\"message_bytes\":0,\"paused\":true,"
            + "\"e2e_processing_latency\":{\"count\":0,\"percentiles\":null}}],"
            + "\"memory\":{\"heap_objects\":1,\"heap_idle_bytes\":2,\"heap_in_use_bytes\":3,"
            + "\"heap_released_bytes\":4,\"gc_pause_usec_100\":5,\"gc_pause_usec_99\":6,"
            + "\"gc_pause_usec_95\":7,\"next_gc_bytes\":8,\"gc_total_runs\":9},\"producers\":["
            + publisher
            + "],\"holdfast_version\":\"dev\"}",
        json(full().withMemory(MEMORY, null)));
  }

  @Test
  void shouldKeepNullsThatMeanSomething() throws JsonProcessingException {
    assertEquals(
        "{\"version\":\"1.3.0\",\"health\":\"OK\",\"start_time\":1700000000,\"topics\":null,"
            + "\"producers\":null,\"holdfast_version\":\"dev\"}",
        json(snapshot(null, null)));
    ChannelStats channel =
        new ChannelStats(
            "c",
            0,
            0,
            0,
            0,
            0,
            1,
            2,
            0,
            0,
            0,
            3,
            4,
            new DeadStats(5, 6, 7, 8),
            1,
            null,
            false,
            E2eLatency.NONE);
    assertEquals(
        "{\"channel_name\":\"c\",\"depth\":0,\"backend_depth\":0,\"in_flight_count\":0,"
            + "\"deferred_count\":0,\"message_count\":0,\"zone_local_msg_count\":1,"
            + "\"region_local_msg_count\":2,\"requeue_count\":0,\"timeout_count\":0,"
            + "\"unreadable_count\":3,\"dropped_count\":4,\"dead_count\":5,"
            + "\"dead_letter_count\":6,\"dead_dropped_count\":7,\"expired_count\":8,"
            + "\"client_count\":1,\"clients\":null,\"paused\":false,"
            + "\"e2e_processing_latency\":{\"count\":0,\"percentiles\":null}}",
        json(channel));
  }

  @Test
  void shouldRenderText() {
    String expected =
        """
        nsqd v1.3.0 (built w/java%d)
        start_time 2023-11-14T23:13:20+01:00
        uptime 1m5.5s

        Health: OK

        Memory:
           heap_objects             \t1
           heap_idle_bytes          \t2
           heap_in_use_bytes        \t3
           heap_released_bytes      \t4
           gc_pause_usec_100        \t5
           gc_pause_usec_99         \t6
           gc_pause_usec_95         \t7
           next_gc_bytes            \t8
           gc_total_runs            \t9

        Topics:
           [t              ] depth: 11    be-depth: 12    msgs: 13       e2e%%: 1.6ms, 2.0s
           *P [c                        ] depth: 1     be-depth: 2     inflt: 3    def: 4    \
        re-q: 7     timeout: 8     msgs: 5        e2e%%:\040
                [V2 host:5 agent/1       ] state: 3 inflt: 1    rdy: 10   fin: 18       \
        re-q: 1        msgs: 20       connected: 1m5s
                [V2 host:5 agent/1       ] msgs: 2        topics: t=2 connected: 1m5s

        *P [u              ] depth: 0     be-depth: 0     msgs: 0        e2e%%:\040

        Producers:
           [V2 host:5 agent/1       ] msgs: 2        topics: t=2 connected: 1m5s
        """
            .formatted(Runtime.version().feature());
    assertEquals(expected, text(full().withMemory(MEMORY, null)));
  }

  @Test
  void shouldRenderNothingAsNone() {
    String expected =
        """
        nsqd v1.3.0 (built w/java%d)
        start_time 2023-11-14T23:13:20+01:00
        uptime 1m5.5s

        Health: OK

        Topics: None

        Producers: None
        """
            .formatted(Runtime.version().feature());
    assertEquals(expected, text(snapshot(null, null)));
    assertEquals(expected, text(snapshot(List.of(), null)));
  }

  @Test
  void shouldShowLatenciesWithOneDecimal() {
    assertEquals("0.0ns", StatsSnapshotText.humanNs(0));
    assertEquals("1000.0ns", StatsSnapshotText.humanNs(1000));
    assertEquals("1.5us", StatsSnapshotText.humanNs(1500));
    assertEquals("1000.0us", StatsSnapshotText.humanNs(1_000_000));
    assertEquals("2.0s", StatsSnapshotText.humanNs(2_000_000_000));
  }

  @Test
  void shouldShowOnePubCountAtMost() {
    Map<String, Long> counts = new TreeMap<>(Map.of("a", 1L, "b", 2L));
    assertEquals(List.of(new PubCount("a", 1)), StatsSnapshot.pubCounts(counts, ""));
    assertEquals(List.of(new PubCount("b", 2)), StatsSnapshot.pubCounts(counts, "b"));
    assertEquals(List.of(), StatsSnapshot.pubCounts(counts, "c"));
  }
}
