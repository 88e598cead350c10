package io.holdfast.tools.data;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.storage.files.FileModes;
import io.holdfast.storage.inspect.ChannelMessages;
import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.Progress;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.client.Names;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code export} command. */
@Command(
    name = "export",
    sortOptions = false,
    description = {
      "Writes the messages of a topic, or what a channel has not finished, to a file or standard "
          + "output, in a form that pub publishes again.",
      "",
      "Works without a broker and beside a running one; only reads the data directory."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools export data --topic orders --channel billing > billing.json",
      "  holdfast-tools export data --topic orders --format length -o orders.bin",
      "  holdfast-tools pub --topic orders --format json billing.json"
    })
public final class ExportCommand implements Callable<Integer> {
  /** What is written. */
  enum Format {
    JSON,
    LENGTH;

    @Override
    public String toString() {
      return Given.lower(this);
    }
  }

  private static final int BUFFER_BYTES = 1 << 16;

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "DIR",
      description = "The broker's data path (its --data-path; conf: data_path).")
  private Path dir;

  @Option(
      names = {"-t", "--topic"},
      required = true,
      paramLabel = "TOPIC",
      description = "Topic to export.")
  private String topicName;

  @Option(
      names = {"-c", "--channel"},
      paramLabel = "CHANNEL",
      description = {
        "Only what this channel has not finished, without its dead letters (or what --state says); "
            + "default: all messages that the topic's journal still has."
      })
  private String channelName;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "json",
      paramLabel = "FORMAT",
      description = {
        "json (default): one object a line, with id, time, attempts, and defer_ms where there is "
            + "still time to wait; length: int32 big-endian, then the body; nothing but bodies."
      })
  private Format format;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write to this file, which must not exist (default: standard output).")
  private Path output;

  @Mixin private MessageFilter filter;
  @Mixin private MessageIds ids;

  // All of the command's thread.
  private long damaged;
  private long exported;
  private long bodyBytes;
  private long progressFile = -1;
  private long progressOffset;

  /**
   * @param context streams and stop request
   */
  public ExportCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    Names.checkTopic(topicName);
    filter.check();
    if (channelName == null && filter.hasStates()) {
      throw ToolException.usage("--state needs a --channel: states are a channel's");
    }
    if (format == Format.LENGTH) {
      Given.refuse(spec, "with --format length, which has no ids", "--node-id");
    }
    long startNs = System.nanoTime();
    DataDirView view = DirOptions.open(dir);
    boolean mayMiss = DirOptions.warnOfCopies(view, context);
    if (channelName != null && view.member() != null) {
      throw new ToolException(
          dir
              + " is of a node of a cluster: what "
              + channelName
              + " finished last is in its group's log; without --channel all that the topic has"
              + " is exported");
    }
    try (TopicView topic = DirOptions.topic(view, topicName)) {
      ChannelView channel = channelName == null ? null : topic.channel(channelName);
      if (channelName != null && channel == null) {
        throw new ToolException("there is no channel " + channelName + " of topic " + topicName);
      }
      if (output == null) {
        export(topic, channel, context.out());
      } else {
        FileModes.ownerOnly();
        try (OutputStream file =
            new BufferedOutputStream(
                Files.newOutputStream(
                    output, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                BUFFER_BYTES)) {
          export(topic, channel, file);
        } catch (FileAlreadyExistsException e) {
          throw new ToolException(output + " exists already", e);
        }
      }
    }
    context
        .err()
        .printf(
            Locale.ROOT,
            "exported %s, %s in %.2f s%n",
            Quantities.count(exported, "message"),
            Quantities.bytes(bodyBytes),
            (System.nanoTime() - startNs) / 1e9);
    if (damaged > 0) {
      throw new ToolException(
          Quantities.count(damaged, "damaged record") + " left out; see verify");
    }
    if (mayMiss) {
      throw new ToolException("messages that only redo has are left out; see the warning");
    }
    return ExitCode.OK;
  }

  private void damaged(Defect defect) {
    damaged++;
    context.err().println(Visible.text("warning: " + defect.place() + ": " + defect.what()));
  }

  private void export(TopicView topic, ChannelView channel, OutputStream to) throws IOException {
    Progress progress = new Progress(context, "export", output == null);
    progress.total(topic.journalBytes());
    DataOutputStream lengths = format == Format.LENGTH ? new DataOutputStream(to) : null;
    try (JsonGenerator json = format == Format.JSON ? JsonRows.generator(to) : null) {
      long nowMs = System.currentTimeMillis();
      Sink sink =
          message -> {
            exported++;
            bodyBytes += message.bodyLength();
            if (json != null) {
              write(json, topic, channel, message, nowMs);
            } else {
              byte[] body = new byte[message.bodyLength()];
              message.body().get(body);
              lengths.writeInt(body.length);
              lengths.write(body);
            }
          };
      if (channel == null || filter.hasStates()) {
        exportScanned(topic, channel, nowMs, progress, sink);
      } else {
        exportUnfinished(topic, channel, progress, sink);
      }
      if (json != null) {
        json.flush();
        if (exported > 0) {
          to.write('\n');
        }
      }
    } finally {
      progress.end();
    }
    to.flush();
  }

  /** Takes a message that is to be exported. */
  private interface Sink {
    void accept(MessageView message) throws IOException;
  }

  /** What the channel would deliver, as the broker would read it. */
  private void exportUnfinished(TopicView topic, ChannelView channel, Progress progress, Sink sink)
      throws IOException {
    NavigableSet<Long> wanted = filter.ordinals(topic);
    try (ChannelMessages messages = channel.messages(this::unreadable)) {
      while (messages.next()) {
        MessageView message = messages.message();
        progress(progress, message.batchPosition());
        if (filter.includesTime(message.timestampNs())
            && (wanted == null || wanted.contains(message.ordinal()))
            && channel.dead(message.ordinal()) == null) {
          sink.accept(message);
        }
      }
    }
  }

  private void exportScanned(
      TopicView topic, ChannelView channel, long nowMs, Progress progress, Sink sink)
      throws IOException {
    NavigableSet<Long> wanted = filter.ordinals(topic);
    MessageView message = new MessageView();
    try (JournalScan journal = topic.scan(this::damaged)) {
      while (journal.nextBatchOrCopy(topic)) {
        while (journal.nextMessage(message)) {
          progress(progress, message.batchPosition());
          if (filter.includesTime(message.timestampNs())
              && (wanted == null || wanted.contains(message.ordinal()))
              && (channel == null
                  || filter.includesState(topic, List.of(channel), message, nowMs))) {
            sink.accept(message);
          }
        }
      }
    }
  }

  private void progress(Progress progress, long position) {
    long file = position >>> Integer.SIZE;
    if (file != progressFile) {
      progressFile = file;
      progress.done(progressOffset);
    }
    progressOffset = (int) position;
    progress.show(progressOffset, exported);
    if (context.stop().stopped()) {
      throw new ToolException("ended after " + Quantities.count(exported, "message"));
    }
  }

  private void unreadable(String what) {
    damaged++;
    context.err().println("warning: " + what);
  }

  private void write(
      JsonGenerator json, TopicView topic, ChannelView channel, MessageView message, long nowMs)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("topic", topic.name());
    if (channel != null) {
      json.writeStringField("channel", channel.name());
    }
    json.writeStringField("id", ids.idOf(topic, message.ordinal()));
    json.writeStringField("time", When.text(message.timestampNs()));
    json.writeNumberField("timestamp", message.timestampNs());
    if (channel != null) {
      json.writeNumberField("attempts", channel.attempts(message.ordinal()));
      HeldMessage dead = channel.dead(message.ordinal());
      if (dead != null) {
        JsonRows.death(json, dead);
      }
    }
    long dueMs =
        channel != null
            ? channel.dueMs(message)
            : message.deferMs() == 0 ? 0 : message.timestampNs() / 1_000_000 + message.deferMs();
    if (dueMs > nowMs) {
      json.writeNumberField("defer_ms", dueMs - nowMs);
    }
    BodyFormat.TEXT.inJson(message.body(), json);
    json.writeEndObject();
  }
}
