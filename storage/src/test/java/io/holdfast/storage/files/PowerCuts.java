package io.holdfast.storage.files;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.slf4j.LoggerFactory;

/**
 * What tests have in common that recover from the directories power cuts can leave: one seed after
 * the other, until there were enough images. {@code -Dholdfast.powercut.images=n} for n new ones in
 * each mode, {@code -Dholdfast.powercut.seed=s} for the seed to begin with: a failure prints the
 * one that repeats it.
 */
public abstract class PowerCuts {
  private static final Long MORE = Long.getLong("holdfast.powercut.images");
  private static final long IMAGES = MORE != null ? MORE : 100;

  /** Each build takes the same ones, so that it says something of what was changed. */
  private static final long SEED =
      Long.getLong("holdfast.powercut.seed", MORE != null ? System.nanoTime() : 20_261_129);

  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level level = root.getLevel();

  private Path dir;

  /** Prepares a run in an existing directory. */
  protected interface Runs {
    PowerCutLives of(Path home, long seed) throws IOException;
  }

  @BeforeEach
  void makeDirectory() throws IOException {
    // Nothing is really forced: where there is memory for it the files stay there.
    Path memory = Path.of("/dev/shm");
    dir =
        Files.isWritable(memory)
            ? Files.createTempDirectory(memory, "holdfast-powercut")
            : Files.createTempDirectory("holdfast-powercut");
  }

  @AfterEach
  void removeDirectory() throws IOException {
    DurableFiles.deleteTree(dir);
  }

  @BeforeEach
  void silence() {
    // Damage is what this is about: thousands of reports of it help nobody.
    root.setLevel(Boolean.getBoolean("holdfast.powercut.log") ? Level.INFO : Level.OFF);
  }

  @AfterEach
  void speak() {
    root.setLevel(level);
  }

  /** Runs seeds until there were enough images. */
  protected void recover(String mode, Runs runs) throws Exception {
    long startNs = System.nanoTime();
    long images = 0;
    long slowestOpenMs = 0;
    long seed = SEED;
    for (; images < IMAGES; seed++) {
      Path home = Files.createDirectory(dir.resolve("run"));
      try (PowerCutLives run = runs.of(home, seed)) {
        try {
          run.run();
        } catch (Exception | AssertionError e) {
          throw new AssertionError(
              run + "; repeat with -Dholdfast.powercut.seed=" + seed + ": " + e, e);
        }
        images += run.images();
        slowestOpenMs = Math.max(slowestOpenMs, run.slowestOpenMs());
      }
      Files.delete(home);
    }
    System.out.printf(
        "power cuts, %s: %d images, seeds %d to %d, %d s, slowest start %d ms%n",
        mode, images, SEED, seed - 1, (System.nanoTime() - startNs) / 1_000_000_000, slowestOpenMs);
    assertTrue(images >= IMAGES);
  }
}
