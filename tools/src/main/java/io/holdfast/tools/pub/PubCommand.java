package io.holdfast.tools.pub;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.BrokerOptions;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.Names;
import io.holdfast.tools.client.Wire;
import io.holdfast.tools.client.WireOptions;
import java.io.IOException;
import java.nio.file.AccessMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code pub} command. */
@Command(
    name = "pub",
    sortOptions = false,
    description = {
      "Publishes messages from a file, from standard input, or those of another topic.",
      "",
      "Delivery is at least once: a batch whose OK did not come (the connection broke, the disk was"
          + " full) is sent again, to the next broker if there are several, so a message can arrive"
          + " twice, but none is left out. Empty messages are skipped; brokers do not take them."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tail -F access.log | holdfast-tools pub --topic access",
      "  holdfast-tools pub --topic jobs --format json --rate 500 jobs.json",
      "  holdfast-tools pub --topic orders2 --from-topic orders --since 1h --match '\"eu\"'",
      "  echo later | holdfast-tools pub --topic jobs --defer 10s"
    })
public final class PubCommand implements Callable<Integer> {
  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      defaultValue = "-",
      description = "What to publish; - or nothing is standard input.")
  private String file;

  @Option(
      names = {"-t", "--topic"},
      required = true,
      paramLabel = "TOPIC",
      description = "Topic to publish to.")
  private String topic;

  @Mixin private BrokerOptions brokers;

  @Mixin private WireOptions wire;

  @Mixin private CopyOptions copy;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "line",
      paramLabel = "FORMAT",
      description =
          "line: a message per line (default); length: int32 big-endian length before each message;"
              + " json: per line an object with \"body\" or \"body_base64\" and, if wanted,"
              + " \"defer_ms\" (what tail --format json prints).")
  private InputFormat format;

  @Option(
      names = "--rate",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "At most N messages a second (default: as fast as the broker answers).")
  private Long rate;

  @Option(
      names = "--batch",
      defaultValue = "200",
      paramLabel = "N",
      converter = Quantities.Count.class,
      description = "At most N messages in one MPUB; 1 sends each by itself (default: 200).")
  private long batch;

  @Option(
      names = "--batch-bytes",
      defaultValue = "1m",
      paramLabel = "SIZE",
      converter = Quantities.Bytes.class,
      description = "At most this many bytes in one MPUB (default: 1m).")
  private long batchBytes;

  @Option(
      names = "--defer",
      defaultValue = "0",
      paramLabel = "TIME",
      converter = Quantities.Time.class,
      description = "Deliver each message only after this time, such as 500ms or 10s.")
  private Duration defer;

  @Option(
      names = "--retry-for",
      defaultValue = "1m",
      paramLabel = "TIME",
      converter = Quantities.Time.class,
      description = "Give up when a batch could not be published for this long (default: 1m).")
  private Duration retryFor;

  @Option(
      names = {"-q", "--quiet"},
      description = "No summary at the end.")
  private boolean quiet;

  /**
   * @param context streams and stop request
   */
  public PubCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws Exception {
    Names.checkTopic(topic);
    if (batch < 1 || batch > 100_000 || batchBytes < 1 || (rate != null && rate < 1)) {
      throw ToolException.usage(
          "--batch (at most 100k), --batch-bytes and --rate must be at least 1");
    }
    Wire reached = wire.wire();
    MessageSource source = source(reached);
    ConnectOptions connect = ConnectOptions.defaults("pub", reached);
    Set<BrokerAddress> targets = brokers.accepting(topic);
    if (targets.isEmpty()) {
      throw new ToolException("nsqlookupd knows no broker to publish to");
    }
    try (Publisher publisher = new Publisher(topic, targets, connect, retryFor, context.stop())) {
      publisher.connect();
      publishAll(source, publisher);
    }
    return ExitCode.OK;
  }

  private MessageSource source(Wire reached) throws IOException {
    if (!copy.given(spec)) {
      return new MessageInput(input(), format, defer.toMillis());
    }
    if (!file.equals("-")) {
      throw ToolException.usage("FILE has no effect with --from-topic");
    }
    return copy.source(brokers, reached, defer.toMillis());
  }

  private MessageInput.Source input() throws IOException {
    if (file.equals("-")) {
      return context::in;
    }
    Path path = Path.of(file);
    if (Files.isDirectory(path)) {
      throw new ToolException(file + ": is a directory");
    }
    path.getFileSystem().provider().checkAccess(path, AccessMode.READ);
    return () -> Files.newInputStream(path);
  }

  private void publishAll(MessageSource input, Publisher publisher) throws Exception {
    MessageFeed feed = new MessageFeed();
    context.stop().onStop(feed::close);
    Thread reader = new Thread(() -> feed.readAll(input), "input");
    reader.setDaemon(true);
    long startNs = System.nanoTime();
    reader.start();
    try {
      Pace pace = rate == null ? null : new Pace(rate, startNs);
      int most = (int) (pace == null ? batch : Math.min(batch, pace.messagesPerTick()));
      List<InputMessage> messages = feed.take(most, batchBytes);
      while (!messages.isEmpty()) {
        if (pace != null && context.stop().await(pace.waitMs(messages.size(), System.nanoTime()))) {
          // Without its pace the rest would be a flood.
          int left = messages.size() + feed.waiting();
          context
              .err()
              .println("stopped; " + Quantities.count(left, "message") + " read but not published");
          break;
        }
        publisher.publish(messages);
        messages = feed.take(most, batchBytes);
      }
    } finally {
      feed.close();
      if (!quiet) {
        summary(publisher, input.skippedEmpty(), (System.nanoTime() - startNs) / 1e9);
      }
    }
  }

  private void summary(Publisher publisher, long skipped, double seconds) {
    context
        .err()
        .printf(
            Locale.ROOT,
            "published %s, %s in %.2f s: %s msg/s, %s/s; retries %s%s%n",
            Quantities.count(publisher.messages(), "message"),
            Quantities.bytes(publisher.bytes()),
            seconds,
            Quantities.grouped(publisher.messages() / seconds),
            Quantities.bytes(publisher.bytes() / seconds),
            Quantities.grouped(publisher.retries()),
            skipped == 0 ? "" : "; " + Quantities.count(skipped, "empty one") + " skipped");
  }
}
