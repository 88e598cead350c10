package io.holdfast.broker.channel;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.storage.DurableFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * A topic with channels, consumers, restarts and crashes against a model, in random order: nothing
 * is lost, nothing is in two places, and the figures are right after each step. A failure names the
 * seed; {@code -Dholdfast.seed=N} runs it again.
 */
class ChannelSimulationTest {
  private static final int RUNS = 10;
  static final int STEPS = 2500;
  private static Level level;

  @TempDir Path dir;

  private static Logger root() {
    return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }

  @BeforeAll
  static void quiet() {
    level = root().getLevel();
    root().setLevel(Level.WARN);
    // What a crash leaves open complains when it is collected.
    ((Logger) LoggerFactory.getLogger("net.openhft")).setLevel(Level.OFF);
  }

  @AfterAll
  static void restoreLevel() {
    root().setLevel(level);
    ((Logger) LoggerFactory.getLogger("net.openhft")).setLevel(Level.WARN);
  }

  @Test
  void shouldKeepEveryMessageInExactlyOnePlace() throws Exception {
    Long only = Long.getLong("holdfast.seed");
    long first = only != null ? only : System.nanoTime();
    int runs = only != null ? 1 : RUNS;
    for (long seed = first; seed < first + runs; seed++) {
      Path path = Files.createDirectory(dir.resolve("run" + seed));
      Deque<String> history = new ArrayDeque<>();
      try (ChannelSimulation simulation = new ChannelSimulation(path, new Random(seed), history)) {
        for (int i = 0; i < STEPS; i++) {
          simulation.step();
        }
        simulation.drain();
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "seed " + seed + ": " + e + "; the last steps:\n" + String.join("\n", history), e);
      }
      DurableFiles.deleteTree(path);
    }
  }
}
