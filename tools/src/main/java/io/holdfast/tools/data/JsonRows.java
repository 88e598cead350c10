package io.holdfast.tools.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;
import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.LedgerScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** One JSON object a line. */
final class JsonRows implements Rows {
  private static final JsonFactory JSON = Visible.jsonFactory();

  private final JsonGenerator json;
  private final Path root;
  private final MessageIds ids;
  private final BodyFormat body;

  JsonRows(OutputStream out, Path root, MessageIds ids, BodyFormat body) throws IOException {
    json = generator(out);
    json.setPrettyPrinter(new MinimalPrettyPrinter(""));
    this.root = root;
    this.ids = ids;
    this.body = body;
  }

  /** A generator of one object a line that leaves the stream open. */
  static JsonGenerator generator(OutputStream out) throws IOException {
    JsonGenerator json = JSON.createGenerator(out);
    json.setPrettyPrinter(new MinimalPrettyPrinter("\n"));
    json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    json.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    return json;
  }

  @Override
  public void message(
      TopicView topic,
      List<ChannelView> channels,
      JournalScan journal,
      MessageView message,
      long nowMs)
      throws IOException {
    begin("message", topic);
    long ordinal = message.ordinal();
    json.writeStringField("id", ids.idOf(topic, ordinal));
    json.writeNumberField("ordinal", ordinal);
    json.writeStringField("time", When.text(message.timestampNs()));
    json.writeNumberField("timestamp", message.timestampNs());
    json.writeNumberField("size", message.bodyLength());
    if (message.deferMs() > 0) {
      json.writeNumberField("defer_ms", message.deferMs());
    }
    place(journal.file(), journal.offset());
    json.writeNumberField("body_offset", message.bodyOffset());
    boolean kept = topic.keepsBack(ordinal);
    if (kept && channels.isEmpty()) {
      json.writeStringField("state", "kept");
    }
    json.writeObjectFieldStart("channels");
    for (ChannelView channel : channels) {
      if (!channel.has(ordinal)) {
        continue;
      }
      ChannelView.State state = channel.stateOf(message, kept, nowMs);
      json.writeObjectFieldStart(channel.name());
      json.writeStringField("state", lower(state));
      json.writeNumberField("attempts", channel.attempts(ordinal));
      if (state == ChannelView.State.DEFERRED) {
        json.writeStringField("due", Instant.ofEpochMilli(channel.dueMs(message)).toString());
      } else if (state == ChannelView.State.DEAD) {
        death(json, channel.dead(ordinal));
      }
      json.writeEndObject();
    }
    json.writeEndObject();
    body.inJson(message.body(), json);
    endRow();
  }

  /** Why and when a message died. */
  static void death(JsonGenerator json, HeldMessage dead) throws IOException {
    json.writeStringField("reason", reason(dead));
    json.writeStringField("died", Instant.ofEpochMilli(dead.dueMs()).toString());
  }

  /** Why a message is dead, by the name of its policy. */
  static String reason(HeldMessage dead) {
    return dead.mark().isExpired() ? "expired" : "max_attempts";
  }

  static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private void begin(String type, TopicView topic) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", type);
    json.writeStringField("topic", topic.name());
  }

  private void place(Path file, long offset) throws IOException {
    json.writeStringField("file", root.relativize(file).toString());
    json.writeNumberField("offset", offset);
  }

  @Override
  public void batch(TopicView topic, JournalScan journal) throws IOException {
    begin(journal.isRelocated() ? "copy" : "batch", topic);
    json.writeNumberField("first_ordinal", journal.firstOrdinal());
    json.writeNumberField("count", journal.count());
    json.writeStringField("time", When.text(journal.timestampNs()));
    json.writeNumberField("timestamp", journal.timestampNs());
    json.writeNumberField("defer_ms", journal.deferMs());
    json.writeNumberField("bytes", journal.recordBytes());
    place(journal.file(), journal.offset());
    endRow();
  }

  @Override
  public void ledger(TopicView topic, ChannelView channel, LedgerScan record) throws IOException {
    begin(lower(record.type()), topic);
    json.writeStringField("channel", channel.name());
    switch (record.type()) {
      case EMPTY -> json.writeNumberField("floor", record.floor());
      case CHECKPOINT_BEGIN -> {
        json.writeNumberField("floor", record.floor());
        json.writeNumberField("end", record.end());
      }
      case FINISH, CHECKPOINT_FINISHED, DELIVER, CHECKPOINT_DELIVERED -> {
        boolean finished =
            record.type() == LedgerScan.Type.FINISH
                || record.type() == LedgerScan.Type.CHECKPOINT_FINISHED;
        json.writeArrayFieldStart(finished ? "finished" : "delivered");
        for (int i = 0; i < record.ranges().count(); i++) {
          json.writeStartArray();
          json.writeNumber(record.ranges().from(i));
          json.writeNumber(record.ranges().to(i) - 1);
          json.writeEndArray();
        }
        json.writeEndArray();
      }
      case HOLD, CHECKPOINT_HELD -> {
        json.writeArrayFieldStart("held");
        for (HeldMessage held : record.held()) {
          json.writeStartObject();
          json.writeNumberField("ordinal", held.ref().ordinal());
          json.writeNumberField("attempts", held.ref().attempts());
          if (held.ref().lives() > 0) {
            json.writeNumberField("redriven", held.ref().lives());
          }
          if (held.isDead()) {
            death(json, held);
            json.writeBooleanField("to_be_published", held.mark().isOut());
          } else if (held.dueMs() > 0) {
            json.writeStringField("due", Instant.ofEpochMilli(held.dueMs()).toString());
          }
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      case CHECKPOINT_END -> {}
    }
    if (record.generation() > 0) {
      json.writeNumberField("generation", record.generation());
    }
    json.writeNumberField("bytes", record.recordBytes());
    place(record.file(), record.offset());
    endRow();
  }

  @Override
  public void defect(Defect defect) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", "defect");
    json.writeStringField("what", defect.what());
    json.writeStringField("consequence", defect.consequence());
    place(defect.file(), defect.offset());
    endRow();
  }

  /** Ends the line, too: whoever follows the output gets whole lines, the last one as well. */
  private void endRow() throws IOException {
    json.writeEndObject();
    json.writeRaw('\n');
  }

  @Override
  public void flush() throws IOException {
    json.flush();
  }
}
