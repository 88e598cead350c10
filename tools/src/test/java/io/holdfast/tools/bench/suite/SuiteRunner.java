package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.suite.SuiteResults.Run;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs every workload against every broker in alternating rounds (A B A B), each time with a fresh
 * process in a fresh directory. A run that fails is reported and the next one goes on.
 */
public final class SuiteRunner {
  private static final double QUIET_CORES = 0.15;
  private static final int SHOWN = 3;

  private final List<BrokerSpec> brokers;
  private final SuiteOptions options;
  private final ToolContext context;
  private final SuiteResults results;
  private final List<String> disturbed = new ArrayList<>();

  SuiteRunner(List<BrokerSpec> brokers, SuiteOptions options, ToolContext context) {
    this.brokers = brokers;
    this.options = options;
    this.context = context;
    this.results = new SuiteResults(brokers.stream().map(BrokerSpec::name).toList());
  }

  SuiteResults results() {
    return results;
  }

  /** Remarks about counted runs during which something else used the machine. */
  List<String> disturbed() {
    return List.copyOf(disturbed);
  }

  /**
   * Runs to the end, or until stopped; the results so far are there either way.
   *
   * @throws IOException when the work directory cannot be written to
   */
  void run() throws IOException {
    Path work = Files.createTempDirectory(options.work().toAbsolutePath(), "holdfast-suite-");
    try {
      for (Workload workload : options.chosen()) {
        for (int round = 0; round < options.rounds(); round++) {
          for (BrokerSpec broker : brokers) {
            if (context.stop().stopped()) {
              return;
            }
            oneOfRound(workload, broker, round, work);
          }
        }
      }
    } finally {
      delete(work);
    }
  }

  /** Until it was undisturbed; else the least disturbed try counts. */
  private void oneOfRound(Workload workload, BrokerSpec broker, int round, Path work)
      throws IOException {
    List<Readings> tries = new ArrayList<>();
    String tag =
        String.format(
            Locale.ROOT,
            "[%s %d/%d] %s: ",
            workload.name(),
            round + 1,
            options.rounds(),
            broker.name());
    String failure = null;
    boolean again = true;
    while (again) {
      awaitQuiet();
      Path dir = Files.createTempDirectory(work, "run-");
      try {
        Readings readings = measure(workload, broker, dir);
        tries.add(readings);
        again = readings.otherCores() > options.maxOther() && tries.size() <= options.retries();
        context.err().println(tag + shown(readings) + (again ? ", disturbed: again" : ""));
      } catch (IOException | ToolException e) {
        again = false;
        failure = ToolException.describe(e);
        if (!context.stop().stopped()) {
          context.err().println(Visible.text(tag + "FAILED: " + failure));
        }
      } finally {
        delete(dir);
      }
    }
    if (context.stop().stopped() && failure != null) {
      return; // Broken off, not broken.
    }
    Readings best = tries.stream().min(Comparator.comparing(Readings::otherCores)).orElse(null);
    for (Readings readings : tries) {
      results.add(
          new Run(workload.name(), broker.name(), round, readings.all(), readings == best, null));
    }
    if (failure != null) {
      results.add(new Run(workload.name(), broker.name(), round, List.of(), false, failure));
    }
    if (best != null && best.otherCores() > options.maxOther()) {
      disturbed.add(
          String.format(
              Locale.ROOT,
              "%s, %s, round %d: other work took %.2f cores",
              workload.name(),
              broker.name(),
              round + 1,
              best.otherCores()));
    }
  }

  private Readings measure(Workload workload, BrokerSpec spec, Path dir) throws IOException {
    try (BrokerProcess broker =
        new BrokerProcess(spec, dir, context.stop(), options.startTimeout())) {
      broker.start();
      WorkloadRun run = new WorkloadRun(broker, options, context.stop());
      if (workload.warmUp() != null && options.warmup() > 0) {
        workload.warmUp().run(run, options.warmup());
        broker.settle();
      }
      broker.resetPeak();
      run.resetCost();
      Readings readings = new Readings();
      workload.body().run(run, readings);
      return readings;
    }
  }

  /** What else runs on the machine would be measured as ours. */
  private void awaitQuiet() throws IOException {
    long deadlineNs = System.nanoTime() + (long) (options.quietWait() * 1e9);
    boolean said = false;
    while (System.nanoTime() - deadlineNs < 0) {
      double before = ProcFs.machineBusySeconds();
      if (context.stop().await(1000) || ProcFs.machineBusySeconds() - before < QUIET_CORES) {
        return;
      }
      if (!said) {
        context.err().println("  (waiting for the machine to fall quiet)");
        said = true;
      }
    }
  }

  private static String shown(Readings readings) {
    return readings.all().stream()
        .limit(SHOWN)
        .map(reading -> reading.name() + " " + MarkdownReport.number(reading.value()))
        .collect(Collectors.joining(", "));
  }

  /** Removes a directory with everything in it. */
  public static void delete(Path dir) throws IOException {
    if (!Files.exists(dir)) {
      return;
    }
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
