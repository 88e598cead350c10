package io.holdfast.broker.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.meters.E2eLatency;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatsdReportTest {
  private static final E2eLatency NO_LATENCY = new E2eLatency(0, null);

  private static StatsdOptions options(int packetSize, boolean mem, boolean excludeEphemeral) {
    return new StatsdOptions("127.0.0.1:8125", "nsq.", 1000, mem, packetSize, excludeEphemeral);
  }

  private static StatsSnapshot.TopicStats topic(
      String name, long count, E2eLatency latency, StatsSnapshot.ChannelStats... channels) {
    return new StatsSnapshot.TopicStats(
        name,
        List.of(channels),
        3,
        2,
        count,
        10 * count,
        StatsSnapshot.BoundStats.NONE,
        false,
        latency);
  }

  private static StatsSnapshot.ChannelStats channel(String name, long count, E2eLatency latency) {
    return new StatsSnapshot.ChannelStats(
        name,
        4,
        3,
        2,
        1,
        count,
        0,
        0,
        0,
        count + 1,
        count + 2,
        0,
        0,
        StatsSnapshot.DeadStats.NONE,
        9,
        null,
        false,
        latency);
  }

  private static StatsSnapshot sample(MemoryStats memory, StatsSnapshot.TopicStats... topics) {
    return new StatsSnapshot("", "OK", 0, List.of(topics), memory, null, null);
  }

  private static List<String> lines(StatsdReport report, StatsSnapshot sample) {
    List<String> lines = new ArrayList<>();
    for (byte[] packet : report.packets(sample)) {
      String text = new String(packet, StandardCharsets.UTF_8);
      assertTrue(text.endsWith("\n"));
      text.lines().forEach(lines::add);
    }
    return lines;
  }

  @Test
  void shouldReportEveryKeyOfTheContract() {
    E2eLatency latency =
        new E2eLatency(
            5,
            List.of(new E2eLatency.Percentile(0.95, 1000), new E2eLatency.Percentile(0.985, 2000)));
    StatsSnapshot sample =
        sample(
            new MemoryStats(1, 2, 3, 4, 5, 6, 7, 8, 9),
            topic("t#ephemeral", 7, latency, channel("c", 100, latency)));
    assertEquals(
        List.of(
            "nsq.topic.t#ephemeral.message_count:7|c",
            "nsq.topic.t#ephemeral.message_bytes:70|c",
            "nsq.topic.t#ephemeral.depth:3|g",
            "nsq.topic.t#ephemeral.backend_depth:2|g",
            "nsq.topic.t#ephemeral.e2e_processing_latency_95:1000|g",
            "nsq.topic.t#ephemeral.e2e_processing_latency_98:2000|g",
            "nsq.topic.t#ephemeral.channel.c.message_count:100|c",
            "nsq.topic.t#ephemeral.channel.c.depth:4|g",
            "nsq.topic.t#ephemeral.channel.c.backend_depth:3|g",
            "nsq.topic.t#ephemeral.channel.c.in_flight_count:2|g",
            "nsq.topic.t#ephemeral.channel.c.deferred_count:1|g",
            "nsq.topic.t#ephemeral.channel.c.requeue_count:101|c",
            "nsq.topic.t#ephemeral.channel.c.timeout_count:102|c",
            "nsq.topic.t#ephemeral.channel.c.clients:9|g",
            "nsq.topic.t#ephemeral.channel.c.e2e_processing_latency_95:1000|g",
            "nsq.topic.t#ephemeral.channel.c.e2e_processing_latency_98:2000|g",
            "nsq.mem.heap_objects:1|g",
            "nsq.mem.heap_idle_bytes:2|g",
            "nsq.mem.heap_in_use_bytes:3|g",
            "nsq.mem.heap_released_bytes:4|g",
            "nsq.mem.gc_pause_usec_100:5|g",
            "nsq.mem.gc_pause_usec_99:6|g",
            "nsq.mem.gc_pause_usec_95:7|g",
            "nsq.mem.next_gc_bytes:8|g",
            "nsq.mem.gc_runs:9|c"),
        lines(new StatsdReport(options(508, true, false)), sample));
  }

  @Test
  void shouldReportDifferencesThatAreNeverNegative() {
    StatsdReport report = new StatsdReport(options(508, false, false));
    for (long[] step : new long[][] {{7, 7}, {10, 3}, {10, 0}, {4, 4}}) {
      List<String> lines = lines(report, sample(null, topic("t", step[0], NO_LATENCY)));
      assertEquals("nsq.topic.t.message_count:" + step[1] + "|c", lines.get(0));
    }
    lines(report, sample(null));
    assertEquals(
        "nsq.topic.t.message_count:9|c",
        lines(report, sample(null, topic("t", 9, NO_LATENCY))).get(0),
        "gone in between: starts anew");
  }

  @Test
  void shouldLeaveOutEphemeralsAndMemoryWhenTold() {
    StatsSnapshot sample =
        sample(
            new MemoryStats(1, 2, 3, 4, 5, 6, 7, 8, 9),
            topic("e#ephemeral", 1, NO_LATENCY, channel("c", 1, NO_LATENCY)),
            topic(
                "t",
                1,
                NO_LATENCY,
                channel("d", 1, NO_LATENCY),
                channel("f#ephemeral", 1, NO_LATENCY)));
    List<String> lines = lines(new StatsdReport(options(508, false, true)), sample);
    assertEquals(12, lines.size());
    assertTrue(lines.stream().noneMatch(line -> line.contains("ephemeral")));
  }

  @Test
  void shouldSplitPacketsOnlyBetweenLines() {
    List<StatsSnapshot.TopicStats> topics = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      topics.add(topic("topic" + i, i, NO_LATENCY, channel("c", i, NO_LATENCY)));
    }
    StatsSnapshot sample = sample(null, topics.toArray(StatsSnapshot.TopicStats[]::new));
    for (int size : new int[] {1, 100, 508, 1400}) {
      List<byte[]> packets = new StatsdReport(options(size, false, false)).packets(sample);
      for (byte[] packet : packets) {
        String text = new String(packet, StandardCharsets.UTF_8);
        assertTrue(packet.length <= size || text.lines().count() == 1);
        assertTrue(text.startsWith("nsq.") && text.endsWith("\n"));
      }
      assertEquals(600, lines(new StatsdReport(options(size, false, false)), sample).size());
    }
  }

  @Test
  void shouldExpandThePrefix() {
    assertEquals("nsq.a_b_c_4151.", StatsdOptions.expandPrefix("nsq.%s", "a.b.c", 4151));
    assertEquals("x.", StatsdOptions.expandPrefix("x.", "a", 1));
    assertEquals("a_1.a_1.", StatsdOptions.expandPrefix("%s.%s", "a", 1));
    assertEquals("", StatsdOptions.expandPrefix("", "a", 1));
  }
}
