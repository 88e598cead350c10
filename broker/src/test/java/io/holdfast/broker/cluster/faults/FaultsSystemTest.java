package io.holdfast.broker.cluster.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Three brokers under faults keep what they promise: see {@link Verdict}; the long form and its
 * system properties are in the package's description.
 */
class FaultsSystemTest {
  /** 0: the short form. */
  private static final int SECONDS = Integer.getInteger("holdfast.faults.seconds", 0);

  private static final int ROUND_SECONDS = Integer.getInteger("holdfast.faults.round.seconds", 60);
  private static final String ONLY = System.getProperty("holdfast.faults.only", "");
  private static final long SHORT_SEED = 16;
  private static final int HEAL_S = 400;
  private static final int FORM_S = 400;
  private static final int PER_ROUND = 6;

  private final long seed =
      Long.getLong("holdfast.faults.seed", SECONDS > 0 ? System.nanoTime() : SHORT_SEED);

  @Test
  void nothingIsLost() throws IOException {
    FaultRun.say("seed " + seed);
    long startNs = System.nanoTime();
    try (FaultRun run = new FaultRun(seed)) {
      boolean done = false;
      try {
        run.form(FORM_S);
        if (SECONDS > 0) {
          rounds(run);
        } else {
          run.round(possible(run, EnumSet.copyOf(shortForm())), HEAL_S);
        }
        done = run.violations().isEmpty();
      } finally {
        System.out.println(
            "faults: seed=%d seconds=%d%n%s"
                .formatted(
                    seed,
                    TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs),
                    run.report()));
        if (!done) {
          run.keep();
        }
      }
      assertEquals("", String.join("\n", run.violations()), "seed " + seed);
    }
  }

  private static List<Fault> shortForm() {
    return List.of(
        Fault.KILL_LEADER,
        Fault.STOP_LEADER,
        Fault.PARTITION,
        Fault.POWER_CUT_ALL,
        Fault.DISK_FULL);
  }

  private void rounds(FaultRun run) {
    long startNs = System.nanoTime();
    Set<Fault> chosen = EnumSet.allOf(Fault.class);
    if (!ONLY.isEmpty()) {
      chosen.clear();
      Arrays.stream(ONLY.split(",")).map(Fault::valueOf).forEach(chosen::add);
    }
    List<Fault> possible = possible(run, chosen);
    Random random = new Random(seed);
    List<Fault> left = new ArrayList<>();
    while (System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(SECONDS)
        && run.violations().isEmpty()) {
      List<Fault> drawn = new ArrayList<>();
      for (int i = 0; i < Math.max(1, PER_ROUND * ROUND_SECONDS / 60); i++) {
        if (left.isEmpty()) {
          // Each comes before one comes again.
          left.addAll(possible);
          Collections.shuffle(left, random);
        }
        drawn.add(left.remove(left.size() - 1));
      }
      run.round(drawn, HEAL_S);
    }
  }

  private static List<Fault> possible(FaultRun run, Set<Fault> chosen) {
    return chosen.stream().filter(run::isPossible).toList();
  }
}
