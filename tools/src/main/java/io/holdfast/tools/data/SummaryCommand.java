package io.holdfast.tools.data;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.GroupView;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The {@code summary} command. */
@Command(
    name = "summary",
    sortOptions = false,
    description = {
      "Says on one screen what is in a data directory: per topic and channel the messages, what is"
          + " waiting, deferred and dead, the age of the oldest unfinished message, and bytes on"
          + " disk.",
      "",
      "Depth and deferred are what a broker that starts now would show in /stats; of a node of a"
          + " cluster they are those of the newest snapshot and what was published since. Only"
          + " reads."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools summary data",
      "  holdfast-tools summary data --format json | jq -c 'select(.depth > 1000)'"
    })
public final class SummaryCommand implements Callable<Integer> {
  private static final int MIN_NAME = 24;

  private final ToolContext context;

  @Mixin private DirOptions dir;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "table",
      paramLabel = "FORMAT",
      description = "table (default) or json: one object a line.")
  private DumpCommand.Format format;

  /** A topic, or a channel when that is not null; oldestMs is -1 when everything is finished. */
  private record Row(
      String topic,
      String channel,
      boolean paused,
      long messages,
      long depth,
      long deferred,
      long dead,
      long oldestMs,
      long diskBytes,
      long reclaimableBytes) {}

  /**
   * @param context streams and stop request
   */
  public SummaryCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    DataDirView view = dir.open();
    DirOptions.warnOfCopies(view, context);
    List<String> topics = dir.topics(view);
    dir.checkChannels(view, topics);
    List<Row> rows = new ArrayList<>();
    long nowMs = System.currentTimeMillis();
    for (String name : topics) {
      try (TopicView topic = DirOptions.topic(view, name)) {
        addRows(topic, nowMs, rows);
      }
    }
    if (format == DumpCommand.Format.JSON) {
      printGroups(view);
      printJson(rows);
    } else {
      printTable(view, rows);
    }
    return ExitCode.OK;
  }

  private void addRows(TopicView topic, long nowMs, List<Row> rows) throws IOException {
    long oldest = topic.depth() > 0 ? topic.keptFrom() : Long.MAX_VALUE;
    List<Row> channels = new ArrayList<>();
    for (ChannelView channel : topic.channels()) {
      long first = channel.oldestUnfinished();
      if (first >= 0) {
        oldest = Math.min(oldest, first);
      }
      if (dir.includesChannel(channel.name())) {
        channels.add(
            new Row(
                topic.name(),
                channel.name(),
                channel.paused(),
                channel.unfinished(),
                channel.depth(nowMs),
                channel.deferred(nowMs),
                channel.deadCount(),
                first < 0 ? -1 : ageMs(topic, first, nowMs),
                channel.diskBytes(),
                0));
      }
    }
    rows.add(
        new Row(
            topic.name(),
            null,
            topic.paused(),
            topic.messages(),
            topic.depth(),
            0,
            0,
            oldest == Long.MAX_VALUE ? -1 : ageMs(topic, oldest, nowMs),
            topic.diskBytes(),
            topic.reclaimableBytes()));
    rows.addAll(channels);
  }

  private static long ageMs(TopicView topic, long ordinal, long nowMs) throws IOException {
    long timestampNs = topic.timestampNs(ordinal);
    return timestampNs < 0 ? -1 : Math.max(0, nowMs - timestampNs / 1_000_000);
  }

  private void printGroups(DataDirView view) throws IOException {
    if (view.member() == null || view.member().groups().isEmpty()) {
      return;
    }
    try (JsonGenerator json = JsonRows.generator(context.out())) {
      for (GroupView group : view.member().groups()) {
        json.writeStartObject();
        json.writeNumberField("group", group.group());
        if (group.vote() != null) {
          json.writeNumberField("term", group.vote().term());
          json.writeStringField("vote", group.votedFor());
        }
        if (group.log() != null) {
          json.writeNumberField("first", group.log().first());
          json.writeNumberField("last", group.log().last());
          json.writeNumberField("log_bytes", group.log().bytes());
        }
        json.writeNumberField("snapshot", group.snapshotIndex());
        json.writeArrayFieldStart("defects");
        for (Defect defect : group.defects()) {
          json.writeString(defect.place() + ": " + defect.what());
        }
        json.writeEndArray();
        json.writeEndObject();
      }
    }
    context.out().println();
  }

  private void printJson(List<Row> rows) throws IOException {
    try (JsonGenerator json = JsonRows.generator(context.out())) {
      for (Row row : rows) {
        json.writeStartObject();
        json.writeStringField("topic", row.topic());
        if (row.channel() != null) {
          json.writeStringField("channel", row.channel());
        }
        json.writeBooleanField("paused", row.paused());
        json.writeNumberField("messages", row.messages());
        json.writeNumberField("depth", row.depth());
        json.writeNumberField("deferred", row.deferred());
        json.writeNumberField("dead", row.dead());
        if (row.oldestMs() >= 0) {
          json.writeNumberField("oldest_unfinished_ms", row.oldestMs());
        }
        json.writeNumberField("disk_bytes", row.diskBytes());
        if (row.channel() == null) {
          json.writeNumberField("reclaimable_bytes", row.reclaimableBytes());
        }
        json.writeEndObject();
      }
    }
    if (!rows.isEmpty()) {
      context.out().println();
    }
  }

  private void printTable(DataDirView view, List<Row> rows) throws IOException {
    PrintStream out = context.out();
    long disk = rows.stream().mapToLong(Row::diskBytes).sum();
    long reclaimable = rows.stream().mapToLong(Row::reclaimableBytes).sum();
    long topics = rows.stream().filter(row -> row.channel() == null).count();
    out.printf(
        Locale.ROOT,
        "%s  format %d, topics %d, channels %d, on disk %s, reclaimable %s%n",
        Visible.text(view.root().toString()),
        view.metadata().formatVersion(),
        topics,
        rows.size() - topics,
        Quantities.bytes(disk),
        Quantities.bytes(reclaimable));
    DirOptions.groups(view).forEach(out::println);
    long deleted = view.deletedBytes();
    if (deleted > 0) {
      out.println(
          Quantities.bytes(deleted)
              + " are of deleted topics; the broker's next start removes them");
    }
    if (view.metadataDefect() != null) {
      out.println(
          Visible.text(
              "DEFECT "
                  + view.metadataDefect().what()
                  + "; "
                  + view.metadataDefect().consequence()));
    }
    int width = MIN_NAME;
    for (Row row : rows) {
      width = Math.max(width, name(row).length());
    }
    out.printf(
        Locale.ROOT,
        "%-" + width + "s %12s %12s %10s %8s %9s %10s %12s%n",
        "TOPIC / CHANNEL",
        "MESSAGES",
        "DEPTH",
        "DEFERRED",
        "DEAD",
        "OLDEST",
        "ON DISK",
        "RECLAIMABLE");
    for (Row row : rows) {
      boolean topic = row.channel() == null;
      out.printf(
          Locale.ROOT,
          "%-" + width + "s %12s %12s %10s %8s %9s %10s %12s%n",
          name(row),
          Quantities.grouped(row.messages()),
          Quantities.grouped(row.depth()),
          topic ? "" : Quantities.grouped(row.deferred()),
          topic ? "" : Quantities.grouped(row.dead()),
          row.oldestMs() < 0 ? "-" : When.age(row.oldestMs()),
          Quantities.bytes(row.diskBytes()),
          topic ? Quantities.bytes(row.reclaimableBytes()) : "");
    }
  }

  private static String name(Row row) {
    String name = Visible.text(row.channel() == null ? row.topic() : "  " + row.channel());
    return row.paused() ? name + " (paused)" : name;
  }
}
