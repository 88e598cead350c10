package io.holdfast.storage.inspect;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.journal.JournalContents;
import io.holdfast.storage.journal.JournalView;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.log.LogFileNames;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A topic on disk for those who only look: ordinals, what it keeps back from its channels, and its
 * channels' ledgers, by the recovery with which the broker starts. Not thread-safe.
 */
public final class TopicView implements Closeable {
  private final String name;
  private final JournalView journal;
  private final TopicRecovery recovery;
  private final long firstOrdinal;

  /** Below it, it is known which ordinals have no message. */
  private final long knownTo;

  private final List<ChannelView> channels = new ArrayList<>();

  TopicView(DataDirView dir, String name) throws IOException {
    this.name = name;
    journal = new JournalView(dir.journalDir(name));
    List<String> names = dir.channels(name);
    // What a power cut makes the broker skip is no message: it makes no difference here.
    MemberView member = dir.member();
    Metadata.TopicEntry entry = dir.entry(name);
    recovery =
        member != null && entry == null
            ? handedOver(journal)
            : TopicRecovery.of(journal, entry, names, false);
    knownTo = member == null ? Long.MAX_VALUE : member.nextOrdinal(name);
    firstOrdinal = journal.firstOrdinal();
    for (String channel : names) {
      channels.add(
          member == null
              ? new ChannelView(channel, dir.channelDir(name, channel), journal, recovery)
              : new ChannelView(
                  channel, member.stateFile(name), journal, recovery, member.state(name, channel)));
    }
  }

  /** Of a topic of which nothing but its messages is known. */
  private static TopicRecovery handedOver(JournalView journal) {
    return new TopicRecovery(
        TopicRecovery.NOTHING_KEPT, journal.skipped(), journal.nextOrdinal(), false, null);
  }

  /** As clients know it. */
  public String name() {
    return name;
  }

  /** Whether it hands nothing to its channels. */
  public boolean paused() {
    return recovery.paused();
  }

  /** Added to an ordinal to give a message id; empty when the metadata file does not have it. */
  public OptionalLong idBase() {
    Metadata.TopicEntry entry = recovery.entry();
    return entry == null ? OptionalLong.empty() : OptionalLong.of(entry.idBase());
  }

  /** Part of each message id; empty when the metadata file does not have it. */
  public OptionalInt nodeId() {
    Metadata.TopicEntry entry = recovery.entry();
    return entry == null || entry.nodeId() == null
        ? OptionalInt.empty()
        : OptionalInt.of(entry.nodeId());
  }

  /** The oldest ordinal in the journal. */
  public long firstOrdinal() {
    return firstOrdinal;
  }

  /** The ordinal of the next message to be published. */
  public long nextOrdinal() {
    return journal.nextOrdinal();
  }

  long knownTo() {
    return knownTo;
  }

  /** The messages between {@link #firstOrdinal} and {@link #nextOrdinal}. */
  public long messages() {
    return nextOrdinal() - firstOrdinal - skipped().overlap(firstOrdinal, nextOrdinal());
  }

  /** Messages kept back from the channels, because it is paused or has none. */
  public long depth() {
    return recovery.depth(journal);
  }

  /** The oldest ordinal kept back, -1 when nothing is. */
  public long keptFrom() {
    return depth() == 0 ? -1 : recovery.keptFrom();
  }

  /** Whether a message is one of {@link #depth}. */
  public boolean keepsBack(long ordinal) {
    return recovery.keptFrom() != TopicRecovery.NOTHING_KEPT && ordinal >= recovery.keptFrom();
  }

  /** The channels, sorted by name. */
  public List<ChannelView> channels() {
    return channels;
  }

  /** The channel of this name, null when there is none. */
  public ChannelView channel(String channel) {
    return channels.stream().filter(c -> c.name().equals(channel)).findFirst().orElse(null);
  }

  /** Whether a channel refers to the relocated message that a scan stands on. */
  boolean needsRelocation(JournalScan scan) {
    for (ChannelView channel : channels) {
      HeldMessage held = channel.state().held(scan.firstOrdinal());
      if (held != null && held.ref().batchPosition() == scan.position()) {
        return true;
      }
    }
    return false;
  }

  /** The journal from its oldest message on. */
  public JournalScan scan(Defect.Listener listener) {
    return new JournalScan(journal, -1, listener);
  }

  /** Publish time of the first message at or above an ordinal, ns since 1970; -1 without one. */
  public long timestampNs(long ordinal) throws IOException {
    try (JournalScan scan =
        new JournalScan(journal, journal.cycleFor(ordinal), Defect.Listener.NONE)) {
      while (scan.nextBatch()) {
        if (scan.endOrdinal() > ordinal) {
          return scan.timestampNs();
        }
      }
    }
    return -1;
  }

  /** Ordinals that no message has, see {@link JournalContents#skipped}; not to be changed. */
  OrdinalRanges skipped() {
    return journal.skipped();
  }

  /** Bytes of journal data, to measure the progress of a scan by. */
  public long journalBytes() throws IOException {
    long bytes = 0;
    LogView log = journal.log();
    for (int cycle = log.firstCycle(); cycle >= 0; cycle = log.cycleAfter(cycle)) {
      bytes += dataBytes(log.file(cycle));
    }
    return bytes;
  }

  private static long dataBytes(Path file) throws IOException {
    try {
      return DurableFiles.dataEnd(file);
    } catch (NoSuchFileException removedMeanwhile) {
      return 0;
    }
  }

  /** Bytes on the disk of the journal. */
  public long diskBytes() throws IOException {
    return DataDirView.treeBytes(journal.dir());
  }

  /** Of files that wait to be used again, or that a kill left. */
  private long leftoverBytes() throws IOException {
    long bytes = 0;
    if (Files.isDirectory(journal.dir())) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(journal.dir())) {
        for (Path entry : entries) {
          boolean isLeftover = LogFileNames.isLeftover(entry.getFileName().toString());
          bytes += isLeftover ? DataDirView.fileBytes(entry) : 0;
        }
      }
    }
    return bytes;
  }

  /** Bytes of journal files that no channel needs any more. */
  public long reclaimableBytes() throws IOException {
    long bytes = leftoverBytes();
    long keptFrom = recovery.keptFrom();
    long neededFrom = keptFrom == TopicRecovery.NOTHING_KEPT ? nextOrdinal() : keptFrom;
    int pinnedFile = RelocatedMessages.NO_FILE;
    for (ChannelView channel : channels) {
      RelocatedMessages relocated = channel.recovery().relocated();
      neededFrom = Math.min(neededFrom, relocated.neededFrom(channel.state().finished()));
      pinnedFile = Math.min(pinnedFile, relocated.pinnedFile());
    }
    List<Path> older = new ArrayList<>();
    LogView log = journal.log();
    for (int cycle = log.firstCycle(); cycle >= 0; cycle = log.cycleAfter(cycle)) {
      long first = journal.firstOrdinalOf(cycle);
      if (first > neededFrom) {
        break;
      }
      if (first >= 0) {
        for (Path file : older) {
          bytes += DataDirView.fileBytes(file);
        }
        older.clear();
      }
      if (cycle >= pinnedFile) {
        break;
      }
      older.add(log.file(cycle));
    }
    return bytes;
  }

  @Override
  public void close() {
    channels.forEach(ChannelView::close);
  }
}
