package io.holdfast.tools.stat;

import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.client.HttpAccess;
import io.holdfast.tools.client.HttpBrokerOptions;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;

/**
 * Asks brokers again and again and shows what they say: on a terminal in place, else table after
 * table. One thread.
 */
public final class StatLoop {
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final String HOME = "\033[H";
  private static final String CLEAR_LINE_END = "\033[K";
  private static final String CLEAR_BELOW = "\033[J";
  private static final String CLEAR = "\033[2J";

  private final ToolContext context;
  private final HttpBrokerOptions brokers;
  private final HttpAccess access;
  private final Plan plan;

  /** How a sample is printed. */
  public enum Shape {
    TABLE,
    /** An object a line. */
    JSON_LINES,
    /** An array a sample. */
    JSON_ARRAY
  }

  /**
   * What is shown and how often.
   *
   * @param topic only this one; null = all
   * @param channel only this one; null = all
   * @param interval from one table to the next, 10 ms or more
   * @param count ends after so many; 0 = goes on until the stop
   */
  public record Plan(String topic, String channel, Duration interval, long count, Shape shape) {
    public Plan {
      if (interval.toMillis() < 10) {
        throw ToolException.usage("--interval must be at least 10ms");
      }
    }
  }

  /**
   * @param context where it is shown, and what ends it
   * @param brokers whom to ask
   * @param access as whom
   */
  public StatLoop(ToolContext context, HttpBrokerOptions brokers, HttpAccess access, Plan plan) {
    this.context = context;
    this.brokers = brokers;
    this.access = access;
    this.plan = plan;
  }

  /**
   * Runs until the count or the stop.
   *
   * @throws IOException when no nsqlookupd answers
   * @throws ToolException when no broker answers the first time
   */
  public void run() throws IOException {
    HttpJson lookup = new HttpJson(TIMEOUT);
    StatsReader reader =
        new StatsReader(new HttpJson(TIMEOUT, access), plan.topic(), plan.channel());
    boolean redraw = context.terminal() && plan.shape() == Shape.TABLE && plan.count() != 1;
    StatSample before = null;
    long nextNs = System.nanoTime();
    for (long shown = 0; plan.count() == 0 || shown < plan.count(); shown++) {
      if (shown > 0) {
        nextNs = Math.max(nextNs + plan.interval().toNanos(), System.nanoTime());
        if (context.stop().await((nextNs - System.nanoTime()) / 1_000_000)) {
          break;
        }
      }
      StatSample sample = reader.read(brokers.find(lookup, plan.topic()));
      if (sample.answered().isEmpty() && before == null) {
        throw new ToolException(
            sample.failures().isEmpty()
                ? HttpBrokerOptions.noneKnown(plan.topic())
                : String.join("; ", sample.failures()));
      }
      print(sample, before, redraw, shown == 0);
      context.out().flush();
      before = sample;
    }
  }

  private void print(StatSample sample, StatSample before, boolean redraw, boolean first)
      throws IOException {
    List<StatSample.Rated> rows = sample.since(before);
    if (plan.shape() != Shape.TABLE) {
      List<String> lines = StatTable.jsonLines(rows, Instant.now());
      if (plan.shape() == Shape.JSON_ARRAY) {
        context.out().println("[" + String.join(",", lines) + "]");
      } else {
        lines.forEach(context.out()::println);
      }
      sample.failures().forEach(failure -> context.err().println(Visible.text(failure)));
      return;
    }
    List<String> lines = StatTable.lines(sample, rows, LocalTime.now(ZoneId.systemDefault()));
    if (!redraw) {
      lines.forEach(context.out()::println);
      context.out().println();
      return;
    }
    StringBuilder screen = new StringBuilder(first ? CLEAR : "").append(HOME);
    lines.forEach(line -> screen.append(line).append(CLEAR_LINE_END).append('\n'));
    context.out().print(screen.append(CLEAR_BELOW));
  }
}
