package io.holdfast.tools.data;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.group.GroupImage;
import io.holdfast.storage.group.GroupImage.ChannelImage;
import io.holdfast.storage.group.GroupImage.TopicImage;
import io.holdfast.storage.group.SnapshotSeal;
import io.holdfast.storage.group.StateCodec;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.journal.JournalEnd;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.raft.RaftEntry;
import io.holdfast.storage.raft.RaftLog;
import io.holdfast.storage.raft.RaftLogOptions;
import io.holdfast.storage.raft.VoteFile;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The directory of node c of a cluster of two groups, made by the storage itself. Group 0 has 20
 * entries of term 3, voted for b, and a snapshot at 12: topic {@code orders} (number 1) with
 * messages {@code m0} to {@code m9}, of which channel {@code a} has finished 0 to 4. Since then ten
 * more were published, and topic {@code young} (number 4) was made, with two messages. Group 1 is
 * empty.
 */
final class MemberDir {
  static final String UUID = "1a2b-3c";
  private static final StorageOptions OPTIONS = new StorageOptions(1 << 20, 1 << 20, false, 0);
  private static final RaftLogOptions LOG = new RaftLogOptions(1 << 20, 1 << 16);

  private final Path root;

  private MemberDir(Path root) {
    this.root = root;
  }

  static MemberDir create(Path root) throws IOException {
    MemberDir dir = new MemberDir(root);
    Files.createDirectories(root);
    new ClusterFile(UUID, true, 900, "c", 0, 0, 2, List.of(0, 1)).write(Disk.LOCAL, root);
    dir.group(0, 20, 3, "b 127.0.0.1:4160");
    dir.group(1, 0, 0, "");
    try (SyncThread sync = new SyncThread(1000)) {
      Files.createDirectories(dir.journal("orders~1"));
      try (ChronicleJournal journal =
          new ChronicleJournal(dir.journal("orders~1"), OPTIONS, sync)) {
        journal.append(SampleDir.batch("m", 0, 10, 0));
        dir.snapshot(journal);
        journal.append(SampleDir.batch("m", 10, 10, 0));
      }
      Files.createDirectories(dir.journal("young~4"));
      try (ChronicleJournal journal = new ChronicleJournal(dir.journal("young~4"), OPTIONS, sync)) {
        journal.append(SampleDir.batch("y", 0, 2, 0));
      }
    }
    return dir;
  }

  /**
   * Another one, of one group: of topic {@code orders} channel {@code a} has finished 0 to 9 but 5,
   * of which there is a copy, and {@code m10} to {@code m19} came later. The file before is gone.
   */
  static MemberDir createCarried(Path root) throws IOException {
    MemberDir dir = new MemberDir(root);
    Files.createDirectories(root);
    new ClusterFile(UUID, true, 900, "c", 0, 0, 1, List.of(0)).write(Disk.LOCAL, root);
    dir.group(0, 20, 3, "b 127.0.0.1:4160");
    Path home = dir.journal("orders~1");
    Files.createDirectories(home);
    try (SyncThread sync = new SyncThread(1000)) {
      int first;
      try (ChronicleJournal journal = new ChronicleJournal(home, OPTIONS, sync)) {
        journal.append(SampleDir.batch("m", 0, 10, 0));
        first = journal.end().file();
      }
      try (ChronicleJournal journal = new ChronicleJournal(home, OPTIONS, sync);
          JournalCursor cursor = journal.cursor()) {
        MessageView view = new MessageView();
        cursor.read(journal.find(5), view);
        CarriedMessage carried =
            new CarriedMessage(journal.relocate(view), view.timestampNs(), view.deferMs());
        journal.append(SampleDir.batch("m", 10, 10, 0));
        LedgerState state = new LedgerState(0);
        state.finish(0, 5);
        state.finish(6, 10);
        dir.snapshot(journal, state, 20, List.of(carried));
        journal.removeFile(first);
      }
    }
    return dir;
  }

  private void group(int group, int entries, long term, String vote) throws IOException {
    Path dir = ClusterFile.groupDir(root, group);
    Files.createDirectories(dir.resolve("log"));
    Files.createDirectories(dir.resolve("snapshot"));
    VoteFile.create(dir.resolve("vote"), Disk.LOCAL).set(term, vote);
    try (RaftLog log = RaftLog.create(dir.resolve("log"), Disk.LOCAL, LOG)) {
      List<RaftEntry> all = new ArrayList<>();
      for (int i = 1; i <= entries; i++) {
        byte[] bytes = ("entry " + i).getBytes(StandardCharsets.UTF_8);
        all.add(new RaftEntry(i, term, ByteBuffer.wrap(bytes)));
      }
      log.append(all);
    }
  }

  private void snapshot(ChronicleJournal journal) throws IOException {
    LedgerState state = new LedgerState(0);
    state.finish(0, 5);
    snapshot(journal, state, 10, List.of());
  }

  private void snapshot(
      ChronicleJournal journal, LedgerState state, long next, List<CarriedMessage> carried)
      throws IOException {
    JournalEnd end = journal.end();
    Path dir = snapshot();
    Files.createDirectories(dir);
    Path file = journal.file(end.file());
    Files.createLink(dir.resolve("1-" + file.getFileName()), file);
    ChannelImage channel = new ChannelImage("a", 2, true, 0, Map.of(), state);
    TopicImage topic =
        new TopicImage(
            "orders",
            1,
            1000,
            false,
            -1,
            -1,
            0,
            Map.of(),
            next,
            new OrdinalRanges(),
            end,
            List.of(end.file()),
            carried,
            List.of(channel));
    StateCodec.write(new GroupImage(0, 12, 3, 0, 1, 3, 0, List.of(topic)), Disk.LOCAL, state());
    Files.writeString(sealed(), "what the engine says");
    SnapshotSeal.write(Disk.LOCAL, snapshot());
  }

  Path sealed() {
    return snapshot().resolve(SnapshotSeal.SEALED);
  }

  Path root() {
    return root;
  }

  Path journal(String dirName) {
    return root.resolve("topics").resolve(dirName).resolve("journal");
  }

  Path journalFile() {
    return journal("orders~1").resolve("19700101-000001.cq4");
  }

  Path log() {
    return root.resolve("groups/0/log");
  }

  Path logFile() {
    return log().resolve("19700101-000001.cq4");
  }

  Path vote() {
    return root.resolve("groups/0/vote");
  }

  private Path snapshot() {
    return root.resolve("groups/0/snapshot/snapshot_12");
  }

  Path state() {
    return snapshot().resolve(StateCodec.FILE);
  }

  Path link() {
    return snapshot().resolve("1-19700101-000001.cq4");
  }

  /** Changes the first byte of a text in a file; where that is. */
  static long damage(Path file, String text) throws IOException {
    byte[] content = Files.readAllBytes(file);
    int at = new String(content, StandardCharsets.ISO_8859_1).indexOf(text);
    content[at] ^= 1;
    // In place: it may be linked.
    Files.write(file, content);
    return at;
  }
}
