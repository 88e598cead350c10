package io.holdfast.tools.data;

import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.LedgerScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/** Rows for people. */
final class TableRows implements Rows {
  private static final int MAX_ENTRIES = 8;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS", Locale.ROOT)
          .withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter DUE =
      DateTimeFormatter.ofPattern("MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

  private final PrintStream out;
  private final Path root;
  private final MessageIds ids;
  private final BodyFormat body;
  private final int maxBody;
  private String heading = "";

  TableRows(PrintStream out, Path root, MessageIds ids, BodyFormat body, int maxBody) {
    this.out = out;
    this.root = root;
    this.ids = ids;
    this.body = body;
    this.maxBody = maxBody;
  }

  private void heading(String line, String columns) {
    if (!heading.equals(line)) {
      out.println((heading.isEmpty() ? "" : "\n") + Visible.text(line));
      out.println(columns);
      heading = line;
    }
  }

  private String place(Path file, long offset) {
    return Visible.text(root.relativize(file).toString()) + (offset < 0 ? "" : ":" + offset);
  }

  @Override
  public void message(
      TopicView topic,
      List<ChannelView> channels,
      JournalScan journal,
      MessageView message,
      long nowMs) {
    heading(
        "TOPIC " + topic.name(),
        "ID                ORDINAL  PUBLISHED                    SIZE  STATE  FILE:OFFSET  BODY");
    long ordinal = message.ordinal();
    boolean kept = topic.keepsBack(ordinal);
    StringBuilder states = new StringBuilder();
    for (ChannelView channel : channels) {
      if (!channel.has(ordinal)) {
        continue;
      }
      ChannelView.State state = channel.stateOf(message, kept, nowMs);
      states.append(states.isEmpty() ? "" : ", ");
      states.append(Visible.text(channel.name())).append(' ').append(JsonRows.lower(state));
      if (state == ChannelView.State.DEFERRED) {
        states.append(" until ").append(DUE.format(Instant.ofEpochMilli(channel.dueMs(message))));
      } else if (state == ChannelView.State.DEAD) {
        states.append(" (").append(death(channel.dead(ordinal))).append(')');
      }
      int attempts = channel.attempts(ordinal);
      if (attempts > 0) {
        states.append(" (").append(attempts).append(attempts == 1 ? " attempt)" : " attempts)");
      }
    }
    if (states.isEmpty()) {
      states.append(kept ? "kept" : "-");
    }
    String id = ids.idOf(topic, ordinal);
    out.printf(
        Locale.ROOT,
        "%-16s %8d  %s %9d  %s  %s  %s%n",
        id == null ? "?" : id,
        ordinal,
        TIME.format(When.instant(message.timestampNs())),
        message.bodyLength(),
        states,
        place(journal.file(), journal.offset()),
        body.inTable(message.body(), maxBody));
  }

  private static String death(HeldMessage dead) {
    Instant died = Instant.ofEpochMilli(dead.dueMs());
    return JsonRows.reason(dead) + ", died " + DUE.format(died);
  }

  @Override
  public void batch(TopicView topic, JournalScan journal) {
    heading("TOPIC " + topic.name() + " journal", "ORDINALS  PUBLISHED  BYTES  FILE:OFFSET");
    out.printf(
        Locale.ROOT,
        "batch %d..%d  %s  %d%s  %s%n",
        journal.firstOrdinal(),
        journal.endOrdinal() - 1,
        TIME.format(When.instant(journal.timestampNs())),
        journal.recordBytes(),
        journal.deferMs() == 0 ? "" : "  deferred " + journal.deferMs() + " ms",
        place(journal.file(), journal.offset()));
  }

  @Override
  public void ledger(TopicView topic, ChannelView channel, LedgerScan record) {
    heading(
        "TOPIC " + topic.name() + " CHANNEL " + channel.name() + " ledger",
        "RECORD  ORDINALS  FILE:OFFSET");
    StringBuilder what = new StringBuilder(JsonRows.lower(record.type()).replace('_', ' '));
    switch (record.type()) {
      case EMPTY -> what.append(" below ").append(record.floor());
      case CHECKPOINT_BEGIN ->
          what.append(" floor ").append(record.floor()).append(" end ").append(record.end());
      case FINISH, CHECKPOINT_FINISHED, DELIVER, CHECKPOINT_DELIVERED -> {
        int count = record.ranges().count();
        for (int i = 0; i < Math.min(count, MAX_ENTRIES); i++) {
          long from = record.ranges().from(i);
          long last = record.ranges().to(i) - 1;
          what.append(i == 0 ? " " : ", ").append(from);
          if (last > from) {
            what.append("..").append(last);
          }
        }
        more(what, count);
      }
      case HOLD, CHECKPOINT_HELD -> {
        int count = record.held().size();
        for (int i = 0; i < Math.min(count, MAX_ENTRIES); i++) {
          HeldMessage held = record.held().get(i);
          what.append(i == 0 ? " " : ", ").append(held.ref().ordinal());
          what.append(" (attempts ").append(held.ref().attempts());
          if (held.ref().lives() > 0) {
            what.append(", redriven ").append(held.ref().lives());
          }
          if (held.isDead()) {
            what.append(", dead: ").append(death(held));
            what.append(held.mark().isOut() ? ", to be published" : "");
          } else if (held.dueMs() > 0) {
            what.append(", due ").append(DUE.format(Instant.ofEpochMilli(held.dueMs())));
          }
          what.append(')');
        }
        more(what, count);
      }
      case CHECKPOINT_END -> {}
    }
    if (record.generation() > 0) {
      what.append(" (generation ").append(record.generation()).append(')');
    }
    out.println(what + "  " + place(record.file(), record.offset()));
  }

  private static void more(StringBuilder what, int count) {
    if (count > MAX_ENTRIES) {
      what.append(" and ").append(count - MAX_ENTRIES).append(" more");
    }
  }

  @Override
  public void defect(Defect defect) {
    out.println(
        "DEFECT "
            + place(defect.file(), defect.offset())
            + ": "
            + Visible.text(defect.what() + "; " + defect.consequence()));
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }
}
