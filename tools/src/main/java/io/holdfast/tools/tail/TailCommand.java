package io.holdfast.tools.tail;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.PastTime;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.BrokerOptions;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.HttpAccess;
import io.holdfast.tools.client.HttpJson;
import io.holdfast.tools.client.Names;
import io.holdfast.tools.client.TopicPages;
import io.holdfast.tools.client.UserOptions;
import io.holdfast.tools.client.Wire;
import io.holdfast.tools.client.WireOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code tail} command. */
@Command(
    name = "tail",
    sortOptions = false,
    description = {
      "Prints the messages of a topic as they come.",
      "",
      "Without --channel it only looks: an ephemeral channel of its own gets a copy of every new "
          + "message, and of the backlog of a topic that has no channel yet; nobody else misses "
          + "anything. A broker that would lose that backlog (nsqd) is refused.",
      "",
      "With --since it first prints what is there, which changes nothing either.",
      "",
      "With --channel it is a consumer like any other of that channel and takes messages from it: "
          + "each is finished once it was printed."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools tail --topic access",
      "  holdfast-tools tail --topic jobs -n 10 --format json | jq .body",
      "  holdfast-tools tail --topic jobs --since 1h",
      "  holdfast-tools tail --topic jobs --lookupd lookup1,lookup2:4161"
    })
public final class TailCommand implements Callable<Integer> {
  private static final Logger log = LoggerFactory.getLogger(TailCommand.class);
  private static final int END_MS = 3_000;
  private static final Duration HTTP_TIMEOUT = Duration.ofSeconds(30);

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Option(
      names = {"-t", "--topic"},
      required = true,
      paramLabel = "TOPIC",
      description = "Topic to follow; brokers create it when it is missing.")
  private String topic;

  @Option(
      names = {"-c", "--channel"},
      paramLabel = "CHANNEL",
      description = "Channel to consume (default: consume nothing).")
  private String channelToConsume;

  @Mixin private BrokerOptions brokers;

  @Mixin private WireOptions wire;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = PastTime.Converter.class,
      description =
          "First print what the topic still has from then on, finished or not: 1h (ago), or an RFC"
              + " 3339 time. It is read over HTTP.")
  private PastTime since;

  @Option(
      names = "--nsqd-http-address",
      paramLabel = "ADDRESS",
      split = ",",
      converter = BrokerAddress.Http.class,
      description =
          "HTTP address of each --broker, for --since (default: what nsqlookupd says, else one port"
              + " above TCP).")
  private List<BrokerAddress> httpAddresses = List.of();

  @Mixin private UserOptions users;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "text",
      paramLabel = "FORMAT",
      description =
          "text: the body as it is (default); json: one object a line, with id, time, attempts and "
              + "broker; hex; base64.")
  private OutputFormat format;

  @Option(
      names = {"-n", "--count"},
      paramLabel = "N",
      converter = Quantities.AtLeastOne.class,
      description = "End after N messages (default: follow until Ctrl-C).")
  private long count;

  @Option(
      names = "--rdy",
      defaultValue = "200",
      paramLabel = "N",
      description = "Messages each broker may send ahead (default: 200).")
  private int rdy;

  @Option(
      names = "--rediscover",
      defaultValue = "15s",
      paramLabel = "TIME",
      converter = Quantities.Time.class,
      description = "How often nsqlookupd is asked for new brokers (default: 15s).")
  private Duration rediscover;

  @Option(
      names = {"-q", "--quiet"},
      description = "No summary at the end.")
  private boolean quiet;

  // Owned by the command's thread.
  private final Map<BrokerAddress, Follower> followers = new LinkedHashMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private MessagePrinter printer;
  private String channel;
  private ConnectOptions connect;

  /** null without --since. */
  private HttpJson http;

  /**
   * @param context streams and stop request
   */
  public TailCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws Exception {
    Names.checkTopic(topic);
    int number = ThreadLocalRandom.current().nextInt(1_000_000);
    channel =
        channelToConsume == null
            ? String.format(Locale.ROOT, "tail%06d#ephemeral", number)
            : Names.checkChannel(channelToConsume);
    if (rdy < 1 || rediscover.toMillis() < 100) {
      throw ToolException.usage("--rdy must be at least 1 and --rediscover at least 100ms");
    }
    if (!brokers.usesLookup()) {
      Given.refuse(spec, "without --lookupd", "--rediscover");
    }
    Wire reached = wire.wire();
    connect = ConnectOptions.defaults("tail", reached);
    if (since == null) {
      Given.refuse(spec, "without --since", "--nsqd-http-address", "--user", "--token");
    } else if (channelToConsume != null) {
      throw ToolException.usage(
          "--since looks at the topic, --channel takes from a channel: see admin channel rewind");
    } else {
      http = new HttpJson(HTTP_TIMEOUT, new HttpAccess(reached.tls(), users.authorization()));
    }
    printer = new MessagePrinter(context.out(), format, topic, count, context.terminal());
    long startNs = System.nanoTime();
    discover(true);
    List<String> failures = watch();
    long endNs = System.nanoTime() + END_MS * 1_000_000L;
    for (Thread thread : threads) {
      thread.join(Math.max(1, (endNs - System.nanoTime()) / 1_000_000));
    }
    printer.flush();
    if (!quiet) {
      context
          .err()
          .printf(
              Locale.ROOT,
              "%s in %.1f s%n",
              Quantities.count(printer.printed(), "message"),
              (System.nanoTime() - startNs) / 1e9);
    }
    if (!failures.isEmpty()) {
      throw new ToolException(String.join("; ", failures));
    }
    return ExitCode.OK;
  }

  /** Until the stop: looks for new brokers and for followers that ended. */
  private List<String> watch() throws IOException {
    long nextNs = System.nanoTime() + rediscover.toNanos();
    while (!context.stop().await(50)) {
      List<String> failures = new ArrayList<>();
      followers.values().removeIf(follower -> hasFailed(follower, failures));
      if (followers.isEmpty() && !brokers.usesLookup() && !failures.isEmpty()) {
        return failures;
      }
      failures.forEach(failure -> log.warn("{}", failure));
      if (brokers.usesLookup() && System.nanoTime() >= nextNs) {
        discover(false);
        nextNs = System.nanoTime() + rediscover.toNanos();
      }
    }
    return List.of();
  }

  private static boolean hasFailed(Follower follower, List<String> failures) {
    String failure = follower.failure();
    if (failure != null) {
      failures.add(failure);
    }
    return failure != null;
  }

  private void discover(boolean first) throws IOException {
    try {
      for (BrokerAddress address : brokers.holding(topic)) {
        followers.computeIfAbsent(address, this::follow);
      }
    } catch (IOException e) {
      if (first) {
        throw e;
      }
      log.warn("{}", ToolException.describe(e)); // The brokers known so far go on.
    }
    if (first && followers.isEmpty()) {
      log.warn("no broker has topic {} yet; waiting for one", topic);
    }
  }

  private PastMessages past(BrokerAddress address) {
    BrokerAddress httpAddress = brokers.http(address, httpAddresses);
    return new PastMessages(
        new TopicPages(http, httpAddress, topic, since::place, true), since, address);
  }

  private Follower follow(BrokerAddress address) {
    Follower follower =
        new Follower(
            address,
            topic,
            channel,
            rdy,
            channelToConsume == null ? connect.looking() : connect,
            printer,
            context.stop(),
            http == null ? null : past(address));
    Thread thread = new Thread(follower, "follower " + address);
    thread.setDaemon(true);
    threads.removeIf(old -> !old.isAlive());
    threads.add(thread);
    thread.start();
    return follower;
  }
}
