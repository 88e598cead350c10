package io.holdfast.tools.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.ToolRun;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The C server that shows what the machine gives ({@code src/yardstick}), built and measured as
 * broker/README.md says. That it compiles, answers and delivers is checked, not how fast.
 */
class YardstickSystemTest {
  @TempDir private Path dir;

  private Path built() throws IOException, InterruptedException {
    Path program = dir.resolve("yardstick");
    Process cc;
    try {
      cc =
          new ProcessBuilder(
                  "cc",
                  "-O2",
                  "-pthread",
                  "-o",
                  program.toString(),
                  Path.of("src", "yardstick", "yardstick.c").toAbsolutePath().toString())
              .redirectErrorStream(true)
              .redirectInput(new File("/dev/null"))
              .start();
    } catch (IOException e) {
      return abort("no C compiler here: " + e.getMessage());
    }
    String said = new String(cc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, cc.waitFor(), said);
    assertEquals("", said);
    return program;
  }

  private JsonNode measured(String mode, String workloads) throws Exception {
    ToolRun run =
        ToolRun.start(
            "",
            "bench",
            "suite",
            "--rounds=1",
            "--seconds=0.5",
            "--warmup=0.2",
            "--quiet-wait=0",
            "--retries=0",
            "--backlog-count=20k",
            "--workloads=" + workloads,
            "--work=" + dir,
            "--out=" + dir,
            "--broker",
            mode
                + "="
                + built()
                + " --mode "
                + mode
                + " --data-path {data} --tcp-address {tcp} --http-address {http}");
    assertEquals(0, run.code(), run.err());
    return new ObjectMapper().readTree(dir.resolve("suite.json").toFile()).get("runs");
  }

  @Test
  void shouldAnswerPublishesInModeNothing() throws Exception {
    JsonNode runs = measured("nothing", "pub1,pub1x50,pub200");
    assertEquals(3, runs.size());
    for (JsonNode run : runs) {
      assertTrue(run.at("/readings/pub msg~1s").asDouble() > 0, run.toString());
    }
  }

  /** The suite fails a run in which a message that was confirmed does not arrive. */
  @Test
  void shouldDeliverAllThatItConfirmedInModeWrite() throws Exception {
    JsonNode runs = measured("write", "pub1,big,backlog");
    assertEquals(3, runs.size());
    assertTrue(runs.at("/0/readings/pub msg~1s").asDouble() > 0, runs.toString());
    assertTrue(runs.at("/1/readings/sub msg~1s").asDouble() > 0, runs.toString());
    assertTrue(runs.at("/2/readings/drain msg~1s").asDouble() > 0, runs.toString());
    assertTrue(runs.at("/2/readings/data dir MB").asDouble() > 4, "20k of 200 bytes are written");
  }
}
