package io.holdfast.tools.bench.peers;

import io.holdfast.tools.cli.ToolException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** The options of {@code bench peers}. */
final class PeersOptions {
  @Option(
      names = "--peers",
      split = ",",
      paramLabel = "WORD",
      description = "Only those whose name has one of these words, such as holdfast,redis.")
  private List<String> only = List.of();

  @Option(
      names = {"-w", "--workloads"},
      split = ",",
      paramLabel = "NAME",
      description = "Only these: ${COMPLETION-CANDIDATES} (publish includes drain).")
  private List<Scenario> workloads = List.of(Scenario.values());

  @Option(
      names = "--nsqd",
      paramLabel = "FILE",
      description = "nsqd's binary (default: the one on the PATH).")
  private Path nsqd;

  @Option(
      names = "--holdfast",
      paramLabel = "CMD",
      description =
          "How to start Holdfast, with {data} {tcp} {http}... filled in (default: this Holdfast as"
              + " it is shipped).")
  private String holdfast;

  @Option(
      names = "--rounds",
      defaultValue = "3",
      paramLabel = "N",
      description = "Rounds; medians are reported (default: 3).")
  private int rounds;

  @Option(
      names = "--seconds",
      defaultValue = "3",
      paramLabel = "S",
      description = "Length of each workload (default: 3).")
  private double seconds;

  @Option(
      names = "--warmup",
      defaultValue = "6",
      paramLabel = "S",
      description = "Seconds of the same load on another queue before (default: 6).")
  private double warmup;

  @Option(
      names = "--check",
      description =
          "One round of a second each without a report: whether every server starts and every"
              + " message is confirmed and arrives.")
  private boolean check;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description =
          "Where data directories go meanwhile; a real disk (default: the system's temp"
              + " directory).")
  private Path work = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Where results go: peers.md, peers.svg, peers.json (default: bench-peers).")
  private Path out = Path.of("bench-peers");

  @Option(
      names = "--quiet-wait",
      defaultValue = "20",
      paramLabel = "S",
      description =
          "Before a run, wait so long for the machine to be idle; 0: don't (default: 20).")
  private double quietWait;

  @Option(
      names = "--max-other",
      defaultValue = "0.25",
      paramLabel = "CORES",
      description = "Mark a run during which anything else used more than this (default: 0.25).")
  private double maxOther;

  @Option(
      names = "--start-timeout",
      defaultValue = "120",
      paramLabel = "S",
      description = "How long a server may take to greet (default: 120).")
  private double startTimeout;

  /**
   * @throws ToolException about usage
   */
  void check() {
    if (rounds < 1 || seconds <= 0 || warmup < 0 || startTimeout <= 0) {
      throw ToolException.usage(
          "--rounds must be at least 1, --seconds and --start-timeout above 0, --warmup not below");
    }
    if (!work.toFile().isDirectory()) {
      throw ToolException.usage("--work " + work + " is not a directory");
    }
    if (nsqd != null && !nsqd.toFile().canExecute()) {
      throw ToolException.usage("--nsqd " + nsqd + " is no program");
    }
    if (check) {
      rounds = 1;
      seconds = 1;
      warmup = 0.2;
      quietWait = 0;
    }
  }

  boolean wants(Peer peer) {
    String name = peer.name().toLowerCase(Locale.ROOT);
    return only.isEmpty()
        || only.stream().anyMatch(word -> name.contains(word.toLowerCase(Locale.ROOT)));
  }

  List<Scenario> workloads() {
    return workloads;
  }

  Path nsqd() {
    return nsqd;
  }

  String holdfast() {
    return holdfast;
  }

  int rounds() {
    return rounds;
  }

  double seconds() {
    return seconds;
  }

  double warmup() {
    return warmup;
  }

  boolean isCheck() {
    return check;
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

  double startTimeout() {
    return startTimeout;
  }
}
