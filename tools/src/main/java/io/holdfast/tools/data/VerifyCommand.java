package io.holdfast.tools.data;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.storage.files.FileModes;
import io.holdfast.storage.inspect.DataDirCheck;
import io.holdfast.storage.inspect.DataDirRepair;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Progress;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The {@code verify} command. */
@Command(
    name = "verify",
    sortOptions = false,
    description = {
      "Checks every checksum, head and sequence in a data directory, and that what the channels "
          + "refer to is there. Says of each defect where it is and what the broker's next start "
          + "will do about it. Only reads.",
      "",
      "With --repair it also writes a mended copy to another directory, never in place: all intact "
          + "messages, also those the broker cannot reach any more, and what the channels know of "
          + "them; and says what is lost.",
      "",
      "Meant for a stopped broker: beside a running one, files that it removes meanwhile may be "
          + "reported as missing."
    },
    footerHeading = "%n",
    footer = {
      "Exit codes: 0 clean (notes are no defects: what a kill may leave behind), 1 defects, 2 the",
      "directory, or a part of it, cannot be read. They are about DIR, also with --repair.",
      "",
      "Examples:",
      "  holdfast-tools verify data",
      "  holdfast-tools verify data --repair mended"
    })
public final class VerifyCommand implements Callable<Integer> {
  private static final Logger log = LoggerFactory.getLogger(VerifyCommand.class);
  private static final int MAX_RANGES = 10;

  private final ToolContext context;

  @Mixin private DirOptions dir;

  @Option(
      names = "--repair",
      paramLabel = "TARGET",
      description = "Write a mended copy to this directory, which must be empty or not there.")
  private Path repair;

  @Option(
      names = {"-f", "--format"},
      defaultValue = "table",
      paramLabel = "FORMAT",
      description = "table (default): a line each; json: one object a line.")
  private DumpCommand.Format format;

  // All of the command's thread.
  private long defects;
  private long notes;
  private long unreadable;
  private Progress progress;
  private long topicBytes;
  private long topicMessages;
  private long countedBefore;

  /**
   * @param context streams and stop request
   */
  public VerifyCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (dir.namesChannels()) {
      throw ToolException.usage(
          "--channel has no effect: a topic is checked with all its channels");
    }
    DataDirView view;
    try {
      view = dir.open();
    } catch (ToolException e) {
      throw ToolException.unreadable(e.getMessage(), e);
    }
    if (repair != null && view.member() != null) {
      throw ToolException.usage(
          "--repair mends no node of a cluster: the others have it all, see "
              + Version.NAME
              + " cluster replace");
    }
    if (repair != null && view.willPutBack()) {
      throw new ToolException(DirOptions.COPIES);
    }
    if (repair != null && !dir.topics(view).equals(view.topics())) {
      throw ToolException.usage("--repair copies everything: not with --topic");
    }
    if (repair != null) {
      FileModes.ownerOnly();
    }
    Path target = repair == null ? null : TargetDir.empty(repair, dir.dir());
    check(view);
    if (target != null) {
      repair(view, target);
    }
    if (unreadable > 0) {
      return ExitCode.USAGE;
    }
    return defects > 0 ? ExitCode.FAILURE : ExitCode.OK;
  }

  private void check(DataDirView view) throws IOException {
    progress = new Progress(context, "verify", false);
    List<String> topics = dir.topics(view);
    DataDirCheck check = new DataDirCheck(view, this::print, this::show);
    check.checkMetadata();
    if (format == DumpCommand.Format.TABLE) {
      DirOptions.groups(view).forEach(this::line);
    }
    for (String topic : topics) {
      if (context.stop().stopped()) {
        throw new ToolException("ended before everything was checked");
      }
      try {
        checkTopic(view, check, topic);
      } catch (IOException e) {
        unreadable++;
        log.debug("topic {}", topic, e);
        line("UNREADABLE topic " + topic + ": " + ToolException.describe(e));
      }
    }
    progress.end();
    if (format == DumpCommand.Format.TABLE) {
      context
          .out()
          .printf(
              Locale.ROOT,
              "%s: %s in %s of %s intact; %s, %s%s%n",
              unreadable > 0 ? "UNREADABLE" : defects > 0 ? "DEFECTS" : "clean",
              Quantities.count(check.messages(), "message"),
              Quantities.count(check.records(), "record"),
              Quantities.count(topics.size(), "topic"),
              Quantities.count(defects, "defect"),
              Quantities.count(notes, "note"),
              unreadable > 0
                  ? ", " + Quantities.count(unreadable, "topic") + " cannot be read"
                  : "");
    }
  }

  private void checkTopic(DataDirView view, DataDirCheck check, String topic) throws IOException {
    try (TopicView heads = DirOptions.topic(view, topic)) {
      begin(heads);
    }
    countedBefore = check.messages();
    check.checkTopic(topic);
    progress.done(topicBytes);
  }

  private void begin(TopicView heads) throws IOException {
    topicBytes = heads.journalBytes();
    topicMessages = Math.max(1, heads.nextOrdinal() - heads.firstOrdinal());
    progress.total(topicBytes);
  }

  /** The share of the messages stands for the share of the bytes. */
  private void show(long messages) {
    double part = Math.min(1, (messages - countedBefore) / (double) topicMessages);
    progress.show((long) (part * topicBytes), messages);
  }

  private void print(Defect defect) {
    if (defect.harmless()) {
      notes++;
    } else {
      defects++;
    }
    if (format == DumpCommand.Format.JSON) {
      printJson(defect);
      return;
    }
    line(
        (defect.harmless() ? "note   " : "DEFECT ")
            + defect.place()
            + ": "
            + defect.what()
            + "; "
            + defect.consequence());
  }

  private void printJson(Defect defect) {
    try (JsonGenerator json = JsonRows.generator(context.out())) {
      json.writeStartObject();
      json.writeStringField("severity", defect.harmless() ? "note" : "defect");
      json.writeStringField("file", defect.file().toString());
      if (defect.offset() >= 0) {
        json.writeNumberField("offset", defect.offset());
      }
      json.writeStringField("what", defect.what());
      json.writeStringField("consequence", defect.consequence());
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    context.out().println();
  }

  private void line(String text) {
    progress.clear();
    context.out().println(Visible.text(text));
    if (context.terminal()) {
      context.out().flush();
    }
  }

  private void repair(DataDirView view, Path target) throws IOException {
    context.out().flush();
    progress = new Progress(context, "repair", false);
    countedBefore = 0;
    boolean done = false;
    try (DataDirRepair copy = new DataDirRepair(view, target, Defect.Listener.NONE, this::show)) {
      for (String topic : view.topics()) {
        if (context.stop().stopped()) {
          throw new ToolException("ended before everything was copied");
        }
        try (TopicView heads = DirOptions.topic(view, topic)) {
          begin(heads);
        }
        DataDirRepair.Result result = copy.copyTopic(topic);
        countedBefore += result.copied();
        progress.done(topicBytes);
        report(result);
      }
      copy.finish();
      done = true;
    } finally {
      progress.end();
      if (!done) {
        context.err().println("the copy in " + target + " is not complete; remove it");
      }
    }
    context.err().println("mended copy written to " + target);
  }

  private void report(DataDirRepair.Result result) {
    progress.clear();
    StringBuilder text = new StringBuilder("topic ").append(result.topic()).append(": ");
    text.append(Quantities.count(result.copied(), "message")).append(" copied");
    OrdinalRanges missing = result.missing();
    if (!missing.isEmpty()) {
      text.append("; not to be had: ordinals ");
      for (int i = 0; i < Math.min(MAX_RANGES, missing.count()); i++) {
        text.append(i == 0 ? "" : ", ").append(missing.from(i));
        if (missing.to(i) - 1 > missing.from(i)) {
          text.append("..").append(missing.to(i) - 1);
        }
      }
      if (missing.count() > MAX_RANGES) {
        text.append(" and ").append(missing.count() - MAX_RANGES).append(" more ranges");
      }
    }
    text.append(result.lost().isEmpty() ? "; no channel loses anything" : "");
    result.lost().forEach(lost -> text.append("; ").append(lost));
    context.err().println(Visible.text(text.toString()));
  }
}
