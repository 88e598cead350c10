package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Members of a group agree with a plain model and with each other, whatever becomes of them: {@code
 * -Dholdfast.group.seeds=n} for more seeds, {@code -Dholdfast.group.seed=s} for the first one.
 */
class GroupStateSimulationTest {
  private static final int SEEDS = Integer.getInteger("holdfast.group.seeds", 3);
  private static final long FIRST = Long.getLong("holdfast.group.seed", 20_261_129);
  private static final int STEPS = 150;

  /** What has to happen, or it is no test. */
  private static final List<String> EVENTS =
      List.of("killed", "loses", "finishes", "installs", "files removed", "copies alone");

  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level level = root.getLevel();
  private Path dir;

  @BeforeEach
  void prepare() throws IOException {
    Path memory = Path.of("/dev/shm");
    dir =
        Files.isWritable(memory)
            ? Files.createTempDirectory(memory, "holdfast-group")
            : Files.createTempDirectory("holdfast-group");
    root.setLevel(Level.WARN);
  }

  @AfterEach
  void cleanUp() throws IOException {
    root.setLevel(level);
    DurableFiles.deleteTree(dir);
  }

  @Test
  void membersAgreeWithTheModel() throws Exception {
    Map<String, Integer> counts = new TreeMap<>();
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      Path home = Files.createDirectory(dir.resolve("run"));
      try (GroupSimulation simulation = new GroupSimulation(home, seed, counts)) {
        try {
          simulation.run(STEPS);
        } catch (Exception | AssertionError e) {
          throw new AssertionError(
              "repeat with -Dholdfast.group.seed=" + seed + ": " + e + "\n" + simulation, e);
        }
      }
      DurableFiles.deleteTree(home);
    }
    System.out.println("group state, " + SEEDS + " seeds from " + FIRST + ": " + counts);
    for (String event : EVENTS) {
      assertTrue(counts.getOrDefault(event, 0) > 0, event);
    }
  }
}
