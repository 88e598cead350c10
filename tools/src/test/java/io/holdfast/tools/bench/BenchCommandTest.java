package io.holdfast.tools.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
  private FakeBroker broker;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
  }

  @AfterEach
  void close() throws IOException {
    broker.close();
  }

  private ToolRun bench(String command) {
    return ToolRun.start(
        "",
        Stream.concat(Stream.of("bench"), Stream.of((command + " -b " + broker.tcp()).split(" ")))
            .toArray(String[]::new));
  }

  private static JsonNode json(ToolRun run) throws IOException {
    return new ObjectMapper().readTree(run.out());
  }

  @Test
  void shouldPublishExactlyTheCount() throws Exception {
    ToolRun run = bench("pub --count 1003 --batch 100 --pipeline 3 --size 30 -f json");
    assertEquals(0, run.code(), run.err());
    assertEquals(1003, broker.published("bench").size());
    assertEquals(1003, json(run).at("/published/messages").asInt());
    assertTrue(json(run).at("/published/latency_to_ok_us/p50").asDouble() > 0);
    assertEquals("null", json(run).get("consumed").toString());
  }

  @Test
  void shouldSpreadOverTopics() throws Exception {
    ToolRun run = bench("pub --count 40 --batch 1 --topics 4 --conns 1 --size 1");
    assertEquals(0, run.code(), run.err());
    for (int i = 0; i < 4; i++) {
      assertEquals(10, broker.published("bench-" + i).size());
    }
  }

  @Test
  void shouldConsumeAndFinishTheCount() throws Exception {
    for (int i = 0; i < 500; i++) {
      broker.put("bench", "message " + i);
    }
    ToolRun run = bench("sub --count 500 -f json");
    assertEquals(0, run.code(), run.err());
    assertEquals(500, json(run).at("/consumed/messages").asInt());
    assertEquals(500, broker.finished());
  }

  @Test
  void shouldEndWhenNothingComes() throws Exception {
    broker.put("bench", "only one");
    ToolRun run = bench("sub --count 2 --idle 1 -f json");
    assertEquals(0, run.code(), run.err());
    assertEquals(1, json(run).at("/consumed/messages").asInt());
  }

  @Test
  void shouldConsumeWhatItPublishes() throws Exception {
    broker.put("bench", "left over");
    ToolRun run = bench("both --count 300 --batch 10 --window 50 -f json");
    assertEquals(0, run.code(), run.err());
    assertEquals(301, broker.finished());
    assertEquals(301, json(run).at("/consumed/messages").asInt());
    assertEquals(1, json(run).get("foreign").asInt());
    assertEquals(0, json(run).get("lost").asInt());
    assertEquals(300, json(run).at("/consumed/latency_end_to_end_us/count").asInt());
  }

  @Test
  void shouldReachEveryChannel() throws Exception {
    ToolRun run = bench("fanout --channels 3 --count 50 --batch 5");
    assertEquals(0, run.code(), run.err());
    assertEquals(150, broker.finished());
    assertTrue(run.out().contains("3 consuming on 3 channels"), run.out());
  }

  @Test
  void shouldNoticeALoss() throws Exception {
    broker.lose.set(1);
    ToolRun run = bench("both --count 20 --batch 1 --idle 1");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("1 message published but did not arrive"), run.err());
  }

  @Test
  void shouldSayWhenTheBrokerGoesAway() throws Exception {
    broker.breakBeforeStoring.set(1);
    ToolRun run = bench("pub --seconds 20 --warmup 0 --batch 1 --conns 1");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("connection closed by the broker"), run.err());
  }

  @Test
  void shouldOfferTheRateAndWriteHistograms(@TempDir Path dir) throws Exception {
    Path log = dir.resolve("x.hlog");
    ToolRun run = bench("latency --rate 2k --count 400 --warmup 0 -f json --hdr-file " + log);
    assertEquals(0, run.code(), run.err());
    assertEquals(400, json(run).at("/published/messages").asInt());
    double seconds = json(run).at("/published/seconds").asDouble();
    assertTrue(seconds > 0.19, seconds + " s");
    HistogramLogReader reader = new HistogramLogReader(log.toFile());
    Histogram toOk = (Histogram) reader.nextIntervalHistogram();
    Histogram endToEnd = (Histogram) reader.nextIntervalHistogram();
    assertEquals("to-ok", toOk.getTag());
    assertEquals(400, toOk.getTotalCount());
    assertEquals("end-to-end", endToEnd.getTag());
    assertEquals(400, endToEnd.getTotalCount());
  }

  @Test
  void shouldSayWhenTheBrokerGoesAwayInTheOpenLoop() throws Exception {
    broker.breakBeforeStoring.set(1);
    ToolRun run = bench("latency --rate 1k --seconds 20 --warmup 0 --conns 1 --idle 0.1");
    assertEquals(1, run.code());
    assertTrue(run.err().contains(broker.tcp() + ": "), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void shouldWritePercentiles(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("x.hgrm");
    ToolRun run = bench("pub --count 100 --batch 1 --hdr-file " + file);
    assertEquals(0, run.code(), run.err());
    assertTrue(Files.readString(file).contains("#[Mean"), Files.readString(file));
  }

  @Test
  void shouldReportWhatItHasWhenStopped() throws Exception {
    ToolRun run = bench("pub --seconds 60 --warmup 0 --batch 1");
    org.awaitility.Awaitility.await().until(() -> broker.published("bench").size() > 10);
    run.stop.stop();
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().contains("published"), run.out());
  }
}
