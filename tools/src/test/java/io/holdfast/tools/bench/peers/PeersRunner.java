package io.holdfast.tools.bench.peers;

import io.holdfast.tools.bench.suite.ProcFs;
import io.holdfast.tools.bench.suite.SuiteRunner;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Runs every scenario against every broker, round by round and each second round backwards. A run
 * that fails is reported and the next one goes on.
 */
final class PeersRunner {
  private static final double QUIET_CORES = 0.15;
  private static final int LOOK_MS = 300;

  private final PeersOptions options;
  private final ToolContext context;
  private final PeersResults results;
  private final String ownVersion;

  /**
   * @param ownVersion of Holdfast, which tells its clients that it is nsqd's
   */
  PeersRunner(List<Peer> peers, String ownVersion, PeersOptions options, ToolContext context) {
    this.ownVersion = ownVersion;
    this.options = options;
    this.context = context;
    this.results = new PeersResults(peers);
  }

  PeersResults results() {
    return results;
  }

  /**
   * Runs to the end, or until stopped; the results so far are there either way.
   *
   * @throws IOException when the work directory cannot be written to
   */
  void run() throws IOException {
    Path work = Files.createTempDirectory(options.work().toAbsolutePath(), "holdfast-peers-");
    try {
      for (int round = 0; round < options.rounds(); round++) {
        List<Peer> order = new ArrayList<>(results.peers());
        if (round % 2 == 1) {
          Collections.reverse(order);
        }
        for (Scenario scenario : options.workloads()) {
          for (Peer peer : order) {
            if (context.stop().stopped()) {
              return;
            }
            if (scenario != Scenario.SINGLE || peer.batch() > 1) {
              one(peer, scenario, round, work);
            }
          }
        }
      }
    } finally {
      SuiteRunner.delete(work);
    }
  }

  private void one(Peer peer, Scenario scenario, int round, Path work) throws IOException {
    String tag =
        String.format(
            Locale.ROOT,
            "[%d/%d %s] %s: ",
            round + 1,
            options.rounds(),
            scenario.label(),
            peer.name());
    awaitQuiet();
    Path dir = Files.createTempDirectory(work, "run-");
    try (PeerServer server = new PeerServer(peer, dir, context.stop(), options.startTimeout())) {
      results.version(peer, peer.own() ? ownVersion : server.version());
      PeerRun run = new PeerRun(server, options, context.stop());
      scenario.run(run);
      Map<Metric, Double> readings = run.readings();
      if (peer.batch() == 1 && scenario == Scenario.PUBLISH) {
        readings.put(Metric.SINGLE, readings.get(Metric.PUBLISH));
        readings.put(Metric.SINGLE_CPU, readings.get(Metric.PUBLISH_CPU));
      }
      boolean disturbed = run.otherCores() > options.maxOther();
      results.add(
          new PeersResults.Run(peer, scenario, round, readings, run.otherCores(), disturbed, null));
      context.err().println(tag + shown(run) + (disturbed ? ", disturbed" : ""));
    } catch (IOException | ToolException e) {
      if (!context.stop().stopped()) {
        String failure = ToolException.describe(e);
        context.err().println(Visible.text(tag + "FAILED: " + failure));
        results.add(new PeersResults.Run(peer, scenario, round, Map.of(), 0, false, failure));
      }
    } finally {
      SuiteRunner.delete(dir);
    }
  }

  private static String shown(PeerRun run) {
    String text =
        run.readings().entrySet().stream()
            .filter(reading -> reading.getKey() != Metric.SINGLE || run.peer().batch() > 1)
            .filter(reading -> reading.getKey() != Metric.SINGLE_CPU || run.peer().batch() > 1)
            .map(
                reading ->
                    reading.getKey().label()
                        + " "
                        + Metric.shown(reading.getKey().unit(), reading.getValue())
                        + " "
                        + reading.getKey().unit().label())
            .collect(Collectors.joining(", "));
    return run.duplicates() == 0 ? text : text + ", " + run.duplicates() + " came again";
  }

  /** What else runs on the machine would be measured as ours. */
  private void awaitQuiet() throws IOException {
    long deadlineNs = System.nanoTime() + (long) (options.quietWait() * 1e9);
    while (System.nanoTime() - deadlineNs < 0) {
      double before = ProcFs.machineBusySeconds();
      if (context.stop().await(LOOK_MS)
          || (ProcFs.machineBusySeconds() - before) * 1000 / LOOK_MS < QUIET_CORES) {
        return;
      }
    }
  }
}
