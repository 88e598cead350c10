package io.holdfast.storage.raft;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.log.LogView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A group's log for those who only look, by the replay that opens it: changes nothing, takes no
 * lock, and may be used beside the node that writes to it. Immutable.
 *
 * @param first the lowest entry that is needed
 * @param last the highest entry; one below {@code first} when there is none
 * @param lastTerm of the last entry; 0 when none is known
 * @param bytes of its files, as far as they are written
 * @param doubtfulTo see {@link RaftLog#doubtfulTo}
 * @param damage why no node opens it any more; null when one does
 * @param torn what a power cut can have done to what was written last, with file and offset; null
 *     for nothing. It is damage while the machine stays up
 */
public record RaftLogView(
    long first,
    long last,
    long lastTerm,
    long bytes,
    long doubtfulTo,
    DamagedException damage,
    String torn) {

  /** Files that its node removes meanwhile look like damage. */
  private static final int LOOKS = 3;

  /**
   * Reads all of a log.
   *
   * @param dir of its files
   * @throws NoSuchFileException when there is no log, or none any more
   * @throws IOException when it cannot be read
   */
  public static RaftLogView read(Path dir) throws IOException {
    for (int look = 1; ; look++) {
      int before = new LogView(dir).firstCycle();
      try {
        RaftLogView view = look(dir);
        if (view.damage == null || look == LOOKS || new LogView(dir).firstCycle() == before) {
          return view;
        }
      } catch (NoSuchFileException e) {
        if (look == LOOKS || new LogView(dir).firstCycle() == before) {
          throw e;
        }
      }
    }
  }

  private static RaftLogView look(Path dir) throws IOException {
    Path mark = dir.resolve(EndMark.NAME);
    if (!Files.isRegularFile(mark)) {
      throw new NoSuchFileException(mark.toString());
    }
    // Before the records: what comes meanwhile must not look as if it was missing.
    long marked = EndMark.read(mark, Disk.LOCAL);
    LogView files = new LogView(dir);
    if (files.firstCycle() < 0) {
      throw new NoSuchFileException(files.file(1).toString());
    }
    RaftLogState state = new RaftLogState();
    RaftLogReplay replay;
    try (EntryCursors cursors = new EntryCursors(files)) {
      replay = new RaftLogReplay(files, state, cursors);
      replay.run();
      RaftLogJudge.judge(replay, state, files, mark, marked, marked >= 0);
    } catch (DamagedException e) {
      return view(state, e, null);
    }
    return view(
        state,
        null,
        replay.isBroken() ? files.where(replay.brokenAt()) + ": " + replay.defect() : null);
  }

  private static RaftLogView view(RaftLogState state, DamagedException damage, String torn) {
    return new RaftLogView(
        state.floor(),
        state.last(),
        state.lastTerm(),
        state.bytes(),
        state.doubtfulTo(),
        damage,
        torn);
  }
}
