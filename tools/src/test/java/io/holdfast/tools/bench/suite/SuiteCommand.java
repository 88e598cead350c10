package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench suite}: all workloads, one or several brokers. */
@Command(
    name = "suite",
    sortOptions = false,
    description = {
      "Starts brokers, runs every workload against each of them in alternating rounds, and writes "
          + "medians and ratios as a table (suite.md), a plot (suite.svg) and JSON (suite.json).",
      "",
      "Every run has a fresh process and data directory. Linux only."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools bench suite",
      "  holdfast-tools bench suite --broker holdfast --workloads pub200,both200 --rounds 3",
      "  holdfast-tools bench suite --broker nsqd='nsqd --data-path {data} --tcp-address {tcp} \\",
      "      --http-address {http} --mem-queue-size 10000000' --broker holdfast",
      "Placeholders: {data} {tcp} {http} {tcp_port} {http_port} {host}."
    })
final class SuiteCommand implements Callable<Integer> {
  private static final String OWN = "holdfast";

  private final ToolContext context;

  @Option(
      names = {"-b", "--broker"},
      paramLabel = "NAME=CMD",
      description =
          "A broker and the command that starts it; the first one is the base of the ratios."
              + " Without =CMD: this Holdfast as it is shipped, under that name (default:"
              + " holdfast).")
  private List<String> brokers = List.of(OWN);

  @Option(names = "--list", description = "List the workloads.")
  private boolean list;

  @Mixin private SuiteOptions options;

  /**
   * @param context streams and stop request
   */
  SuiteCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (list) {
      Workloads.all()
          .forEach(
              workload ->
                  context
                      .out()
                      .printf(Locale.ROOT, "%-12s%s%n", workload.name(), workload.about()));
      return ExitCode.OK;
    }
    options.check();
    Path unpacked = Files.createTempDirectory("holdfast-dist-");
    try {
      SuiteRunner runner = new SuiteRunner(specs(unpacked), options, context);
      runner.run();
      report(runner, HoldfastBuild.ownCommit(), options, context);
      return exitCode(runner.results());
    } finally {
      SuiteRunner.delete(unpacked);
    }
  }

  private List<BrokerSpec> specs(Path unpacked) throws IOException {
    List<BrokerSpec> specs = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (String broker : brokers) {
      int equals = broker.indexOf('=');
      String name = equals < 0 ? broker : broker.substring(0, equals);
      if (name.isBlank() || !names.add(name)) {
        throw ToolException.usage("--broker '" + broker + "': needs a name of its own");
      }
      CommandTemplate command =
          equals < 0
              ? HoldfastBuild.own(unpacked)
              : CommandTemplate.parse(broker.substring(equals + 1));
      specs.add(new BrokerSpec(name, command));
    }
    return specs;
  }

  /** Writes the files and prints the summary. */
  static void report(SuiteRunner runner, String commit, SuiteOptions options, ToolContext context)
      throws IOException {
    if (runner.results().runs().isEmpty()) {
      return;
    }
    SuiteReport.write(
        options.out(),
        Environment.facts(commit, options.work()),
        runner.results(),
        runner.disturbed());
    context.out().print(MarkdownReport.summary(runner.results()));
    runner.disturbed().forEach(remark -> context.err().println("disturbed: " + remark));
    context.err().println("written: " + options.out().resolve("suite.{md,svg,json}"));
  }

  /** A run that failed is a failure of the command. */
  static int exitCode(SuiteResults results) {
    return results.failed().isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
  }
}
