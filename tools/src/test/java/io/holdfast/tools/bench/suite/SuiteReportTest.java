package io.holdfast.tools.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.bench.suite.Reading.Better;
import io.holdfast.tools.bench.suite.SuiteResults.Run;
import io.holdfast.tools.bench.suite.SuiteResults.Spread;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class SuiteReportTest {
  private static final Map<String, String> FACTS =
      Map.of("date", "today", "commit", "abc", "cpu", "<fast> & \"cheap\"", "cores", "2");

  private static Run run(String broker, int round, double rate, double cpu, boolean counted) {
    List<Reading> readings =
        new Readings()
            .headline("pub msg/s", rate, Better.MORE)
            .headline("CPU %", cpu, Better.LESS)
            .note("threads", 20)
            .all();
    return new Run("pub200", broker, round, readings, counted, null);
  }

  private static SuiteResults twoBrokers() {
    SuiteResults results = new SuiteResults(List.of("a", "b"));
    results.add(run("a", 0, 1000, 4, true));
    results.add(run("b", 0, 9, 90, false));
    results.add(run("b", 0, 4000, 8, true));
    results.add(run("a", 1, 3000, 4, true));
    results.add(run("b", 1, 4000, 8, true));
    return results;
  }

  @Test
  void shouldTakeMedians() {
    assertEquals(3, Spread.of(List.of(5.0, 1.0, 3.0)).median());
    assertEquals(2.5, Spread.of(List.of(4.0, 1.0, 2.0, 3.0)).median());
    assertEquals(1, Spread.of(List.of(4.0, 1.0)).least());
    assertEquals(4, Spread.of(List.of(4.0, 1.0)).most());
  }

  @Test
  void shouldPrintMediansRangesAndRatios() {
    String text = MarkdownReport.of(FACTS, twoBrokers(), List.of("pub200, b: busy"));
    assertTrue(text.contains("- commit: abc\n"), text);
    assertTrue(
        text.contains(
            "| pub200 | pub msg/s | 2,000 (1,000 .. 3,000) | 4,000 (4,000 .. 4,000) | 2.00 |\n"
                + "|  | CPU % | 4.00 (4.00 .. 4.00) | 8.00 (8.00 .. 8.00) | 2.00 |\n"),
        text);
    assertTrue(text.contains("- pub200, b: busy\n"), text);
    assertFalse(text.contains("## Failed"), text);
    assertFalse(MarkdownReport.summary(twoBrokers()).contains("threads"));
  }

  @Test
  void shouldNameWhatFailed() {
    SuiteResults results = twoBrokers();
    results.add(new Run("big", "b", 1, List.of(), false, "no disk"));
    assertTrue(
        MarkdownReport.of(FACTS, results, List.of())
            .contains("## Failed\n\n- big, b, round 2: no disk"));
    assertEquals(1, SuiteCommand.exitCode(results));
    assertEquals(0, SuiteCommand.exitCode(twoBrokers()));
  }

  @Test
  void shouldDrawBarsToTheRightWhenBetterAndToTheLeftWhenWorse() throws Exception {
    NodeList bars = rects(SuiteReport.chart(FACTS, twoBrokers()));
    // The background, twice the rate, twice the CPU.
    assertEquals(3, bars.getLength());
    double better = attribute(bars, 1, "x");
    double worse = attribute(bars, 2, "x");
    assertEquals(better, worse + attribute(bars, 2, "width"), 0.2);
    assertEquals(attribute(bars, 1, "width"), attribute(bars, 2, "width"), 0.2);
    assertTrue(attribute(bars, 1, "width") > 50);
  }

  @Test
  void shouldDrawRatesOfASingleBroker() throws Exception {
    SuiteResults results = new SuiteResults(List.of("a"));
    results.add(run("a", 0, 1000, 4, true));
    assertEquals(2, rects(SuiteReport.chart(FACTS, results)).getLength());
  }

  private static NodeList rects(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)))
        .getElementsByTagName("rect");
  }

  private static double attribute(NodeList bars, int index, String name) {
    return Double.parseDouble(((Element) bars.item(index)).getAttribute(name));
  }

  @Test
  void shouldWriteEveryRunAsJson() throws Exception {
    JsonNode json = new ObjectMapper().readTree(SuiteReport.json(FACTS, twoBrokers()));
    assertEquals(5, json.get("runs").size());
    assertEquals(2000, json.at("/medians/0/by_broker/a").asDouble());
    assertEquals(2, json.at("/medians/0/ratio/b").asDouble());
    assertFalse(json.at("/runs/1/counted").asBoolean());
    assertEquals(4000, json.at("/runs/2/readings/pub msg~1s").asDouble());
  }

  @Test
  void shouldFindWhatIsWorseByMoreThanTheTolerance() {
    // Twice the rate is better, twice the CPU is half as good.
    assertEquals(
        List.of("pub200 CPU %: 8.00, was 4.00 (100 %)"), GuardCommand.worse(twoBrokers(), 10));
    assertEquals(List.of(), GuardCommand.worse(twoBrokers(), 50));
  }

  @Test
  void shouldReadTheMachine() {
    assertEquals(
        "AMD EPYC", Environment.cpuModel(List.of("processor : 0", "model name\t: AMD EPYC")));
    assertEquals("23.5 GiB", Environment.memory(List.of("MemTotal:       24683724 kB")));
  }
}
