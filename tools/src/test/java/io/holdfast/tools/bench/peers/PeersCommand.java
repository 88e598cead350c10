package io.holdfast.tools.bench.peers;

import io.holdfast.tools.bench.suite.CommandTemplate;
import io.holdfast.tools.bench.suite.Environment;
import io.holdfast.tools.bench.suite.HoldfastBuild;
import io.holdfast.tools.bench.suite.SuiteRunner;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code bench peers}: Holdfast beside other brokers. */
@Command(
    name = "peers",
    sortOptions = false,
    description = {
      "Runs Holdfast, nsqd, JetStream, Redis streams and RabbitMQ, as far as they are on this "
          + "machine, over the same workloads, and writes medians as tables (peers.md), a plot "
          + "(peers.svg) and JSON (peers.json).",
      "",
      "Every run has a fresh server and data directory; every message is checked. Linux only."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools bench peers --nsqd ~/go/bin/nsqd",
      "  holdfast-tools bench peers --check",
      "  holdfast-tools bench peers --peers synced,always,quorum --rounds 5 --seconds 5"
    })
public final class PeersCommand implements Callable<Integer> {
  private final ToolContext context;

  @Mixin private PeersOptions options;

  /**
   * @param context streams and stop request
   */
  public PeersCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    options.check();
    Path unpacked = Files.createTempDirectory("holdfast-dist-");
    try {
      CommandTemplate holdfast =
          options.holdfast() == null
              ? HoldfastBuild.own(unpacked)
              : CommandTemplate.parse(options.holdfast());
      Peers peers = new Peers(holdfast, options.nsqd());
      List<Peer> wanted = peers.found().stream().filter(options::wants).toList();
      if (wanted.isEmpty()) {
        throw ToolException.usage("--peers: none of these is here");
      }
      String commit = HoldfastBuild.ownCommit();
      peers.missing().forEach(line -> context.err().println("left out: " + line));
      PeersRunner runner = new PeersRunner(wanted, "commit " + commit, options, context);
      runner.run();
      report(runner.results(), commit, peers.missing());
      return runner.results().failed().isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
    } finally {
      SuiteRunner.delete(unpacked);
    }
  }

  private void report(PeersResults results, String commit, List<String> missing)
      throws IOException {
    if (options.isCheck()) {
      context
          .out()
          .println(
              results.runs().size()
                  - results.failed().size()
                  + " runs: all messages confirmed, arrived and as they were sent; "
                  + results.failed().size()
                  + " failed");
      return;
    }
    if (results.runs().isEmpty()) {
      return;
    }
    PeersReport.write(
        options.out(), Environment.facts(commit, options.work()), results, missing, options);
    context.err().println("written: " + options.out().resolve("peers.{md,svg,json}"));
  }
}
