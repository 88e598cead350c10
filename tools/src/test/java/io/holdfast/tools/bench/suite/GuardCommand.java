package io.holdfast.tools.bench.suite;

import io.holdfast.tools.bench.suite.SuiteResults.Line;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench guard}: is one commit slower than another? */
@Command(
    name = "guard",
    sortOptions = false,
    description = {
      "Builds two commits in temporary git worktrees, runs the suite with both in alternating "
          + "rounds, and says which readings of the second are worse than the first's.",
      "",
      "Exit code 1 when one is worse by more than --tolerance. Without --workloads only those that "
          + "put load on the broker run."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools bench guard main HEAD",
      "  holdfast-tools bench guard HEAD~3 HEAD --workloads pub200,sub200 --rounds 7 --tolerance 5"
    })
final class GuardCommand implements Callable<Integer> {
  private final ToolContext context;

  @Parameters(index = "0", paramLabel = "BASE", description = "The commit to compare with.")
  private String base;

  @Parameters(index = "1", paramLabel = "HEAD", description = "The commit to judge.")
  private String head;

  @Option(
      names = "--repo",
      defaultValue = ".",
      paramLabel = "DIR",
      description = "The repository (default: the current directory).")
  private Path repo;

  @Option(
      names = "--tolerance",
      defaultValue = "10",
      paramLabel = "PERCENT",
      description = "How much worse a median may be (default: 10).")
  private double tolerance;

  @Option(
      names = "--build",
      defaultValue = "mvn -q -B package -Dmaven.test.skip=true",
      paramLabel = "CMD",
      description = "How to build a worktree (default: ${DEFAULT-VALUE}).")
  private String build;

  @Mixin private SuiteOptions options;

  /**
   * @param context streams and stop request
   */
  GuardCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    options.preferWorkloads(Workloads.load().stream().map(Workload::name).toList());
    options.check();
    if (tolerance < 0) {
      throw ToolException.usage("--tolerance must not be below 0");
    }
    Path root = repo.toAbsolutePath().normalize();
    if (!Files.isDirectory(root)) {
      throw ToolException.usage("--repo " + repo + " is not a directory");
    }
    List<String> hashes = List.of(Worktree.resolve(root, base), Worktree.resolve(root, head));
    if (hashes.get(0).equals(hashes.get(1))) {
      throw ToolException.usage(base + " and " + head + " are the same commit");
    }
    Path temp = Files.createTempDirectory(options.work().toAbsolutePath(), "holdfast-guard-");
    try {
      List<BrokerSpec> specs = new ArrayList<>();
      for (String hash : hashes) {
        specs.add(built(root, hash, temp));
      }
      SuiteRunner runner = new SuiteRunner(specs, options, context);
      runner.run();
      String commits = specs.get(0).name() + " and " + specs.get(1).name();
      SuiteCommand.report(runner, commits, options, context);
      return verdict(runner.results());
    } finally {
      SuiteRunner.delete(temp);
    }
  }

  /** Builds a commit and unpacks what it ships; the worktree is gone afterwards. */
  private BrokerSpec built(Path root, String hash, Path temp) throws IOException {
    String name = hash.substring(0, 10);
    context.err().println("building " + name);
    Path dist = Files.createDirectory(temp.resolve(name));
    try (Worktree worktree = Worktree.open(root, hash, temp.resolve("tree-" + name))) {
      worktree.build(CommandTemplate.parse(build).words(), context.stop());
      return new BrokerSpec(name, HoldfastBuild.ofTree(worktree.dir(), dist));
    }
  }

  private int verdict(SuiteResults results) {
    List<String> worse = worse(results, tolerance);
    worse.forEach(line -> context.out().println("WORSE " + line));
    if (worse.isEmpty() && !context.stop().stopped()) {
      context.out().printf(Locale.ROOT, "nothing is worse by more than %.0f %%%n", tolerance);
    }
    return worse.isEmpty() ? SuiteCommand.exitCode(results) : ExitCode.FAILURE;
  }

  /**
   * The headlines in which the second broker is worse than the first.
   *
   * @param tolerancePercent how much worse it may be
   * @return one line each
   */
  static List<String> worse(SuiteResults results, double tolerancePercent) {
    String base = results.base();
    String head = results.brokers().get(1);
    List<String> worse = new ArrayList<>();
    for (Line line : results.lines()) {
      double gain = line.gain(base, head);
      if (line.reading().headline() && gain < 1 - tolerancePercent / 100) {
        worse.add(
            String.format(
                Locale.ROOT,
                "%s %s: %s, was %s (%s %%)",
                line.workload(),
                line.reading().name(),
                MarkdownReport.number(line.byBroker().get(head).median()),
                MarkdownReport.number(line.byBroker().get(base).median()),
                Quantities.grouped(100 * (line.ratio(base, head) - 1))));
      }
    }
    return worse;
  }
}
