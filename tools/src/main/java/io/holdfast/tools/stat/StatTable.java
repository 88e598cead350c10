package io.holdfast.tools.stat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.Visible;
import java.time.Instant;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Turns samples into text. Stateless. */
public final class StatTable {
  private static final ObjectMapper JSON = new ObjectMapper(Visible.jsonFactory());
  private static final String[] COLUMNS = {
    "DEPTH",
    "BACKEND",
    "IN FLIGHT",
    "DEFERRED",
    "DEAD",
    "REQUEUED",
    "TIMEOUTS",
    "MESSAGES",
    "CLIENTS",
    "IN/S",
    "OUT/S"
  };
  private static final int MIN_NAME = 20;

  private StatTable() {}

  /**
   * The table, a line per topic and an indented line per channel.
   *
   * @param sample what to show
   * @param rows its rows with their rates
   * @param time printed in front
   * @return lines without newline
   */
  static List<String> lines(StatSample sample, List<StatSample.Rated> rows, LocalTime time) {
    List<String[]> cells = new ArrayList<>();
    cells.add(header());
    rows.forEach(rated -> cells.add(cells(rated)));
    int[] widths = new int[COLUMNS.length + 1];
    widths[0] = MIN_NAME;
    for (String[] row : cells) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    List<String> lines = new ArrayList<>();
    lines.add(summary(sample, rows, time));
    for (String[] row : cells) {
      StringBuilder line =
          new StringBuilder(String.format(Locale.ROOT, "%-" + widths[0] + "s", row[0]));
      for (int i = 1; i < row.length; i++) {
        line.append(String.format(Locale.ROOT, "  %" + widths[i] + "s", row[i]));
      }
      lines.add(line.toString());
    }
    if (rows.isEmpty()) {
      lines.add("(no topics)");
    }
    sample.failures().forEach(failure -> lines.add("! " + Visible.text(failure)));
    return lines;
  }

  private static String summary(StatSample sample, List<StatSample.Rated> rows, LocalTime time) {
    long topics = rows.stream().filter(rated -> rated.row().isTopic()).count();
    StringBuilder line = new StringBuilder();
    line.append(time.truncatedTo(ChronoUnit.SECONDS))
        .append(time.getSecond() == 0 ? ":00" : "")
        .append("  brokers ")
        .append(sample.answered().size())
        .append(" of ")
        .append(sample.answered().size() + sample.failures().size())
        .append(", topics ")
        .append(topics)
        .append(", channels ")
        .append(rows.size() - topics);
    sample
        .answered()
        .forEach(
            (broker, health) -> {
              if (!health.equals("OK")) {
                line.append("  ! ").append(broker).append(": ").append(Visible.text(health));
              }
            });
    return line.toString();
  }

  private static String[] header() {
    String[] header = new String[COLUMNS.length + 1];
    header[0] = "TOPIC / CHANNEL";
    System.arraycopy(COLUMNS, 0, header, 1, COLUMNS.length);
    return header;
  }

  private static String[] cells(StatSample.Rated rated) {
    StatRow row = rated.row();
    String name = Visible.text(row.isTopic() ? row.topic() : "  " + row.channel());
    boolean topic = row.isTopic();
    return new String[] {
      row.paused() ? name + " (paused)" : name,
      Quantities.grouped(row.depth()),
      Quantities.grouped(row.backendDepth()),
      topic ? "" : Quantities.grouped(row.inFlight()),
      topic ? "" : Quantities.grouped(row.deferred()),
      topic ? "" : dead(row),
      topic ? "" : Quantities.grouped(row.requeued()),
      topic ? "" : Quantities.grouped(row.timedOut()),
      Quantities.grouped(row.messages()),
      topic ? "" : Quantities.grouped(row.clients()),
      Quantities.grouped(rated.inPerSecond()),
      topic ? "" : Quantities.grouped(rated.outPerSecond())
    };
  }

  /** A channel's dead letters for a table: a dash where the broker does not tell, as nsqd. */
  public static String dead(StatRow row) {
    return row.knowsDead() ? Quantities.grouped(row.dead()) : "-";
  }

  /**
   * One JSON object per row.
   *
   * @param rows with their rates
   * @param time put into each
   * @return lines without newline
   */
  public static List<String> jsonLines(List<StatSample.Rated> rows, Instant time)
      throws JsonProcessingException {
    List<String> lines = new ArrayList<>();
    for (StatSample.Rated rated : rows) {
      StatRow row = rated.row();
      ObjectNode json = JSON.createObjectNode();
      json.put("time", time.truncatedTo(ChronoUnit.MILLIS).toString());
      json.put("topic", row.topic());
      if (!row.isTopic()) {
        json.put("channel", row.channel());
      }
      json.put("depth", row.depth());
      json.put("backend_depth", row.backendDepth());
      if (!row.isTopic()) {
        json.put("in_flight_count", row.inFlight());
        json.put("deferred_count", row.deferred());
        if (row.knowsDead()) {
          json.put("dead_count", row.dead());
        }
        json.put("requeue_count", row.requeued());
        json.put("timeout_count", row.timedOut());
        json.put("client_count", row.clients());
      }
      json.put("message_count", row.messages());
      json.put("paused", row.paused());
      json.put("in_per_second", rounded(rated.inPerSecond()));
      if (!row.isTopic()) {
        json.put("out_per_second", rounded(rated.outPerSecond()));
      }
      lines.add(JSON.writeValueAsString(json));
    }
    return lines;
  }

  private static double rounded(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.1f", value));
  }
}
