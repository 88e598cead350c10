package io.holdfast.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A topic on disk for those who only look: ordinals, what it keeps back from its channels, and its
 * channels' ledgers, by the rules that the broker follows at its start. Not thread-safe.
 */
public final class TopicView implements Closeable {
  private static final long NOTHING_HELD = -1;

  private final String name;
  private final Path journalDir;
  private final boolean paused;
  private final OptionalLong idBase;
  private final OptionalInt nodeId;
  private final long firstOrdinal;
  private final long nextOrdinal;
  private final long heldFrom;
  private final List<ChannelView> channels = new ArrayList<>();

  TopicView(DataDirView dir, String name) throws IOException {
    this.name = name;
    journalDir = dir.journalDir(name);
    Metadata.TopicEntry entry = dir.entry(name);
    paused = entry != null && entry.paused();
    idBase = entry == null ? OptionalLong.empty() : OptionalLong.of(entry.idBase());
    nodeId =
        entry == null || entry.nodeId() == null
            ? OptionalInt.empty()
            : OptionalInt.of(entry.nodeId());
    long journalEnd = findNextOrdinal();
    firstOrdinal = findFirstOrdinal(journalEnd);
    List<String> names = dir.channels(name);
    long held = entry == null ? NOTHING_HELD : entry.handedOver();
    if (held == NOTHING_HELD && names.isEmpty()) {
      held = firstOrdinal;
    }
    if (!paused && !names.isEmpty()) {
      held = NOTHING_HELD;
    }
    heldFrom = held;
    long next = journalEnd;
    for (String channel : names) {
      boolean channelPaused = false;
      if (entry != null && entry.channels() != null) {
        channelPaused =
            entry.channels().stream().anyMatch(c -> c.name().equals(channel) && c.paused());
      }
      ChannelView view =
          new ChannelView(channel, dir.channelDir(name, channel), channelPaused, firstOrdinal);
      next = Math.max(next, view.state().endOrdinal());
      view.end(heldFrom >= 0 ? heldFrom : next);
      channels.add(view);
    }
    nextOrdinal = next;
  }

  private long findNextOrdinal() throws IOException {
    for (int cycle : RecordScan.cycles(journalDir).descendingSet()) {
      long next = -1;
      try (JournalScan heads = scan(RecordScan.Mode.HEADS, Defect.Listener.NONE)) {
        heads.records().moveToCycle(cycle);
        while (heads.nextBatch()) {
          next = Math.max(next, heads.endOrdinal());
        }
      }
      if (next >= 0) {
        return next;
      }
    }
    return 0;
  }

  private long findFirstOrdinal(long otherwise) throws IOException {
    for (int cycle : RecordScan.cycles(journalDir)) {
      long first = JournalScan.firstOrdinalOf(journalDir, cycle);
      if (first >= 0) {
        return first;
      }
    }
    return otherwise;
  }

  private JournalScan scan(RecordScan.Mode mode, Defect.Listener listener) {
    return new JournalScan(journalDir, mode, listener);
  }

  /** As clients know it. */
  public String name() {
    return name;
  }

  /** Whether it hands nothing to its channels. */
  public boolean paused() {
    return paused;
  }

  /** Added to an ordinal to give a message id; empty when the metadata file does not have it. */
  public OptionalLong idBase() {
    return idBase;
  }

  /** Part of each message id; empty when the metadata file does not have it. */
  public OptionalInt nodeId() {
    return nodeId;
  }

  /** The oldest ordinal in the journal. */
  public long firstOrdinal() {
    return firstOrdinal;
  }

  /** The ordinal of the next message to be published. */
  public long nextOrdinal() {
    return nextOrdinal;
  }

  /** Messages kept back from the channels, because it is paused or has none. */
  public long depth() {
    return heldFrom == NOTHING_HELD ? 0 : Math.max(0, nextOrdinal - heldFrom);
  }

  /** Whether a message is one of {@link #depth}. */
  public boolean keepsBack(long ordinal) {
    return heldFrom != NOTHING_HELD && ordinal >= heldFrom;
  }

  /** The channels, sorted by name. */
  public List<ChannelView> channels() {
    return channels;
  }

  /** The channel of this name, null when there is none. */
  public ChannelView channel(String channel) {
    return channels.stream().filter(c -> c.name().equals(channel)).findFirst().orElse(null);
  }

  /** Whether a channel refers to the copy of a message that a scan stands on. */
  boolean needsCopy(JournalScan copy) {
    for (ChannelView channel : channels) {
      HeldMessage held = channel.state().held(copy.firstOrdinal());
      if (held != null && held.ref().batchPosition() == copy.position()) {
        return true;
      }
    }
    return false;
  }

  /** The journal from its oldest message on, read as the broker reads it. */
  public JournalScan scan(Defect.Listener listener) {
    return scan(RecordScan.Mode.BROKER, listener);
  }

  /** As {@link #scan(Defect.Listener)}, beginning at or a little before an ordinal. */
  public JournalScan scanFrom(long ordinal, Defect.Listener listener) throws IOException {
    JournalScan scan = scan(listener);
    boolean positioned = false;
    try {
      scan.moveTo(journalDir, ordinal);
      positioned = true;
      return scan;
    } finally {
      if (!positioned) {
        scan.close();
      }
    }
  }

  /** Publish time of the first message at or above an ordinal, ns since 1970; -1 without one. */
  public long timestampNs(long ordinal) throws IOException {
    try (JournalScan heads = scan(RecordScan.Mode.HEADS, Defect.Listener.NONE)) {
      heads.moveTo(journalDir, ordinal);
      while (heads.nextBatch()) {
        if (heads.endOrdinal() > ordinal) {
          return heads.timestampNs();
        }
      }
    }
    return -1;
  }

  /** Bytes of journal data, to measure the progress of a scan by. */
  public long journalBytes() throws IOException {
    long bytes = 0;
    for (int cycle : RecordScan.cycles(journalDir)) {
      try {
        bytes += DurableFiles.dataEnd(journalDir.resolve(SizeRollCycle.fileName(cycle)));
      } catch (NoSuchFileException removedMeanwhile) {
        continue;
      }
    }
    return bytes;
  }

  /** Bytes on the disk of the journal. */
  public long diskBytes() throws IOException {
    return DataDirView.treeBytes(journalDir);
  }

  /** Bytes of journal files that no channel needs any more. */
  public long reclaimableBytes() throws IOException {
    long bytes = 0;
    long neededFrom = heldFrom == NOTHING_HELD ? nextOrdinal : heldFrom;
    int pinnedFile = CarriedMessages.NO_FILE;
    for (ChannelView channel : channels) {
      CarriedMessages carried = channel.state().carried();
      neededFrom = Math.min(neededFrom, carried.neededFrom(channel.state().finished()));
      pinnedFile = Math.min(pinnedFile, carried.pinnedFile());
    }
    List<Path> older = new ArrayList<>();
    for (int cycle : RecordScan.cycles(journalDir)) {
      long first = JournalScan.firstOrdinalOf(journalDir, cycle);
      if (first > neededFrom) {
        break;
      }
      if (first >= 0) {
        for (Path file : older) {
          bytes += Files.exists(file) ? DurableFiles.allocatedBytes(file) : 0;
        }
        older.clear();
      }
      if (cycle >= pinnedFile) {
        break;
      }
      older.add(journalDir.resolve(SizeRollCycle.fileName(cycle)));
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    for (ChannelView channel : channels) {
      channel.close();
    }
  }
}
