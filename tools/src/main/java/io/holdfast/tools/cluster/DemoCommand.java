package io.holdfast.tools.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The {@code cluster-demo} command. */
@Command(
    name = "cluster-demo",
    sortOptions = false,
    description = {
      "Starts three brokers on this machine that share their topics, publishes, kills the leader"
          + " with SIGKILL, publishes on, and shows that every message that was answered OK is"
          + " delivered.",
      "",
      "All in a temporary directory and on free ports of the loopback; nothing is left of it. This"
          + " is bin/holdfast-cluster-demo of the distribution."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final String TOPIC = "demo";
  private static final Duration HTTP_TIMEOUT = Duration.ofSeconds(10);
  private static final long PATIENCE_MS = 180_000;
  private static final int LOOK_MS = 100;
  private static final byte[] NO_BODY = {};
  private static final int OK = 200;

  private final ToolContext context;
  private final HttpJson http = new HttpJson(HTTP_TIMEOUT);

  /** Bodies that were answered OK. */
  private final Set<String> published = new TreeSet<>();

  @Option(
      names = "--holdfast",
      required = true,
      paramLabel = "FILE",
      description = "What starts a broker: bin/holdfast of the distribution.")
  private Path launcher;

  @Option(
      names = "--messages",
      paramLabel = "N",
      defaultValue = "200",
      description = "How many to publish (default: ${DEFAULT-VALUE}).")
  private int messages;

  private List<DemoNode> nodes = List.of();
  private long unanswered;
  private long longestMs;

  /**
   * @param context streams and stop request
   */
  public DemoCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (messages < 2) {
      throw ToolException.usage("--messages: at least 2");
    }
    if (!Files.isExecutable(launcher)) {
      throw ToolException.usage("--holdfast: " + launcher + " cannot be started");
    }
    CountDownLatch cleaned = new CountDownLatch(1);
    Thread hook = new Thread(() -> await(cleaned), "cleaning");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return showAndClean();
    } finally {
      cleaned.countDown();
      remove(hook);
    }
  }

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // The process is ending: the hook sees that all is clean.
    }
  }

  /** Whoever ends the process waits until nothing is left, however slow the machine is. */
  private static void await(CountDownLatch cleaned) {
    try {
      if (!cleaned.await(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException("not cleaned up");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private int showAndClean() throws IOException {
    Path dir = Files.createTempDirectory("holdfast-demo-");
    // Whatever is waited for ends then.
    context.stop().onStop(() -> nodes.forEach(DemoNode::kill));
    try {
      nodes = DemoNode.three(launcher.toAbsolutePath(), dir);
      show(dir);
      return ExitCode.OK;
    } catch (ToolException e) {
      if (!context.stop().stopped()) {
        logs();
      }
      throw e;
    } finally {
      nodes.forEach(DemoNode::close);
      delete(dir);
    }
  }

  private void logs() throws IOException {
    for (DemoNode node : nodes) {
      for (String line : node.lastLines()) {
        context.err().println(node.name() + ": " + line);
      }
    }
  }

  private static void delete(Path dir) throws IOException {
    try (Stream<Path> all = Files.walk(dir)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  private void say(String text) {
    context.out().println(text);
    context.out().flush();
  }

  private void show(Path dir) throws IOException {
    say("Three brokers a, b and c on this machine, in " + dir);
    final long beginNs = System.nanoTime();
    for (DemoNode node : nodes) {
      node.start();
    }
    DemoNode leader = awaitLeader();
    say(
        "  they are a cluster after "
            + seconds(beginNs)
            + "; topic "
            + TOPIC
            + " is led by "
            + leader.name());
    post(leader, "/topic/create?topic=" + TOPIC);
    post(leader, "/channel/create?topic=" + TOPIC + "&channel=" + TOPIC);
    DemoNode other = nodes.stream().filter(node -> node != leader).findFirst().orElseThrow();
    publish(other, 0, messages / 2);
    say(
        "Published "
            + published.size()
            + " messages at "
            + other.name()
            + "; each OK means: on the disks of two of three");
    say("kill -9 " + leader.pid() + ", which is " + leader.name() + ", the leader");
    leader.kill();
    publish(other, messages / 2, messages);
    DemoNode second = awaitLeader();
    say(
        "  "
            + second.name()
            + " leads now. Published "
            + (messages - messages / 2)
            + " more at "
            + other.name()
            + ": all answered OK, one of them after "
            + String.format(Locale.ROOT, "%.1f s", longestMs / 1000.0)
            + retried());
    consume(second);
    final long againNs = System.nanoTime();
    leader.start();
    await("all three to be level", () -> isLevel(second));
    say("  " + leader.name() + " is back, and level after " + seconds(againNs));
    say("Nothing is missing. The directory is removed.");
  }

  private String retried() {
    return unanswered == 0
        ? ""
        : "; "
            + unanswered
            + " were not answered OK at first and published again, as a client does";
  }

  private static String seconds(long sinceNs) {
    return String.format(Locale.ROOT, "%.1f s", (System.nanoTime() - sinceNs) / 1e9);
  }

  private void await(String what, BooleanSupplier condition) {
    long beginNs = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if ((System.nanoTime() - beginNs) / 1_000_000 > PATIENCE_MS) {
        throw new ToolException("waited three minutes for " + what);
      }
      checkProcesses();
      if (context.stop().await(LOOK_MS)) {
        throw new ToolException("ended; nothing is left of it");
      }
    }
  }

  /** But for one, which was killed, they run. */
  private void checkProcesses() {
    List<DemoNode> dead = nodes.stream().filter(node -> !node.isAlive()).toList();
    if (dead.size() > 1 && !context.stop().stopped()) {
      throw new ToolException("broker " + dead.get(0).name() + " ended");
    }
  }

  private DemoNode awaitLeader() {
    DemoNode[] leader = new DemoNode[1];
    await(
        "a leader of topic " + TOPIC,
        () -> {
          leader[0] = leader();
          return leader[0] != null;
        });
    return leader[0];
  }

  /** Null when there is none that serves. */
  private DemoNode leader() {
    for (DemoNode node : nodes) {
      JsonNode view = node.isAlive() ? view(node) : null;
      if (view != null) {
        JsonNode group = view.path("groups").path(view.path("topic").path("group").asInt());
        if (group.path("serving").asBoolean()) {
          return node;
        }
      }
    }
    return null;
  }

  /** Null when it does not answer. */
  private JsonNode view(DemoNode node) {
    try {
      HttpJson.Reply reply = http.exchange("GET", node.http(), "/cluster?topic=" + TOPIC, null);
      return reply.status() == OK ? reply.json() : null;
    } catch (IOException e) {
      return null;
    }
  }

  private boolean isLevel(DemoNode asked) {
    try {
      List<BrokerAddress> addresses = List.of(asked.http());
      Standing standing = new Standing(new ClusterNodes(http, http, addresses).all());
      return standing.faults().isEmpty() && standing.behind(standing.committed()).isEmpty();
    } catch (ToolException e) {
      return false; // It does not answer yet.
    }
  }

  private void post(DemoNode node, String path) throws IOException {
    HttpJson.Reply reply = http.exchange("POST", node.http(), path, NO_BODY);
    if (reply.status() != OK) {
      throw new ToolException(path + " at " + node.name() + ": " + ClusterNodes.reason(reply));
    }
  }

  /** Publishes one after the other, each until it is answered OK. */
  private void publish(DemoNode node, int from, int to) {
    for (int i = from; i < to; i++) {
      String body = String.format(Locale.ROOT, "message %06d", i);
      long beginNs = System.nanoTime();
      await("OK for " + body, () -> isPublished(node, body));
      longestMs = Math.max(longestMs, (System.nanoTime() - beginNs) / 1_000_000);
      published.add(body);
    }
  }

  private boolean isPublished(DemoNode node, String body) {
    try {
      HttpJson.Reply reply =
          http.exchange(
              "POST", node.http(), "/pub?topic=" + TOPIC, body.getBytes(StandardCharsets.UTF_8));
      if (reply.status() == OK) {
        return true;
      }
      say("  " + body + ": " + ClusterNodes.reason(reply));
    } catch (IOException e) {
      say("  " + body + ": " + ToolException.describe(e));
    }
    unanswered++;
    return false;
  }

  private void consume(DemoNode node) throws IOException {
    DemoConsumer consumer = new DemoConsumer(context.stop(), TOPIC, published);
    await("the messages at " + node.name(), () -> consumer.hasAll(tcpOf(node)));
    say(
        "Consumed at "
            + node.name()
            + ": all "
            + published.size()
            + " messages that were answered OK"
            + (consumer.duplicates() == 0
                ? ""
                : ", " + consumer.duplicates() + " of them more than once"));
  }

  /** Where a consumer is served: with whoever leads. */
  private BrokerAddress tcpOf(DemoNode otherwise) {
    DemoNode leader = leader();
    return (leader == null ? otherwise : leader).tcp();
  }
}
