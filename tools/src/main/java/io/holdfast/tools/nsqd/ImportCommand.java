package io.holdfast.tools.nsqd;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.storage.files.DirectoryLock;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.FileModes;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Progress;
import io.holdfast.tools.cli.Quantities;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.data.ReadableFiles;
import io.holdfast.tools.data.TargetDir;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The {@code import} command. */
@Command(
    name = "import",
    sortOptions = false,
    description = {
      "Brings the data path of a stopped nsqd into a Holdfast data directory: topics, channels, "
          + "what is paused, and every message in its disk queues with timestamp and attempts.",
      "",
      "nsqd's files are only read. Stop nsqd with SIGTERM first, so that it writes what it has in"
          + " memory to disk. A cut-short import goes on when it is run again. At the end"
          + " everything written is read back and compared with nsqd's files byte by byte.",
      "",
      "Message ids are new: Holdfast's follow from the place in the topic. nsqd keeps no due times "
          + "on disk, so messages that were deferred there are ready."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools import /var/lib/nsqd data --dry-run",
      "  holdfast-tools import /var/lib/nsqd data"
    })
public final class ImportCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MARKER = "import.json";
  private static final long SYNC_MS = 1000;

  private final ToolContext context;

  @Parameters(index = "0", paramLabel = "NSQD-DIR", description = "nsqd's --data-path.")
  private Path sourceDir;

  @Parameters(
      index = "1",
      paramLabel = "DIR",
      description =
          "Holdfast's data path; made if need be. Topics of the same name must not exist.")
  private Path targetDir;

  @Option(
      names = "--owner",
      paramLabel = "USER[:GROUP]",
      description =
          "Whom DIR's files are to belong to, when root imports (default: DIR's owner, if DIR is "
              + "there and not root's).")
  private String ownerName;

  @Option(names = "--dry-run", description = "Only read and count; write nothing.")
  private boolean dryRun;

  // All of the command's thread.
  private long problemCount;
  private long done;
  private long allBytes;
  private long allMessages;

  /**
   * @param context streams and stop request
   */
  public ImportCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (!Files.isDirectory(sourceDir)) {
      throw new ToolException(
          sourceDir + (Files.exists(sourceDir) ? " is not a directory" : " does not exist"));
    }
    if (dryRun && ownerName != null) {
      throw ToolException.usage("--owner has no effect with --dry-run");
    }
    FileModes.ownerOnly();
    Owner owner = ownerName == null ? Owner.of(targetDir) : Owner.parse(ownerName, targetDir);
    ReadableFiles.check(sourceDir);
    try (DirectoryLock lock = DirectoryLock.tryLock(sourceDir)) {
      if (lock == null) {
        throw new ToolException("an nsqd still runs on " + sourceDir + "; stop it first");
      }
      NsqdDir source = NsqdDir.read(sourceDir, this::problem);
      Map<String, Long> counts = count(source);
      if (dryRun) {
        context.out().println("nothing was written");
      } else {
        importAll(source, counts, owner);
      }
    }
    return ExitCode.OK;
  }

  private void problem(String text) {
    problemCount++;
    context.err().println(Visible.text("warning: " + text));
  }

  /** Messages by queue; prints them. */
  private Map<String, Long> count(NsqdDir source) throws IOException {
    Map<String, Long> counts = new LinkedHashMap<>();
    Progress progress = new Progress(context, "count", false);
    progress.total(source.bytes());
    context
        .out()
        .printf(Locale.ROOT, "%-40s %12s %12s %10s%n", "QUEUE", "MESSAGES", "BYTES", "ATTEMPTED");
    for (NsqdDir.Topic topic : source.topics().values()) {
      for (String queue : topic.queues()) {
        long messages = 0;
        long bytes = 0;
        long attempted = 0;
        try (DiskQueueReader reader =
            new DiskQueueReader(source.dir(), queue, dryRun ? this::problem : text -> {})) {
          NsqdRecord record;
          while ((record = reader.next()) != null) {
            messages++;
            bytes += record.body().remaining();
            attempted += record.attempts() > 0 ? 1 : 0;
            progress.show(
                bytes + messages * DiskQueueReader.OVERHEAD_BYTES, allMessages + messages);
            if (context.stop().stopped()) {
              throw new ToolException("ended; nothing was written");
            }
          }
        }
        counts.put(queue, messages);
        allBytes += bytes;
        allMessages += messages;
        progress.done(bytes + messages * DiskQueueReader.OVERHEAD_BYTES);
        boolean paused =
            queue.equals(topic.name())
                ? topic.paused()
                : topic.channels().get(queue.substring(topic.name().length() + 1));
        progress.clear();
        context
            .out()
            .printf(
                Locale.ROOT,
                "%-40s %12s %12s %10s%n",
                queue + (paused ? " (paused)" : ""),
                Quantities.grouped(messages),
                Quantities.bytes(bytes),
                Quantities.grouped(attempted));
      }
    }
    progress.end();
    context.out().flush();
    return counts;
  }

  private void importAll(NsqdDir source, Map<String, Long> counts, Owner owner) throws IOException {
    TargetDir.create(targetDir, sourceDir);
    try (DataDir target = DataDir.open(targetDir)) {
      Metadata metadata = target.readMetadata();
      boolean resumed = checkMarker(target, source);
      Progress progress = new Progress(context, "import", false);
      long total = counts.values().stream().mapToLong(n -> n).sum();
      progress.total(2 * allBytes); // Written, then compared.
      double each = total == 0 ? 0 : allBytes / (double) total;
      Map<String, TopicImport.QueueResult> results = new HashMap<>();
      try (SyncThread syncThread = new SyncThread(SYNC_MS)) {
        for (NsqdDir.Topic topic : source.topics().values()) {
          TopicImport one =
              new TopicImport(
                  source,
                  topic,
                  target,
                  syncThread,
                  progressEnding(progress),
                  context.stop()::stopped,
                  steps -> progress.show((long) ((2 * done + steps) * each), done + steps / 2));
          Map<String, TopicImport.QueueResult> of = one.run();
          done += of.values().stream().mapToLong(TopicImport.QueueResult::messages).sum();
          results.putAll(of);
        }
      } finally {
        progress.end();
      }
      target.writeMetadata(merged(metadata, source, results));
      if (owner != null) {
        owner.own(target.root());
      }
      Files.deleteIfExists(target.root().resolve(MARKER));
      DurableFiles.forceDirectory(target.root());
      report(counts, results, resumed);
      if (owner == null && Owner.isRoot()) {
        context
            .err()
            .println(
                "warning: the files belong to root; a broker that runs as another user cannot open"
                    + " them (--owner USER, or: chown -R USER "
                    + Visible.text(targetDir.toString())
                    + ")");
      }
    }
  }

  private Consumer<String> progressEnding(Progress progress) {
    return text -> {
      progress.clear();
      problem(text);
    };
  }

  /**
   * Whether this goes on with an earlier import; fails when topics are there that it did not make.
   */
  private boolean checkMarker(DataDir target, NsqdDir source) throws IOException {
    Path marker = target.root().resolve(MARKER);
    String from = source.dir().toRealPath().toString();
    if (Files.exists(marker)) {
      JsonNode json = marker(marker);
      if (!json.path("source").asText().equals(from)) {
        throw new ToolException(
            targetDir + " holds an unfinished import from " + json.path("source").asText());
      }
      return true;
    }
    List<String> there = new ArrayList<>(target.topics());
    there.retainAll(source.topics().keySet());
    if (!there.isEmpty()) {
      throw new ToolException(
          targetDir + " has topic " + there.get(0) + " already; import into another directory");
    }
    DurableFiles.replace(marker, JSON.writeValueAsBytes(Map.of("source", from)));
    return false;
  }

  private static JsonNode marker(Path file) throws IOException {
    try {
      return JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new ToolException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static Metadata merged(
      Metadata before, NsqdDir source, Map<String, TopicImport.QueueResult> results) {
    List<Metadata.TopicEntry> topics = new ArrayList<>();
    if (before.topics() != null) {
      before.topics().stream()
          .filter(entry -> !source.topics().containsKey(entry.name()))
          .forEach(topics::add);
    }
    long idBase = before.nextIdBase();
    for (NsqdDir.Topic topic : source.topics().values()) {
      if (DirNames.isEphemeral(topic.name())) {
        continue;
      }
      idBase = Metadata.newIdBase(idBase, System.currentTimeMillis());
      boolean keeps = topic.paused() || topic.channels().isEmpty();
      List<Metadata.ChannelEntry> channels = new ArrayList<>();
      topic
          .channels()
          .forEach((name, paused) -> channels.add(new Metadata.ChannelEntry(name, paused)));
      topics.add(
          new Metadata.TopicEntry(
              topic.name(),
              idBase,
              topic.paused(),
              keeps ? results.get(topic.name()).from() : -1,
              channels));
    }
    return new Metadata(DataFormat.FIRST, idBase, topics);
  }

  private void report(
      Map<String, Long> counts, Map<String, TopicImport.QueueResult> results, boolean resumed) {
    long in = 0;
    long out = 0;
    for (Map.Entry<String, Long> count : counts.entrySet()) {
      in += count.getValue();
      out += results.get(count.getKey()).messages();
      if (count.getValue() != results.get(count.getKey()).messages()) {
        throw new ToolException(
            "queue "
                + count.getKey()
                + ": counted "
                + Quantities.count(count.getValue(), "message")
                + ", imported "
                + results.get(count.getKey()).messages());
      }
    }
    context
        .out()
        .printf(
            Locale.ROOT,
            "%s in %s%s: in %s, out %s, compared byte by byte%s; message ids are new%n",
            resumed ? "import continued and finished, messages" : "imported messages",
            Quantities.count(counts.size(), "queue"),
            problemCount > 0 ? " (" + Quantities.count(problemCount, "warning") + ")" : "",
            Quantities.grouped(in),
            Quantities.grouped(out),
            in == out ? ", equal" : "");
  }
}
