package io.holdfast.tools.bench.peers;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.bench.peers.PeersResults.Pair;
import io.holdfast.tools.bench.peers.PeersResults.Run;
import io.holdfast.tools.cli.Quantities;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** Results as Markdown and JSON. Stateless. */
final class PeersReport {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private static final List<Metric> SPEED =
      List.of(
          Metric.PUBLISH,
          Metric.SINGLE,
          Metric.DRAIN,
          Metric.BOTH,
          Metric.WAITING,
          Metric.WAITING_P99,
          Metric.P50,
          Metric.P99);

  private static final List<Metric> CPU =
      List.of(
          Metric.PUBLISH_CPU,
          Metric.SINGLE_CPU,
          Metric.DRAIN_CPU,
          Metric.BOTH_CPU,
          Metric.WAITING_CPU,
          Metric.OPEN_CPU);

  private PeersReport() {}

  /**
   * Writes peers.md, peers.svg and peers.json.
   *
   * @param dir created when it is not there
   * @param facts about the machine
   * @param missing a line for each broker that is not on it
   * @throws IOException when it cannot be written to
   */
  static void write(
      Path dir,
      Map<String, String> facts,
      PeersResults results,
      List<String> missing,
      PeersOptions options)
      throws IOException {
    Files.createDirectories(dir);
    Files.writeString(
        dir.resolve("peers.md"),
        markdown(facts, results, missing, options.rounds(), options.seconds()));
    Files.writeString(dir.resolve("peers.svg"), PeersChart.of(facts, results));
    Files.writeString(dir.resolve("peers.json"), json(facts, results) + "\n");
  }

  static String markdown(
      Map<String, String> facts,
      PeersResults results,
      List<String> missing,
      int rounds,
      double seconds) {
    StringBuilder text = new StringBuilder(8192);
    text.append("# Holdfast and other brokers\n\n");
    text.append(
        facts.entrySet().stream()
            .map(fact -> fact.getKey() + " " + fact.getValue())
            .collect(Collectors.joining(", ")));
    text.append(
        String.format(
            Locale.ROOT,
            ".%nMedians of %s of %s s, bodies of %d bytes, one server (or cluster) at a time on"
                + " this machine, a fresh one for each run; one client program for all, in which"
                + " only the protocol differs.%n",
            Quantities.count(rounds, "round"),
            Metric.shown(Metric.Unit.TIME, seconds),
            Bodies.SIZE));
    text.append("\n## Speed\n\n");
    table(text, results, SPEED);
    text.append(
        "\nmsg/s; times in ms. *Publish*: 2 connections, 200 messages each without an answer;"
            + " *a command each*: without MPUB. *Drain*: 2 connections, what was published before."
            + " *Both at once*: 2 and 2 connections, at most 20,000 messages in between."
            + " *50 waiting*: 50 connections, each waits for its OK. *5k/s*: at a fixed rate, from"
            + " the time a message was due to its consumer. `*`: other work disturbed each of"
            + " these runs.\n");
    text.append("\n## CPU of the server, us per message\n\n");
    table(text, results, CPU);
    text.append("\n## Where others are ahead\n\n");
    verdict(text, results);
    text.append("\n## What was compared\n\n");
    settings(text, results);
    for (String line : missing) {
      text.append("\nLeft out: ").append(line).append(".\n");
    }
    if (!results.failed().isEmpty()) {
      text.append("\n## Failed\n\n");
    }
    for (Run run : results.failed()) {
      text.append(
          String.format(
              Locale.ROOT,
              "- %s, %s, round %d: %s%n",
              run.peer().name(),
              run.scenario().label(),
              run.round() + 1,
              run.failure()));
    }
    return text.toString();
  }

  private static void table(StringBuilder text, PeersResults results, List<Metric> metrics) {
    text.append("| OK means | broker |");
    metrics.forEach(metric -> text.append(' ').append(metric.label()).append(" |"));
    text.append("\n|---|---|").append("---:|".repeat(metrics.size())).append('\n');
    Promise last = null;
    for (Peer peer : results.peers()) {
      text.append("| ").append(peer.promise() == last ? "" : peer.promise().label());
      text.append(" | ").append(peer.own() ? "**" + peer.name() + "**" : peer.name());
      text.append(" |");
      last = peer.promise();
      for (Metric metric : metrics) {
        text.append(' ').append(cell(results, peer, metric)).append(" |");
      }
      text.append('\n');
    }
  }

  private static String cell(PeersResults results, Peer peer, Metric metric) {
    OptionalDouble median = results.median(peer, metric);
    if (median.isEmpty()) {
      return "-";
    }
    return Metric.shown(metric.unit(), median.getAsDouble())
        + (results.isDisturbed(peer, metric) ? "\\*" : "");
  }

  /** For each promise: what another is better at, and by how much Holdfast leads elsewhere. */
  private static void verdict(StringBuilder text, PeersResults results) {
    verdict(text, results, Promise.WRITTEN, Promise.WRITTEN, "`written`");
    verdict(text, results, Promise.FORCED, Promise.FORCED, "`synced`");
    verdict(text, results, Promise.REPLICATED, Promise.REPLICATED, "Three brokers");
    verdict(
        text,
        results,
        Promise.MEMORY,
        Promise.WRITTEN,
        "`written`, beside what is only in memory,");
  }

  private static void verdict(
      StringBuilder text, PeersResults results, Promise of, Promise own, String title) {
    List<String> behind = new ArrayList<>();
    List<String> ahead = new ArrayList<>();
    for (Metric metric : Metric.values()) {
      Pair pair = results.best(of, own, metric).orElse(null);
      if (pair == null) {
        continue;
      }
      String what = metric.unit() == Metric.Unit.CPU ? "CPU for " + metric.label() : metric.label();
      String values =
          String.format(
              Locale.ROOT,
              "%s (%s %s against %s)",
              what,
              pair.other().name(),
              Metric.shown(metric.unit(), pair.otherValue()),
              Metric.shown(metric.unit(), pair.ownValue()));
      if (pair.gain() < 1) {
        behind.add(values);
      } else {
        ahead.add(values + " " + Metric.shown(Metric.Unit.TIME, pair.gain()) + "x");
      }
    }
    if (behind.isEmpty() && ahead.isEmpty()) {
      return;
    }
    text.append("- **").append(title).append("** is behind at ");
    text.append(behind.isEmpty() ? "nothing" : String.join(", ", behind));
    text.append(".\n  Ahead of the next best at ");
    text.append(ahead.isEmpty() ? "nothing" : String.join(", ", ahead)).append(".\n");
  }

  private static void settings(StringBuilder text, PeersResults results) {
    for (Promise promise : Promise.values()) {
      if (results.peers().stream().anyMatch(peer -> peer.promise() == promise)) {
        text.append("- **").append(promise.label()).append("**: ").append(promise.about());
        text.append(".\n");
      }
    }
    text.append("\n| broker | version | settings | OK means: the message is | client |\n");
    text.append("|---|---|---|---|---|\n");
    for (Peer peer : results.peers()) {
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s |%n",
              peer.name(),
              results.version(peer),
              peer.settings(),
              peer.ok(),
              peer.client()));
    }
  }

  private static String json(Map<String, String> facts, PeersResults results) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    json.set("facts", JSON.valueToTree(facts));
    ArrayNode runs = json.putArray("runs");
    for (Run run : results.runs()) {
      ObjectNode node = runs.addObject();
      node.put("broker", run.peer().name());
      node.put("version", results.version(run.peer()));
      node.put("scenario", run.scenario().label());
      node.put("round", run.round());
      node.put("other_cores", run.otherCores());
      node.put("disturbed", run.disturbed());
      node.put("failure", run.failure());
      ObjectNode readings = node.putObject("readings");
      run.readings()
          .forEach((metric, value) -> readings.put(metric.name().toLowerCase(Locale.ROOT), value));
    }
    return JSON.writeValueAsString(json);
  }
}
