package io.holdfast.tools.admin;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.stat.StatLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** The {@code admin top} command. */
@Command(
    name = "top",
    description = {
      "Shows topics and channels with their rates, again and again.",
      "",
      "On a terminal the table is redrawn in place; into a pipe or file table follows table."
    })
final class TopCommand implements Callable<Integer> {
  private final ToolContext context;

  @ParentCommand private AdminCommand admin;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "COUNT",
      converter = Quantities.AtLeastOne.class,
      description = "End after so many tables (default: go on until Ctrl-C).")
  private long count;

  @Option(
      names = {"-i", "--interval"},
      defaultValue = "2s",
      paramLabel = "INTERVAL",
      converter = Quantities.Time.class,
      description = "Time between two tables (default: 2s).")
  private Duration interval;

  TopCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    StatLoop.Shape shape = admin.json() ? StatLoop.Shape.JSON_ARRAY : StatLoop.Shape.TABLE;
    StatLoop.Plan plan = new StatLoop.Plan(null, null, interval, count, shape);
    new StatLoop(context, admin.brokers(), admin.access(), plan).run();
    return ExitCode.OK;
  }
}
