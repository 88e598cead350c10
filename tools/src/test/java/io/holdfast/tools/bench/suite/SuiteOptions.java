package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What {@code suite} and {@code guard} share on the command line. */
final class SuiteOptions {
  @Option(
      names = {"-w", "--workloads"},
      split = ",",
      paramLabel = "NAME",
      description = "Workloads, separated by commas (default: all; see --list).")
  private List<String> workloads;

  @Option(
      names = "--rounds",
      defaultValue = "5",
      paramLabel = "N",
      description = "Rounds; medians are reported (default: 5).")
  private int rounds;

  @Option(
      names = "--seconds",
      defaultValue = "5",
      paramLabel = "S",
      description = "Length of the timed workloads (default: 5).")
  private double seconds;

  @Option(
      names = "--latency-seconds",
      defaultValue = "10",
      paramLabel = "S",
      description = "Length of latency10k (default: 10).")
  private double latencySeconds;

  @Option(
      names = "--idle-seconds",
      defaultValue = "10",
      paramLabel = "S",
      description = "How long idle brokers are looked at (default: 10).")
  private double idleSeconds;

  @Option(
      names = "--warmup",
      defaultValue = "12",
      paramLabel = "S",
      description = {
        "Seconds of the same load on another topic before each run (default: 12).",
        "For so long a young broker shares the processors with its compiler."
      })
  private double warmup;

  @Option(
      names = "--sub-count",
      defaultValue = "1m",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "Messages of sub200 (default: 1m).")
  private long subCount;

  @Option(
      names = "--fan-count",
      defaultValue = "300k",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "Messages of fan5 (default: 300k).")
  private long fanCount;

  @Option(
      names = "--backlog-count",
      defaultValue = "2m",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "Messages of backlog (default: 2m).")
  private long backlogCount;

  @Option(
      names = "--restart-count",
      defaultValue = "10m",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "Messages of restart (default: 10m).")
  private long restartCount;

  @Option(
      names = "--many-topics",
      defaultValue = "1k",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "Topics, with two channels each, of manytopics (default: 1k).")
  private long manyTopics;

  @Option(
      names = "--idle-connections",
      defaultValue = "10k",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "Connections of idle (default: 10k; mind ulimit -n, for this process too).")
  private long idleConnections;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "Where data directories go meanwhile (default: the system's temp directory).")
  private Path work = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Where results go: suite.md, suite.svg, suite.json (default: bench-suite).")
  private Path out = Path.of("bench-suite");

  @Option(
      names = "--quiet-wait",
      defaultValue = "60",
      paramLabel = "S",
      description =
          "Before a run, wait so long for the machine to be idle; 0: don't (default: 60).")
  private double quietWait;

  @Option(
      names = "--max-other",
      defaultValue = "0.25",
      paramLabel = "CORES",
      description = "Repeat a run during which anything else used more than this (default: 0.25).")
  private double maxOther;

  @Option(
      names = "--retries",
      defaultValue = "2",
      paramLabel = "N",
      description = "How often at most; then the least disturbed one counts (default: 2).")
  private int retries;

  @Option(
      names = "--start-timeout",
      defaultValue = "60",
      paramLabel = "S",
      description = "How long a broker may take to answer /ping (default: 60).")
  private double startTimeout;

  /**
   * @throws ToolException about usage, naming the first option that makes no sense
   */
  void check() {
    if (rounds < 1 || retries < 0) {
      throw ToolException.usage("--rounds must be at least 1, --retries not below 0");
    }
    if (seconds <= 0 || latencySeconds <= 0 || idleSeconds <= 0 || warmup < 0) {
      throw ToolException.usage("--seconds and the like must be above 0, --warmup not below");
    }
    if (subCount < 1
        || fanCount < 1
        || backlogCount < 1
        || restartCount < 1
        || manyTopics < 1
        || idleConnections < 1) {
      throw ToolException.usage("all counts must be at least 1");
    }
    if (!work.toFile().isDirectory()) {
      throw ToolException.usage("--work " + work + " is not a directory");
    }
    chosen();
  }

  /** The workloads to run, in the order of the command line. */
  List<Workload> chosen() {
    List<Workload> all = Workloads.all();
    if (workloads == null) {
      return all;
    }
    List<Workload> chosen = new ArrayList<>();
    for (String name : workloads) {
      chosen.add(
          all.stream()
              .filter(workload -> workload.name().equals(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      ToolException.usage("no workload '" + name + "' (see bench suite --list)")));
    }
    return chosen;
  }

  /** Chooses workloads unless the command line did. */
  void preferWorkloads(List<String> names) {
    if (workloads == null) {
      workloads = names;
    }
  }

  int rounds() {
    return rounds;
  }

  double seconds() {
    return seconds;
  }

  double latencySeconds() {
    return latencySeconds;
  }

  double idleSeconds() {
    return idleSeconds;
  }

  double warmup() {
    return warmup;
  }

  long subCount() {
    return subCount;
  }

  long fanCount() {
    return fanCount;
  }

  long backlogCount() {
    return backlogCount;
  }

  long restartCount() {
    return restartCount;
  }

  int manyTopics() {
    return Math.toIntExact(manyTopics);
  }

  int idleConnections() {
    return Math.toIntExact(idleConnections);
  }

  Path work() {
    return work;
  }

  Path out() {
    return out;
  }

  double quietWait() {
    return quietWait;
  }

  double maxOther() {
    return maxOther;
  }

  int retries() {
    return retries;
  }

  double startTimeout() {
    return startTimeout;
  }
}
