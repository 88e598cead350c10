package io.holdfast.broker.cluster.engine;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.group.SnapshotSeal;
import io.holdfast.storage.raft.RaftLog;
import io.holdfast.storage.raft.RaftLogOptions;
import io.holdfast.storage.raft.VoteFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Predicate;

/**
 * Where a group has its log, its vote and its snapshots, and how they are kept. Making them and
 * opening them are different things: what is missing is never taken for new.
 *
 * @param dir of the group, {@code groups/<g>}
 * @param options of the log; the largest entry has room for {@link #ENTRY_HEAD_BYTES} more than
 *     what is proposed
 * @param lastStop how the process before this one ended
 * @param makeRoom asked when the disk is full for log, vote or snapshot, which are on the way to
 *     free space: whether there is more room now
 */
public record GroupFiles(
    Path dir,
    Disk disk,
    RaftLogOptions options,
    LastStop lastStop,
    Predicate<IOException> makeRoom) {
  /** What an engine adds to an entry, and the largest entry it makes itself. */
  public static final int ENTRY_HEAD_BYTES = 16 << 10;

  /** Without anybody to ask for room. */
  public GroupFiles(Path dir, Disk disk, RaftLogOptions options, LastStop lastStop) {
    this(dir, disk, options, lastStop, full -> false);
  }

  Path logDir() {
    return dir.resolve("log");
  }

  Path vote() {
    return dir.resolve("vote");
  }

  Path snapshotDir() {
    return dir.resolve("snapshot");
  }

  /** The largest entry that may be proposed, bytes. */
  int maxProposalBytes() {
    return options.maxEntryBytes() - ENTRY_HEAD_BYTES;
  }

  /**
   * Makes the files of a new group, on disk when this returns. Who calls it knows that the group
   * never was on this node.
   *
   * @throws FileAlreadyExistsException when there is a group: it may have voted
   * @throws IOException when the disk refuses; what is left has to be removed
   */
  public void create() throws IOException {
    if (Files.exists(vote())) {
      throw new FileAlreadyExistsException(vote().toString());
    }
    DurableFiles.createDirectory(disk, dir);
    DurableFiles.createDirectory(disk, logDir());
    DurableFiles.createDirectory(disk, snapshotDir());
    RaftLog.create(logDir(), disk, options).close();
    VoteFile.create(vote(), disk);
  }

  VoteFile openVote() throws IOException {
    try {
      VoteFile opened = VoteFile.open(vote(), disk);
      opened.whenFull(makeRoom);
      return opened;
    } catch (NoSuchFileException e) {
      throw missing("vote", e);
    }
  }

  /**
   * Opens the log.
   *
   * @param term the highest that the vote knows
   */
  RaftLog openLog(long term) throws IOException {
    try {
      RaftLog opened = RaftLog.open(logDir(), disk, options, lastStop, term);
      opened.whenFull(makeRoom);
      return opened;
    } catch (NoSuchFileException e) {
      throw missing("log", e);
    }
  }

  /**
   * Checks what only the engine reads of the newest snapshot.
   *
   * @throws IOException when it is damaged or gone
   */
  void checkSnapshot() throws IOException {
    Path newest = SnapshotSeal.newest(snapshotDir());
    if (newest == null) {
      return;
    }
    try {
      SnapshotSeal.check(disk, newest);
    } catch (NoSuchFileException e) {
      throw new IOException("snapshot damaged: " + e.getFile() + ": it is missing", e);
    }
  }

  private IOException missing(String what, NoSuchFileException e) {
    return new IOException(
        what
            + " missing: "
            + e.getFile()
            + ": this node may have voted, or answered for what was in it",
        e);
  }
}
