package io.holdfast.broker.queue;

import io.holdfast.broker.system.support.MemoryDir;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Topics with channels, consumers, administrators, restarts and crashes against a model, in random
 * order: nothing is lost, nothing is in two places, and the figures are right after each step.
 *
 * <p>A failure names the seed and shows what led to it. {@code -Dholdfast.seed=N} runs that seed
 * again, {@code -Dholdfast.steps=N} takes so many steps of seeds never tried before instead of
 * {@value #STEPS} of the same ones, and {@code -Dholdfast.threads=N} uses so many threads; see
 * broker/README.md.
 */
class TopicSimulationTest {
  private static final long STEPS = 200_000;

  /** Each build takes the same ones, so that it says something of what was changed. */
  private static final long SEED = 20_261_129;

  private static final int STEPS_PER_RUN = 3000;
  private static final int THREADS = 2;
  private static LoudLog log;

  @BeforeAll
  static void listen() {
    log = new LoudLog();
  }

  @AfterAll
  static void stopListening() {
    log.close();
  }

  @Test
  void shouldKeepEveryMessageInExactlyOnePlace() throws Exception {
    Long only = Long.getLong("holdfast.seed");
    long first =
        only != null ? only : Long.getLong("holdfast.steps") != null ? System.nanoTime() : SEED;
    long runs =
        only != null ? 1 : Math.max(1, Long.getLong("holdfast.steps", STEPS) / STEPS_PER_RUN);
    int threads = Integer.getInteger("holdfast.threads", THREADS);
    AtomicLong next = new AtomicLong(first);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try (MemoryDir dir = MemoryDir.create()) {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        ends.add(executor.submit(() -> runAll(dir.path(), next, first + runs)));
      }
      for (Future<?> end : ends) {
        end.get();
      }
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause().getMessage(), e.getCause());
    } finally {
      next.set(Long.MAX_VALUE);
      executor.shutdown();
    }
  }

  private static Void runAll(Path dir, AtomicLong next, long end) throws Exception {
    for (long seed = next.getAndIncrement(); seed < end; seed = next.getAndIncrement()) {
      SimulationTrace none = new SimulationTrace(false);
      try {
        TopicSimulation.run(
            Files.createDirectory(dir.resolve("run" + seed)), seed, STEPS_PER_RUN, log, none);
      } catch (Exception | AssertionError e) {
        next.set(Long.MAX_VALUE / 2);
        throw new AssertionError(describe(dir, seed, none.step, e), e);
      }
    }
    return null;
  }

  /** Repeats the run to see what led to its failure. */
  private static String describe(Path dir, long seed, long step, Throwable failure)
      throws IOException {
    String what = "seed " + seed + ", step " + step + " (-Dholdfast.seed=" + seed + "): " + failure;
    SimulationTrace trace = new SimulationTrace(true);
    try {
      TopicSimulation.run(
          Files.createDirectory(dir.resolve("again" + seed)), seed, STEPS_PER_RUN, log, trace);
      return what + "\nit does not fail again, so it is not the seed alone";
    } catch (Exception | AssertionError again) {
      SimulationFailure about =
          again instanceof SimulationFailure known
              ? known
              : new SimulationFailure("", again.toString(), List.of());
      String file = System.getProperty("holdfast.trace");
      if (file != null) {
        Files.write(Path.of(file), trace.all());
      }
      return what + "\n" + trace.about(about);
    }
  }
}
