package io.holdfast.tools.stat;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.client.AccessOptions;
import io.holdfast.tools.client.HttpBrokerOptions;
import io.holdfast.tools.client.Names;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code stat} command. */
@Command(
    name = "stat",
    sortOptions = false,
    description = {
      "Shows depth, counters and rates of topics and channels, again and again.",
      "",
      "On a terminal it redraws the screen like top; into a pipe or file it prints one table after"
          + " the other. Numbers of several brokers are summed. IN/S is what a topic or channel"
          + " took, OUT/S what consumers finished (or an empty dropped), both since the table"
          + " before."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools stat",
      "  holdfast-tools stat --broker b1:4151,b2:4151 --topic jobs --interval 5s",
      "  holdfast-tools stat --count 1 --format json | jq 'select(.depth > 1000)'"
    })
public final class StatCommand implements Callable<Integer> {
  /** How the samples are printed. */
  enum Format {
    TABLE,
    JSON;

    @Override
    public String toString() {
      return Given.lower(this);
    }
  }

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Mixin private HttpBrokerOptions brokers;

  @Mixin private AccessOptions access;

  @Option(
      names = {"-t", "--topic"},
      paramLabel = "TOPIC",
      description = "Only this topic.")
  private String topic;

  @Option(
      names = {"-c", "--channel"},
      paramLabel = "CHANNEL",
      description = "Only channels of this name, with their topics.")
  private String channel;

  @Option(
      names = {"-i", "--interval"},
      defaultValue = "2s",
      paramLabel = "TIME",
      converter = Quantities.Time.class,
      description = "Time between two tables (default: 2s).")
  private Duration interval;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      converter = Quantities.AtLeastOne.class,
      description = "End after N tables (default: go on until Ctrl-C).")
  private long count;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "table",
      paramLabel = "FORMAT",
      description = "table (default), or json: one object a line for each topic and channel.")
  private Format format;

  /**
   * @param context streams and stop request
   */
  public StatCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (topic != null) {
      Names.checkTopic(topic);
    }
    if (channel != null) {
      Names.checkChannel(channel);
    }
    if (count == 1) {
      Given.refuse(spec, "with --count 1", "--interval");
    }
    StatLoop.Shape shape = format == Format.JSON ? StatLoop.Shape.JSON_LINES : StatLoop.Shape.TABLE;
    StatLoop.Plan plan = new StatLoop.Plan(topic, channel, interval, count, shape);
    new StatLoop(context, brokers, access.access(), plan).run();
    return ExitCode.OK;
  }
}
