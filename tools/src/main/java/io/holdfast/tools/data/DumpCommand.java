package io.holdfast.tools.data;

import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.LedgerScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.Progress;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code dump} command. */
@Command(
    name = "dump",
    sortOptions = false,
    description = {
      "Prints what is in a data directory.",
      "",
      "Works without a broker, and beside a running one; it only reads and never changes a byte."
          + " For each message it shows what has become of it in each channel, as the channel's"
          + " ledger says. That a message is in flight is not written down, but that it was"
          + " delivered is: it is shown as unfinished, as one that was requeued or timed out.",
      "",
      "In the directory of a node of a cluster channels are shown as the newest snapshot has them:"
          + " what they finished since then is in the group's log. Topics that are younger have"
          + " messages, and neither channels nor ids."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools dump data --topic orders --limit 20",
      "  holdfast-tools dump data --state deferred,unfinished --format json | jq .id",
      "  holdfast-tools dump data --topic orders --channel billing --show ledger",
      "  holdfast-tools dump data --topic orders --since 10m --follow --body none"
    })
public final class DumpCommand implements Callable<Integer> {
  /** What can be shown. */
  enum Show {
    MESSAGES,
    BATCHES,
    LEDGER;

    @Override
    public String toString() {
      return Given.lower(this);
    }
  }

  /** How rows look. */
  enum Format {
    TABLE,
    JSON;

    @Override
    public String toString() {
      return Given.lower(this);
    }
  }

  private static final int FOLLOW_MS = 200;
  private static final int ROWS_PER_CHECK = 1000;

  private final ToolContext context;

  @Spec private CommandSpec spec;

  @Mixin private DirOptions dir;
  @Mixin private MessageFilter filter;

  @Option(
      names = "--show",
      split = ",",
      paramLabel = "WHAT",
      description =
          "messages (default), batches (one row per publish command), ledger (finishes, requeues, "
              + "deferrals, checkpoints of the channels); several separated by commas.")
  private Set<Show> show = EnumSet.of(Show.MESSAGES);

  @Option(
      names = {"-f", "--format"},
      defaultValue = "table",
      paramLabel = "FORMAT",
      description = "table (default) or json: one object a line.")
  private Format format;

  @Option(
      names = "--body",
      defaultValue = "text",
      paramLabel = "FORMAT",
      description = "Bodies as text (default), hex, base64 or none.")
  private BodyFormat body;

  @Option(
      names = "--max-body",
      defaultValue = "64",
      paramLabel = "BYTES",
      converter = Quantities.Bytes.class,
      description = "Longest body shown in the table (default: 64); JSON has all of it.")
  private long maxBody;

  @Option(
      names = {"-n", "--limit"},
      paramLabel = "N",
      converter = Quantities.AtLeastOne.class,
      description = "End after N rows (default: no limit).")
  private long limit;

  @Option(names = "--follow", description = "Wait for more at the end, until Ctrl-C or --limit.")
  private boolean follow;

  @Mixin private MessageIds ids;

  // All of the command's thread.
  private final MessageView message = new MessageView();
  private Rows rows;
  private Progress progress;
  private long printed;
  private long looked;

  /** A topic being dumped, where it goes on with --follow. */
  private record Open(
      TopicView topic,
      List<ChannelView> channels,
      JournalScan journal,
      List<LedgerScan> ledgers,
      NavigableSet<Long> ordinals) {}

  /**
   * @param context streams and stop request
   */
  public DumpCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    filter.check();
    if (show.isEmpty() || maxBody < 0 || maxBody > Integer.MAX_VALUE) {
      throw ToolException.usage("--show and --max-body need a value that makes sense");
    }
    checkEffects();
    DataDirView view = dir.open();
    DirOptions.warnOfCopies(view, context);
    rows =
        format == Format.JSON
            ? new JsonRows(context.out(), view.root(), ids, body)
            : new TableRows(context.out(), view.root(), ids, body, (int) maxBody);
    progress = new Progress(context, "dump", true);
    if (format == Format.TABLE) {
      DirOptions.groups(view).forEach(context.out()::println);
    }
    Map<String, Open> open = new LinkedHashMap<>();
    try {
      List<String> topics = dir.topics(view);
      dir.checkChannels(view, topics);
      for (String name : topics) {
        if (isDone()) {
          break;
        }
        dumpTopic(view, name, open);
      }
      while (follow && !isDone()) {
        flush();
        if (context.stop().await(FOLLOW_MS)) {
          break;
        }
        view = dir.open();
        for (String name : view.topics()) {
          followTopic(view, name, open);
        }
      }
    } finally {
      for (Open each : open.values()) {
        close(each);
      }
      progress.end();
    }
    flush();
    return ExitCode.OK;
  }

  private void checkEffects() {
    if (!show.contains(Show.MESSAGES)) {
      Given.refuse(spec, "without --show messages", "--body", "--max-body", "--state", "--node-id");
    }
    if (show.equals(EnumSet.of(Show.LEDGER))) {
      Given.refuse(spec, "on ledgers, which have no times", "--since", "--until");
    }
    if (format == Format.JSON) {
      Given.refuse(spec, "with --format json, which has all of it", "--max-body");
    }
    if (body == BodyFormat.NONE) {
      Given.refuse(spec, "with --body none", "--max-body");
    }
  }

  private boolean isDone() {
    return (limit > 0 && printed >= limit) || context.stop().stopped();
  }

  private void dumpTopic(DataDirView view, String name, Map<String, Open> open) throws IOException {
    Open topic = open(view, name);
    boolean kept = false;
    try {
      progress.total(topic.topic().journalBytes());
      dump(topic);
      if (follow) {
        open.put(name, topic);
        kept = true;
      }
    } finally {
      if (!kept) {
        close(topic);
      }
    }
  }

  private void followTopic(DataDirView view, String name, Map<String, Open> open)
      throws IOException {
    Open topic = open.get(name);
    if (topic == null) {
      if (dir.topics(view).contains(name)) {
        dumpTopic(view, name, open);
      }
      return;
    }
    for (ChannelView channel : topic.channels()) {
      channel.refresh();
    }
    dump(topic);
  }

  private Open open(DataDirView view, String name) throws IOException {
    TopicView topic = DirOptions.topic(view, name);
    List<ChannelView> channels =
        topic.channels().stream().filter(c -> dir.includesChannel(c.name())).toList();
    List<LedgerScan> ledgers = new ArrayList<>();
    if (show.contains(Show.LEDGER)) {
      for (ChannelView channel : channels) {
        ledgers.add(channel.scan(this::defect));
      }
    }
    return new Open(topic, channels, topic.scan(this::defect), ledgers, filter.ordinals(topic));
  }

  private static void close(Open topic) throws IOException {
    topic.journal().close();
    for (LedgerScan ledger : topic.ledgers()) {
      ledger.close();
    }
    topic.topic().close();
  }

  /** Damage is shown among the rows; verify is the command that judges it. */
  private void defect(Defect defect) {
    try {
      rows.defect(defect);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void dump(Open topic) throws IOException {
    boolean wanted = !dir.namesChannels() || !topic.channels().isEmpty();
    if (wanted && (show.contains(Show.MESSAGES) || show.contains(Show.BATCHES))) {
      dumpJournal(topic);
    }
    for (int i = 0; i < topic.ledgers().size() && !isDone(); i++) {
      dumpLedger(topic, topic.channels().get(i), topic.ledgers().get(i));
    }
  }

  private void dumpJournal(Open topic) throws IOException {
    JournalScan journal = topic.journal();
    long nowMs = System.currentTimeMillis();
    String file = "";
    long fileBytes = 0;
    while (!isDone() && journal.nextBatchOrCopy(topic.topic())) {
      if (!file.equals(journal.file().toString())) {
        progress.done(fileBytes);
        file = journal.file().toString();
      }
      fileBytes = journal.fileOffset();
      looked += journal.count();
      progress.show(fileBytes, looked);
      if (!filter.includesTime(journal.timestampNs()) || !includesIds(topic, journal)) {
        continue;
      }
      if (show.contains(Show.BATCHES) && !filter.hasStates()) {
        rows.batch(topic.topic(), journal);
        printedRow();
      }
      while (show.contains(Show.MESSAGES) && !isDone() && journal.nextMessage(message)) {
        boolean wanted =
            (topic.ordinals() == null || topic.ordinals().contains(message.ordinal()))
                && filter.includesState(topic.topic(), topic.channels(), message, nowMs);
        if (wanted) {
          rows.message(topic.topic(), topic.channels(), journal, message, nowMs);
          printedRow();
        }
      }
    }
    progress.done(fileBytes);
  }

  private static boolean includesIds(Open topic, JournalScan journal) {
    if (topic.ordinals() == null) {
      return true;
    }
    Long next = topic.ordinals().ceiling(journal.firstOrdinal());
    return next != null && next < journal.endOrdinal();
  }

  private void dumpLedger(Open topic, ChannelView channel, LedgerScan ledger) throws IOException {
    while (!isDone() && ledger.next()) {
      if (topic.ordinals() == null || mentions(ledger, topic.ordinals())) {
        rows.ledger(topic.topic(), channel, ledger);
        printedRow();
      }
    }
  }

  private static boolean mentions(LedgerScan ledger, NavigableSet<Long> ordinals) {
    OrdinalRanges ranges = ledger.ranges();
    for (int i = 0; i < ranges.count(); i++) {
      Long next = ordinals.ceiling(ranges.from(i));
      if (next != null && next < ranges.to(i)) {
        return true;
      }
    }
    return ledger.held().stream().anyMatch(held -> ordinals.contains(held.ref().ordinal()));
  }

  private void printedRow() throws IOException {
    printed++;
    if (printed % ROWS_PER_CHECK == 0) {
      flush();
    }
  }

  private void flush() throws IOException {
    rows.flush();
    context.out().flush();
  }
}
