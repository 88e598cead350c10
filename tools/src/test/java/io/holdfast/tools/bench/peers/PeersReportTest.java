package io.holdfast.tools.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.bench.suite.CommandTemplate;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;

class PeersReportTest {
  private static final Map<String, String> FACTS = Map.of("cpu", "<fast> & \"cheap\"");

  private static Peer peer(String name, Promise promise) {
    return new Peer(name, promise, "none", "kept", "plain", 1, null, null);
  }

  private static final Peer OWN = peer("Holdfast `written`", Promise.WRITTEN);
  private static final Peer OTHER = peer("Other", Promise.WRITTEN);

  private static void add(
      PeersResults results, Peer peer, double rate, double p99, boolean disturbed) {
    results.add(
        new PeersResults.Run(
            peer,
            Scenario.PUBLISH,
            0,
            Map.of(Metric.PUBLISH, rate, Metric.P99, p99),
            0,
            disturbed,
            null));
  }

  private static PeersResults results() {
    PeersResults results = new PeersResults(List.of(OWN, OTHER));
    add(results, OWN, 2_000_000, 0.5, false);
    add(results, OWN, 9_000_000, 9, true);
    add(results, OTHER, 100_000, 0.25, true);
    results.version(OTHER, "1.2");
    return results;
  }

  @Test
  void shouldSayWhoIsAheadAtWhat() {
    String text = PeersReport.markdown(FACTS, results(), List.of("x: not here"), 3, 2);
    assertTrue(
        text.contains(
            "| written | **Holdfast `written`** | 2.00M | - | - | - | - | - | - | 0.50 |"),
        text);
    assertTrue(text.contains("|  | Other | 100k\\* |"), text);
    assertTrue(
        text.contains(
            "- **`written`** is behind at 5k/s, p99 (Other 0.25 against 0.50).\n"
                + "  Ahead of the next best at publish (Other 100k against 2.00M) 20.0x.\n"),
        text);
    assertTrue(text.contains("| Other | 1.2 | none | kept | plain |"), text);
    assertTrue(text.contains("Left out: x: not here."), text);
  }

  @Test
  void shouldDrawWellFormedPlots() throws Exception {
    String svg = PeersChart.of(FACTS, results());
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertTrue(svg.contains("100k *"), svg);
  }

  @Test
  void shouldShowThreeDigits() {
    assertEquals("0.07", Metric.shown(Metric.Unit.TIME, 0.07));
    assertEquals("12.3", Metric.shown(Metric.Unit.CPU, 12.34));
    assertEquals("999", Metric.shown(Metric.Unit.RATE, 999));
    assertEquals("56.1k", Metric.shown(Metric.Unit.RATE, 56_100));
    assertEquals("1.00M", Metric.shown(Metric.Unit.RATE, 999_600));
  }

  @Test
  void shouldAlwaysHaveHoldfastAndSayWhatIsMissing() {
    Peers peers = new Peers(CommandTemplate.parse("holdfast {data}"), null);
    assertEquals(3, peers.found().stream().filter(Peer::own).count());
    assertEquals(
        11,
        peers.found().size()
            + missing(peers, "nsqd", 2)
            + missing(peers, "Redis", 2)
            + missing(peers, "JetStream", 2)
            + missing(peers, "RabbitMQ", 2));
  }

  private static int missing(Peers peers, String name, int settings) {
    return peers.missing().stream().anyMatch(line -> line.startsWith(name)) ? settings : 0;
  }
}
