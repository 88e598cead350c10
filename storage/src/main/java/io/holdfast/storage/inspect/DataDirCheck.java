package io.holdfast.storage.inspect;

import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.JournalView;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.log.CycleFileHeader;
import io.holdfast.storage.log.LogFileNames;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.redo.RedoLog;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Checks everything in a data directory: every checksum, head and sequence, and that what ledgers
 * refer to is there. Reports, changes nothing. For a directory that no broker uses; beside a
 * running one, what is written meanwhile may look damaged. Not thread-safe.
 */
public final class DataDirCheck {
  private static final String NEXT_START_REMOVES = "the broker's next start removes it";
  private static final String NEXT_START_RENAMES =
      "the broker's next start renames it to *" + StrayFiles.SUFFIX;

  private final DataDirView dir;
  private final Defect.Listener told;
  private final LongConsumer progress;
  private Defect.Listener listener;
  private long messages;
  private long records;

  /**
   * @param listener told of each defect
   * @param progress given the messages checked so far, now and then
   */
  public DataDirCheck(DataDirView dir, Defect.Listener listener, LongConsumer progress) {
    this.dir = dir;
    this.told = listener;
    this.listener = listener;
    this.progress = progress;
  }

  /** Intact messages found so far. */
  public long messages() {
    return messages;
  }

  /** Intact records of journals and ledgers found so far. */
  public long records() {
    return records;
  }

  /** Checks what does not belong to a topic. */
  public void checkMetadata() throws IOException {
    if (dir.willPutBack()) {
      note(
          dir.root().resolve(RedoLog.DIR),
          "copies of messages that journals may have lost with power",
          "the broker's next start puts them back; what only they have is not seen before that");
    }
    if (dir.member() != null) {
      for (GroupView group : dir.member().groups()) {
        group.defects().forEach(listener::defect);
        for (Path file : dir.member().linkedOnly(group)) {
          note(
              file,
              "it is missing, and in the newest snapshot",
              "the node's next start takes it from there");
        }
      }
      return;
    }
    if (dir.metadataDefect() != null) {
      listener.defect(dir.metadataDefect());
      return;
    }
    Path file = dir.root().resolve("meta.json");
    List<String> topics = dir.topics();
    Set<String> known = new HashSet<>();
    if (dir.metadata().topics() != null) {
      for (Metadata.TopicEntry entry : dir.metadata().topics()) {
        known.add(entry.name());
        if (!topics.contains(entry.name())) {
          note(file, "topic " + entry.name() + " has no directory", "the broker forgets it");
        }
      }
    }
    for (String topic : topics) {
      if (!known.contains(topic)) {
        note(
            dir.journalDir(topic).getParent(),
            "topic " + topic + " is not in meta.json",
            "a kill right after its creation does this; the broker opens it with new message ids");
      }
    }
    if (dir.deletedBytes() > 0) {
      note(dir.root().resolve("topics"), "a deletion was not finished", NEXT_START_REMOVES);
    }
  }

  /** What happens then is told by other rules: the group's log has what came last. */
  private void sharedDefect(Defect defect) {
    told.defect(
        defect.harmless()
            ? defect
            : new Defect(
                defect.file(),
                defect.offset(),
                false,
                defect.what(),
                "what is behind the snapshot comes again from the group's log at the next start;"
                    + " below it the group stops on this node, see replace"));
  }

  private void note(Path file, String what, String consequence) {
    listener.defect(new Defect(file, -1, true, what, consequence));
  }

  private void defect(Path file, long offset, String what, String consequence) {
    listener.defect(new Defect(file, offset, false, what, consequence));
  }

  /** Checks a topic: its journal, then its channels' ledgers against it. */
  public void checkTopic(String name) throws IOException {
    boolean isShared = dir.member() != null;
    listener = isShared ? this::sharedDefect : told;
    checkFiles(dir.journalDir(name), "messages");
    JournalView.misplaced(dir.journalDir(name))
        .forEach((file, why) -> note(file, why, NEXT_START_RENAMES));
    try (TopicView topic = dir.topic(name)) {
      for (ChannelView channel : topic.channels()) {
        if (channel.hasLedger()) {
          checkFiles(dir.channelDir(name, channel.name()), "entries");
          checkLedger(channel);
        }
      }
      OrdinalRanges present = checkJournal(topic);
      for (ChannelView channel : topic.channels()) {
        checkPresence(topic, channel, present);
        checkHeld(channel);
      }
    }
  }

  /** What lies about, and whether each file begins as one of Chronicle's. */
  private void checkFiles(Path of, String what) throws IOException {
    if (!Files.isDirectory(of)) {
      note(of, "the directory is missing", "the broker makes it anew");
      return;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(of)) {
      for (Path entry : entries) {
        String name = entry.getFileName().toString();
        int cycle = LogFileNames.cycleOf(name);
        if (cycle >= 0 && Files.isRegularFile(entry)) {
          continue;
        }
        if (LogFileNames.isLeftover(name)) {
          note(entry, "about to be used, or left over from a kill", NEXT_START_REMOVES);
        } else if (name.contains(StrayFiles.SUFFIX)) {
          note(entry, "put aside by an earlier start", "the broker ignores it");
        } else if (name.endsWith(SizeRollCycle.SUFFIX)) {
          note(entry, "no file of the broker's is named so", NEXT_START_RENAMES);
        }
      }
    }
    LogView files = LogView.withEmpty(of);
    boolean newest = true;
    for (int cycle = files.cycleBefore(Integer.MAX_VALUE);
        cycle >= 0;
        cycle = files.cycleBefore(cycle)) {
      newest &= !checkFile(files, cycle, newest, what);
    }
  }

  /** Returns whether the file counts: what is newer and empty does not. */
  private boolean checkFile(LogView files, int cycle, boolean newest, String what)
      throws IOException {
    Path file = files.file(cycle);
    CycleFileHeader header = files.header(cycle);
    if (LogFileNames.isDamaged(file)) {
      note(file, "put aside by an earlier version", "the broker reads it");
      return true;
    }
    if (header == CycleFileHeader.WHOLE) {
      return true;
    }
    String begin = header == CycleFileHeader.NONE ? "has no header" : "the file header is damaged";
    if (files.holdsRecords(cycle)) {
      defect(file, 0, begin, "the broker reads the " + what + " in it all the same");
      return true;
    }
    if (!newest) {
      defect(file, 0, begin + " and no record", "its " + what + " are lost");
      return true;
    }
    if (header == CycleFileHeader.NONE) {
      note(file, begin + ": a kill came between making and using it", NEXT_START_REMOVES);
    } else {
      defect(file, 0, begin + " and no record", NEXT_START_RENAMES);
    }
    return false;
  }

  private void checkLedger(ChannelView channel) throws IOException {
    try (LedgerScan scan = channel.scan(listener)) {
      boolean inCheckpoint = false;
      while (scan.next()) {
        records++;
        switch (scan.type()) {
          case CHECKPOINT_BEGIN -> inCheckpoint = true;
          case CHECKPOINT_END, CHECKPOINT_FINISHED, CHECKPOINT_HELD, CHECKPOINT_DELIVERED -> {
            if (!inCheckpoint) {
              defect(
                  scan.file(),
                  scan.offset(),
                  "part of a checkpoint without its beginning",
                  "what it says counts, what its beginning said is not known: finished messages"
                      + " are delivered once more");
            }
            inCheckpoint &= scan.type() != LedgerScan.Type.CHECKPOINT_END;
          }
          case FINISH, DELIVER -> checkRanges(scan);
          case HOLD, EMPTY -> {}
        }
      }
    }
  }

  private void checkRanges(LedgerScan scan) {
    OrdinalRanges ranges = scan.ranges();
    for (int i = 0; i < ranges.count(); i++) {
      if (ranges.from(i) < 0 || ranges.to(i) <= ranges.from(i)) {
        defect(
            scan.file(),
            scan.offset(),
            "a range of messages from " + ranges.from(i) + " to " + ranges.to(i),
            "the broker takes it as it is");
      }
    }
  }

  /** Returns the ordinals whose messages are there. */
  private OrdinalRanges checkJournal(TopicView topic) throws IOException {
    OrdinalRanges present = new OrdinalRanges();
    // Since the last intact record: a power cut may be what is behind them.
    List<Defect> recent = new ArrayList<>();
    long expected = -1;
    try (JournalScan scan = topic.scan(recent::add)) {
      while (scan.next()) {
        records++;
        if (scan.isRelocated()) {
          continue;
        }
        boolean powerCut =
            expected >= 0 && topic.skipped().overlap(expected, scan.firstOrdinal()) > 0;
        report(recent, powerCut);
        if (scan.firstOrdinal() < expected) {
          defect(
              scan.file(),
              scan.offset(),
              "ordinals begin again at " + scan.firstOrdinal() + ", not at " + expected,
              "the broker delivers what it has passed already no second time");
        } else if (expected >= 0 && scan.firstOrdinal() > expected && !powerCut) {
          checkGap(topic, scan, expected);
        }
        expected = Math.max(expected, scan.endOrdinal());
        present.add(scan.firstOrdinal(), scan.endOrdinal());
        messages += scan.count();
        progress.accept(messages);
      }
    }
    report(recent, false);
    return present;
  }

  /**
   * @param powerCut whether the broker then left ordinals out, as it does after one: what stood
   *     before was not on the disk yet, and not promised
   */
  private void report(List<Defect> recent, boolean powerCut) {
    for (Defect defect : recent) {
      if (powerCut) {
        note(
            defect.file(),
            defect.what(),
            "lost in a power cut before it was forced; nothing happens");
      } else {
        listener.defect(defect);
      }
    }
    recent.clear();
  }

  private void checkGap(TopicView topic, JournalScan scan, long expected) {
    boolean needed =
        (dir.member() == null || expected < topic.knownTo())
            && topic.channels().stream()
                .anyMatch(c -> c.state().unfinishedInPlace(expected, scan.firstOrdinal()) > 0);
    String what =
        "messages " + expected + " to " + (scan.firstOrdinal() - 1) + " are missing before it";
    listener.defect(
        new Defect(
            scan.file(),
            scan.offset(),
            !needed,
            what,
            needed
                ? "the broker reports them and counts them as finished"
                : notNeeded(topic, expected)));
  }

  private String notNeeded(TopicView topic, long ordinal) {
    if (dir.member() == null) {
      return "every channel has finished them; nothing happens";
    }
    return ordinal < topic.knownTo()
        ? "every channel that the newest snapshot has had finished them by then; nothing happens"
        : "if there were any, they come again from the group's log at the next start";
  }

  /** Whether what a channel holds is where its ledger says. */
  private void checkHeld(ChannelView channel) throws IOException {
    List<String> unreadable = new ArrayList<>();
    long lost = 0;
    try (JournalCursor journal = channel.cursor(unreadable::add)) {
      MessageView message = new MessageView();
      for (HeldMessage held : channel.recovery().held()) {
        // Without a ledger only the places of copies are known.
        boolean isPlaced = channel.hasLedger() || held.ref().isRelocated();
        lost += !isPlaced || journal.read(held.ref(), message) ? 0 : 1;
      }
    }
    if (lost > 0) {
      defect(
          channel.dir(),
          -1,
          lost
              + " held message(s) are not where the "
              + (channel.hasLedger() ? "ledger" : "snapshot")
              + " says; of the first: "
              + unreadable.get(0),
          "the broker reports them and counts them as finished");
    }
  }

  /** Whether all that a channel has not finished can be read. */
  private void checkPresence(TopicView topic, ChannelView channel, OrdinalRanges present) {
    Path ledger = channel.dir();
    LedgerState state = channel.state();
    long journalFirst = present.isEmpty() ? topic.nextOrdinal() : present.from(0);
    long journalEnd = present.isEmpty() ? 0 : present.to(present.count() - 1);
    long beyond = state.unfinishedInPlace(journalEnd, state.endOrdinal());
    if (beyond > 0 && journalEnd > 0) {
      defect(
          ledger,
          -1,
          "the ledger knows messages up to "
              + (state.endOrdinal() - 1)
              + ", the journal ends with "
              + (journalEnd - 1),
          "the broker counts the missing ones as finished and numbers new ones above them");
    }
    long lost = state.unfinishedInPlace(state.floor(), Math.min(journalFirst, topic.nextOrdinal()));
    if (lost > 0) {
      defect(
          ledger,
          -1,
          lost + " unfinished message(s) from " + state.floor() + " on are older than the journal",
          "the broker reports them and counts them as finished");
    }
  }
}
