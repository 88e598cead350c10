package io.holdfast.tools.bench;

import io.holdfast.tools.bench.load.LoadPlan;
import io.holdfast.tools.bench.load.LoadResult;
import io.holdfast.tools.bench.load.LoadRun;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.Progress;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code bench} command: picks a mode. */
@Command(
    name = "bench",
    synopsisSubcommandLabel = "MODE",
    description = {
      "Measures a broker under load: Holdfast, nsqd, or any other that speaks NSQ's protocol.",
      "",
      "Client and broker share the machine when both run on it; compare brokers only with the same "
          + "options on the same, otherwise idle machine. The topic stays in the broker afterwards."
    },
    commandListHeading = "%nModes:%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools bench pub --count 2m && holdfast-tools bench sub --count 2m",
      "  holdfast-tools bench both --batch 1 --pipeline 50 --seconds 20",
      "  holdfast-tools bench latency --rate 5k --format json --hdr-file latency.hgrm"
    },
    subcommands = {
      BenchCommand.Pub.class,
      BenchCommand.Sub.class,
      BenchCommand.Both.class,
      BenchCommand.Fanout.class,
      BenchCommand.Latency.class
    })
public final class BenchCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing MODE");
  }

  /** What all modes share. */
  @Command(sortOptions = false)
  abstract static class Mode implements Callable<Integer> {
    private final ToolContext context;

    @Spec private CommandSpec spec;

    /** Given on the command line. */
    @Mixin protected BenchOptions options;

    Mode(ToolContext context) {
      this.context = context;
    }

    /** Refuses what this mode has no use for. */
    protected final void refuse(String... unused) {
      Given.refuse(spec, "with bench " + spec.name(), unused);
    }

    /** What this mode does; may set preferences and check its own options. */
    abstract BenchShape shape();

    @Override
    public final Integer call() throws IOException {
      BenchShape shape = shape();
      options.check();
      List<BrokerAddress> brokers = options.addresses();
      LoadPlan plan = options.plan(shape, brokers);
      BenchProbe probe = new BenchProbe(options, shape, new Progress(context, "bench", false));
      LoadResult result;
      try {
        result = new LoadRun(plan, probe, context.stop()).run();
      } finally {
        probe.close();
      }
      BenchReport report =
          new BenchReport(
              spec.name(), options, shape, brokers, result, probe.cpuUsPerMessage(result));
      if (options.format() == BenchOptions.Format.JSON) {
        context.out().println(report.json());
      } else {
        report.printText(context.out());
      }
      if (options.hdrFile() != null) {
        report.writeHdr(options.hdrFile());
      }
      if (!result.failures().isEmpty()) {
        throw new ToolException(String.join("; ", result.failures()));
      }
      if (result.lost() > 0 && !context.stop().stopped()) {
        throw new ToolException(
            Quantities.count(result.lost(), "message") + " published but did not arrive");
      }
      return ExitCode.OK;
    }

    /** End-to-end modes need room for the send time. */
    protected final void needsHeader() {
      if (options.size() < LoadPlan.STAMP_BYTES) {
        throw ToolException.usage(
            "--size must be at least "
                + LoadPlan.STAMP_BYTES
                + " here: bodies carry their send time");
      }
    }
  }

  /** Publishing only. */
  @Command(
      name = "pub",
      description = "Publishes, each connection in a closed loop; counts messages whose OK came.")
  static final class Pub extends Mode {
    Pub(ToolContext context) {
      super(context);
    }

    @Override
    BenchShape shape() {
      refuse("--channel", "--sub-conns", "--rdy", "--idle", "--output-buffer-timeout");
      return new BenchShape(true, false, 1, 0, 0);
    }
  }

  /** Consuming only. */
  @Command(
      name = "sub",
      description =
          "Consumes what is in the channel, finishing all messages of one read with one write. Ends"
              + " after --count or --seconds, or when nothing comes for --idle seconds.")
  static final class Sub extends Mode {
    Sub(ToolContext context) {
      super(context);
    }

    @Override
    BenchShape shape() {
      refuse("--size", "--batch", "--pipeline", "--conns", "--hdr-file");
      return new BenchShape(false, true, 1, 0, 0);
    }
  }

  /** Both at once. */
  @Command(
      name = "both",
      description =
          "Publishes and consumes at once, then drains what is left. Without --window the backlog "
              + "grows as fast as the broker takes it, and end-to-end latency is mostly queueing.")
  static final class Both extends Mode {
    @Option(
        names = "--window",
        paramLabel = "N",
        converter = Quantities.AtLeastOne.class,
        description = "At most N messages published and not yet consumed (default: no limit).")
    private long window;

    Both(ToolContext context) {
      super(context);
    }

    @Override
    BenchShape shape() {
      if (window > 0) {
        needsHeader();
      }
      return new BenchShape(true, true, 1, 0, window);
    }
  }

  /** One topic, many channels. */
  @Command(
      name = "fanout",
      description = "As both, with several channels, each of which gets every message.")
  static final class Fanout extends Mode {
    @Option(
        names = "--channels",
        defaultValue = "5",
        paramLabel = "N",
        description = "Number of channels per topic (default: 5).")
    private int channels;

    Fanout(ToolContext context) {
      super(context);
    }

    @Override
    BenchShape shape() {
      options.prefer(200, 1);
      BenchOptions.atLeastOne("--channels", channels);
      return new BenchShape(true, true, channels, 0, 0);
    }
  }

  /** Fixed rate. */
  @Command(
      name = "latency",
      description =
          "Publishes at a fixed rate whether or not the broker keeps up (open loop), and measures"
              + " from the time each message was due to its OK and to its consumer: a stall shows"
              + " in every message it delayed (no coordinated omission).")
  static final class Latency extends Mode {
    @Option(
        names = "--rate",
        defaultValue = "1k",
        paramLabel = "N",
        converter = Quantities.Count.class,
        description = "Messages a second, all connections together (default: 1k).")
    private long rate;

    Latency(ToolContext context) {
      super(context);
    }

    @Override
    BenchShape shape() {
      refuse("--pipeline");
      options.prefer(1, 1);
      BenchOptions.atLeastOne("--rate", rate);
      needsHeader();
      return new BenchShape(true, true, 1, rate, 0);
    }
  }
}
