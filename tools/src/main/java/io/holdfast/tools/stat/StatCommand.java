package io.holdfast.tools.stat;

import io.holdfast.tools.Given;
import io.holdfast.tools.Main;
import io.holdfast.tools.Quantities;
import io.holdfast.tools.ToolContext;
import io.holdfast.tools.ToolException;
import io.holdfast.tools.Visible;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import io.holdfast.tools.client.LookupClient;
import io.holdfast.tools.client.Names;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code stat} command. */
@Command(
    name = "stat",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
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
  private static final Duration TIMEOUT = Duration.ofSeconds(3);
  private static final String HOME = "\033[H";
  private static final String CLEAR_LINE_END = "\033[K";
  private static final String CLEAR_BELOW = "\033[J";
  private static final String CLEAR = "\033[2J";

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

  @Option(
      names = {"-b", "--broker", "--nsqd-http-address"},
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Http.class,
      description =
          "HTTP address (host:port) of a broker; repeat it or separate by commas for several "
              + "(default: 127.0.0.1:4151, unless --lookupd is given).")
  private List<BrokerAddress> brokers = List.of();

  @Option(
      names = {"-l", "--lookupd", "--lookupd-http-address"},
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Lookup.class,
      description =
          "HTTP address (host:port) of an nsqlookupd that knows the brokers;"
              + " repeatable (default port: 4161).")
  private List<BrokerAddress> lookups = List.of();

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
    if (interval.toMillis() < 10) {
      throw ToolException.usage("--interval must be at least 10ms");
    }
    HttpJson http = new HttpJson(TIMEOUT);
    LookupClient lookup = lookups.isEmpty() ? null : new LookupClient(http, lookups);
    StatsReader reader = new StatsReader(http, topic, channel);
    boolean redraw = context.terminal() && format == Format.TABLE && count != 1;
    StatSample before = null;
    long nextNs = System.nanoTime();
    for (long shown = 0; count == 0 || shown < count; shown++) {
      if (shown > 0) {
        nextNs = Math.max(nextNs + interval.toNanos(), System.nanoTime());
        if (context.stop().await((nextNs - System.nanoTime()) / 1_000_000)) {
          break;
        }
      }
      StatSample sample = reader.read(addresses(lookup));
      if (sample.answered().isEmpty() && before == null) {
        throw new ToolException(
            sample.failures().isEmpty()
                ? "nsqlookupd knows no broker" + (topic == null ? "" : " with topic " + topic)
                : String.join("; ", sample.failures()));
      }
      print(sample, before, redraw, shown == 0);
      context.out().flush();
      before = sample;
    }
    return Main.EXIT_OK;
  }

  private Set<BrokerAddress> addresses(LookupClient lookup) throws IOException {
    Set<BrokerAddress> addresses = new LinkedHashSet<>(brokers);
    if (lookup != null) {
      Set<LookupClient.Producer> producers = topic == null ? lookup.nodes() : lookup.lookup(topic);
      producers.forEach(producer -> addresses.add(producer.http()));
    } else if (addresses.isEmpty()) {
      addresses.add(new BrokerAddress("127.0.0.1", 4151));
    }
    return addresses;
  }

  private void print(StatSample sample, StatSample before, boolean redraw, boolean first)
      throws IOException {
    List<StatSample.Rated> rows = sample.since(before);
    if (format == Format.JSON) {
      StatTable.jsonLines(rows, Instant.now()).forEach(context.out()::println);
      sample.failures().forEach(failure -> context.err().println(Visible.text(failure)));
      return;
    }
    List<String> lines = StatTable.lines(sample, rows, LocalTime.now());
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
