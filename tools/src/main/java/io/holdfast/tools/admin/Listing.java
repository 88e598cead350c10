package io.holdfast.tools.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.TextTable;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.stat.StatRow;
import io.holdfast.tools.stat.StatSample;
import io.holdfast.tools.stat.StatTable;
import io.holdfast.tools.stat.StatsReader;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Prints what was asked for as a table, or as one JSON document. Stateless. */
final class Listing {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Listing() {}

  /** Topics of all brokers. */
  static void topics(AdminCommand admin) throws IOException {
    List<StatSample.Rated> rows = new ArrayList<>();
    for (StatSample.Rated rated : sample(admin, null)) {
      if (rated.row().isTopic()) {
        rows.add(rated);
      }
    }
    if (admin.json()) {
      json(admin, rows);
      return;
    }
    List<String[]> cells = new ArrayList<>();
    cells.add(new String[] {"TOPIC", "DEPTH", "MESSAGES", "PAUSED"});
    for (StatSample.Rated rated : rows) {
      StatRow row = rated.row();
      cells.add(
          new String[] {
            row.topic(),
            Quantities.grouped(row.depth()),
            Quantities.grouped(row.messages()),
            row.paused() ? "yes" : "no"
          });
    }
    TextTable.print(admin.context().out(), cells);
  }

  /** Channels of one topic. */
  static void channels(AdminCommand admin, String topic) throws IOException {
    List<StatSample.Rated> rows = new ArrayList<>();
    boolean isThere = false;
    for (StatSample.Rated rated : sample(admin, topic)) {
      isThere = true;
      if (!rated.row().isTopic()) {
        rows.add(rated);
      }
    }
    if (!isThere) {
      throw new ToolException("TOPIC_NOT_FOUND");
    }
    if (admin.json()) {
      json(admin, rows);
      return;
    }
    List<String[]> cells = new ArrayList<>();
    cells.add(
        new String[] {
          "CHANNEL",
          "DEPTH",
          "IN FLIGHT",
          "DEFERRED",
          "DEAD",
          "MESSAGES",
          "REQUEUED",
          "TIMEOUTS",
          "CLIENTS",
          "PAUSED"
        });
    for (StatSample.Rated rated : rows) {
      StatRow row = rated.row();
      cells.add(
          new String[] {
            row.channel(),
            Quantities.grouped(row.depth()),
            Quantities.grouped(row.inFlight()),
            Quantities.grouped(row.deferred()),
            StatTable.dead(row),
            Quantities.grouped(row.messages()),
            Quantities.grouped(row.requeued()),
            Quantities.grouped(row.timedOut()),
            Quantities.grouped(row.clients()),
            row.paused() ? "yes" : "no"
          });
    }
    TextTable.print(admin.context().out(), cells);
  }

  private static List<StatSample.Rated> sample(AdminCommand admin, String topic)
      throws IOException {
    AdminApi api = admin.api();
    StatSample sample = new StatsReader(api.http(), topic, null).read(api.brokers());
    if (!sample.failures().isEmpty()) {
      throw new ToolException(String.join("; ", sample.failures()));
    }
    return sample.since(null);
  }

  private static void json(AdminCommand admin, List<StatSample.Rated> rows) throws IOException {
    ArrayNode all = JSON.createArrayNode();
    for (String line : StatTable.jsonLines(rows, Instant.now())) {
      all.add(JSON.readTree(line));
    }
    admin.context().out().println(all);
  }

  /**
   * A policy as /topic/policy and /channel/policy give it.
   *
   * @param path of one of them
   * @param fields {@code field=value} to set first; null or empty for none
   */
  static void policy(AdminCommand admin, String path, List<String> fields) throws IOException {
    List<String> answers =
        fields == null || fields.isEmpty()
            ? List.of(admin.api().text(path))
            : admin.api().post(path, PolicyFieldsText.json(fields));
    for (String answer : answers) {
      if (admin.json()) {
        admin.context().out().println(answer);
        continue;
      }
      List<String[]> cells = new ArrayList<>();
      cells.add(new String[] {"FIELD", "VALUE", "FROM"});
      for (Map.Entry<String, JsonNode> field : JSON.readTree(answer).path("policy").properties()) {
        String value = field.getValue().path("value").asText();
        String from = field.getValue().path("from").asText();
        cells.add(new String[] {field.getKey(), value.isEmpty() ? "\"\"" : value, from});
      }
      TextTable.print(admin.context().out(), cells);
    }
  }

  /** What /channel/rewind says. */
  static void rewound(AdminCommand admin, String answer) throws IOException {
    JsonNode rewound = JSON.readTree(answer);
    String place =
        rewound.path("id").isTextual()
            ? rewound.path("id").asText() + " of " + rewound.path("time").asText()
            : "the end";
    print(
        admin,
        answer,
        "at "
            + place
            + ": "
            + Quantities.grouped(rewound.path("ready").asLong())
            + " ready, "
            + Quantities.grouped(rewound.path("skipped").asLong())
            + " skipped");
  }

  /** What /channel/redrive and /channel/discard say. */
  static void counted(AdminCommand admin, String answer) throws IOException {
    long count = JSON.readTree(answer).path("count").asLong();
    print(admin, answer, Quantities.count(count, "dead letter"));
  }

  private static void print(AdminCommand admin, String json, String text) {
    admin.context().out().println(admin.json() ? json : text);
  }

  /** Messages as /topic/peek and /channel/peek give them. */
  static void peeked(AdminCommand admin, String answer) throws IOException {
    PrintStream out = admin.context().out();
    if (admin.json()) {
      out.println(answer);
      return;
    }
    JsonNode peeked = JSON.readTree(answer);
    List<String[]> cells = new ArrayList<>();
    boolean isDead = peeked.path("state").asText().equals("dead");
    String[] more = isDead ? new String[] {"REASON", "DIED"} : new String[] {"DUE"};
    cells.add(row("ID", "TIME", "ATTEMPTS", "SIZE", more, "BODY"));
    for (JsonNode message : peeked.path("messages")) {
      // As JSON writes it: nothing in a body moves the cursor of the terminal.
      JsonNode body = message.has("body") ? message.get("body") : message.path("body_base64");
      cells.add(
          row(
              message.path("id").asText(),
              message.path("time").asText(),
              message.path("attempts").asText(),
              message.path("size").asText(),
              Stream.of(more)
                  .map(name -> message.path(name.toLowerCase(Locale.ROOT)).asText())
                  .toArray(String[]::new),
              (message.has("body") ? "" : "base64 ")
                  + Visible.text(body.toString())
                  + (message.path("truncated").asBoolean() ? "..." : "")));
    }
    TextTable.print(out, cells);
    if (peeked.path("next").isTextual()) {
      out.println("more: --from=" + peeked.get("next").asText());
    }
  }

  private static String[] row(
      String id, String time, String attempts, String size, String[] more, String body) {
    return Stream.of(Stream.of(id, time, attempts, size), Stream.of(more), Stream.of(body))
        .flatMap(cells -> cells)
        .toArray(String[]::new);
  }
}
