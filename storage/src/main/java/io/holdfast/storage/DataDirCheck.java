package io.holdfast.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;

/**
 * Checks everything in a data directory: every checksum, head and sequence, and that what ledgers
 * refer to is there. Reports, changes nothing. For a directory that no broker uses; beside a
 * running one, what is written meanwhile may look damaged. Not thread-safe.
 */
public final class DataDirCheck {
  private static final String NEXT_START_REMOVES = "the broker's next start removes it";
  private static final int HEADER_PROBE_BYTES = 64;

  private final DataDirView dir;
  private final Defect.Listener listener;
  private final LongConsumer progress;
  private long messages;
  private long records;

  /**
   * @param listener told of each defect
   * @param progress given the messages checked so far, now and then
   */
  public DataDirCheck(DataDirView dir, Defect.Listener listener, LongConsumer progress) {
    this.dir = dir;
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

  private void note(Path file, String what, String consequence) {
    listener.defect(new Defect(file, -1, true, what, consequence));
  }

  private void defect(Path file, long offset, String what, String consequence) {
    listener.defect(new Defect(file, offset, false, what, consequence));
  }

  /** Checks a topic: its journal, then its channels' ledgers against it. */
  public void checkTopic(String name) throws IOException {
    Path journalDir = dir.journalDir(name);
    checkFiles(journalDir, "messages");
    OrdinalRanges present = new OrdinalRanges();
    try (TopicView topic = dir.topic(name)) {
      // What held messages refer to, to be struck out where it is found.
      List<TreeSet<Long>> references = new ArrayList<>();
      for (ChannelView channel : topic.channels()) {
        checkFiles(dir.channelDir(name, channel.name()), "entries");
        checkLedger(dir.channelDir(name, channel.name()));
        references.add(heldOrdinals(channel));
      }
      checkJournal(topic, journalDir, present, references);
      for (int i = 0; i < topic.channels().size(); i++) {
        ChannelView channel = topic.channels().get(i);
        checkPresence(topic, channel, present);
        if (!references.get(i).isEmpty()) {
          long first = references.get(i).first();
          defect(
              dir.channelDir(name, channel.name()),
              -1,
              references.get(i).size()
                  + " held message(s) are not where the ledger says; the first is "
                  + first
                  + ", to be at "
                  + place(journalDir, channel.state().held(first).ref()),
              "the broker reports them and counts them as finished");
        }
      }
    }
  }

  private static String place(Path journalDir, MessageRef ref) {
    String file = SizeRollCycle.fileName(ExcerptLog.cycleOf(ref.batchPosition()));
    return journalDir.resolve(file) + ":" + ExcerptLog.offsetOf(ref.batchPosition());
  }

  private static TreeSet<Long> heldOrdinals(ChannelView channel) {
    TreeSet<Long> ordinals = new TreeSet<>();
    for (HeldMessage held : channel.state().held()) {
      if (held.ref().ordinal() >= channel.state().floor()) {
        ordinals.add(held.ref().ordinal());
      }
    }
    return ordinals;
  }

  /** What lies about, and whether each file begins as one of Chronicle's. */
  private void checkFiles(Path of, String what) throws IOException {
    if (!Files.isDirectory(of)) {
      note(of, "the directory is missing", "the broker makes it anew");
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(of)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.endsWith(".precreated") || name.endsWith(".discard")) {
          note(file, "left over from a roll that a kill interrupted", NEXT_START_REMOVES);
        } else if (name.endsWith(".damaged")) {
          note(file, "put aside by an earlier start", "the broker ignores it");
        }
      }
    }
    TreeSet<Integer> cycles = RecordScan.cycles(of);
    boolean newest = true;
    for (Iterator<Integer> it = cycles.descendingIterator(); it.hasNext(); ) {
      Path file = of.resolve(SizeRollCycle.fileName(it.next()));
      ByteBuffer start = start(file);
      boolean headerless =
          start.remaining() < Integer.BYTES
              || start.getInt(0) == 0
              || start.getInt(0) == Integer.MIN_VALUE;
      if (!headerless) {
        newest = false;
        if (!StandardCharsets.ISO_8859_1.decode(start).toString().contains("header")) {
          defect(
              file,
              0,
              "the file header is damaged",
              "the broker cannot open the file; its " + what + " are lost to it");
        }
      } else if (newest) {
        note(file, "has no header: a kill came between making and using it", NEXT_START_REMOVES);
      } else {
        defect(file, 0, "has no header", "the broker renames it; its " + what + " are lost");
      }
    }
  }

  private static ByteBuffer start(Path file) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(HEADER_PROBE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      while (start.hasRemaining() && in.read(start) >= 0) {}
    }
    return start.flip();
  }

  private void checkLedger(Path of) throws IOException {
    try (LedgerScan scan = new LedgerScan(of, RecordScan.Mode.RECOVERING, listener)) {
      boolean inCheckpoint = false;
      do {
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
                    "the broker ignores it");
              }
              inCheckpoint &= scan.type() != LedgerScan.Type.CHECKPOINT_END;
            }
            case FINISH, DELIVER -> checkRanges(scan);
            case HOLD, EMPTY -> {}
          }
        }
      } while (scan.records().recoverTail());
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

  private void checkJournal(
      TopicView topic, Path journalDir, OrdinalRanges present, List<TreeSet<Long>> references)
      throws IOException {
    MessageView message = new MessageView();
    long expected = -1;
    try (JournalScan scan = new JournalScan(journalDir, RecordScan.Mode.RECOVERING, listener)) {
      do {
        while (scan.next()) {
          records++;
          if (scan.isCarried()) {
            strikeOut(topic, scan, message, references);
            continue;
          }
          if (scan.firstOrdinal() < expected) {
            defect(
                scan.file(),
                scan.offset(),
                "ordinals begin again at " + scan.firstOrdinal() + ", not at " + expected,
                "the broker delivers what it has passed already no second time");
          } else if (expected >= 0 && scan.firstOrdinal() > expected) {
            checkGap(topic, scan, expected);
          }
          expected = Math.max(expected, scan.endOrdinal());
          present.add(scan.firstOrdinal(), scan.endOrdinal());
          strikeOut(topic, scan, message, references);
          messages += scan.count();
          progress.accept(messages);
        }
      } while (scan.records().recoverTail());
    }
  }

  private void checkGap(TopicView topic, JournalScan scan, long expected) {
    boolean needed =
        topic.channels().stream()
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
                : "every channel has finished them; nothing happens"));
  }

  private static void strikeOut(
      TopicView topic, JournalScan scan, MessageView message, List<TreeSet<Long>> references) {
    for (int i = 0; i < references.size(); i++) {
      TreeSet<Long> wanted = references.get(i);
      Long next = wanted.ceiling(scan.firstOrdinal());
      if (next == null || next >= scan.endOrdinal()) {
        continue;
      }
      scan.rewind();
      while (scan.nextMessage(message)) {
        HeldMessage held = topic.channels().get(i).state().held(message.ordinal());
        if (held != null && refersTo(held.ref(), message)) {
          wanted.remove(message.ordinal());
        }
      }
    }
  }

  private static boolean refersTo(MessageRef ref, MessageView message) {
    return ref.batchPosition() == message.batchPosition()
        && ref.bodyOffset() == message.bodyOffset()
        && ref.bodyLength() == message.bodyLength();
  }

  /** Whether all that a channel has not finished can be read. */
  private void checkPresence(TopicView topic, ChannelView channel, OrdinalRanges present) {
    Path ledger = dir.channelDir(topic.name(), channel.name());
    LedgerState state = channel.state();
    long journalFirst = present.isEmpty() ? topic.nextOrdinal() : present.from(0);
    long journalEnd = present.isEmpty() ? 0 : present.to(present.count() - 1);
    if (state.endOrdinal() > journalEnd && journalEnd > 0) {
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
