package io.holdfast.tools.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The suite on the real broker, as it is shipped; looks at its account, not at its speed. */
class SuiteSystemTest {
  @TempDir private Path work;
  @TempDir private Path out;

  private ToolRun suite(String... more) {
    return ToolRun.start(
        "",
        Stream.concat(
                Stream.of(
                    "bench",
                    "suite",
                    "--rounds",
                    "1",
                    "--seconds",
                    "1",
                    "--warmup",
                    "0",
                    "--quiet-wait",
                    "0",
                    "--retries",
                    "0",
                    "--work",
                    work.toString(),
                    "--out",
                    out.toString()),
                Stream.of(more))
            .toArray(String[]::new));
  }

  private void assertNothingLeft() throws IOException {
    try (Stream<Path> left = Files.list(work)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void shouldMeasureTheBrokerThatItStarts() throws Exception {
    ToolRun run =
        suite("--workloads", "both200,restart", "--restart-count", "20k", "--idle-seconds", "0.5");
    assertEquals(0, run.code(), run.err());
    JsonNode json = new ObjectMapper().readTree(out.resolve("suite.json").toFile());
    assertEquals(2, json.get("runs").size());
    JsonNode both = json.at("/runs/0/readings");
    assertTrue(both.get("sub msg/s").asDouble() > 0, both.toString());
    assertTrue(both.get("broker us/msg").asDouble() > 0, both.toString());
    assertTrue(both.get("RSS peak MB").asDouble() > 20, both.toString());
    JsonNode restart = json.at("/runs/1/readings");
    assertTrue(restart.get("start s").asDouble() > 0, restart.toString());
    assertEquals(20_000, restart.get("messages after kill -9").asLong(), restart.toString());
    assertTrue(Files.readString(out.resolve("suite.md")).contains("| both200 | sub msg/s |"));
    assertTrue(Files.readString(out.resolve("suite.svg")).startsWith("<svg "));
    assertNothingLeft();
  }

  @Test
  void shouldReportABrokerThatDoesNotStart() throws Exception {
    ToolRun run = suite("--workloads", "pub1", "--broker", "bad=sh -c 'echo cannot; exit 3'");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("bad exited with 3: cannot"), run.err());
    assertNothingLeft();
  }

  @Test
  void shouldRefuseWorkloadsThatAreNotThere() throws Exception {
    ToolRun run = suite("--workloads", "pub2");
    assertEquals(2, run.code());
    assertTrue(run.err().contains("no workload 'pub2'"), run.err());
  }
}
