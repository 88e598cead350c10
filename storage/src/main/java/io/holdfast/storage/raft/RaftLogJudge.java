package io.holdfast.storage.raft;

import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Says whether what a replay found is all that was ever answered for. Where the machine was up, a
 * log that is broken or ends too early is damaged. After a power cut it may be broken in the last
 * batch: before that, records behind the break, or the {@link EndMark}, prove that what is gone was
 * on disk. Stateless.
 */
final class RaftLogJudge {
  private RaftLogJudge() {}

  /**
   * Returns when the log can be gone on with, as far as the replay came.
   *
   * @param mark where the {@link EndMark} is
   * @param marked what it says
   * @param lostPower whether what was not forced may be gone
   * @throws DamagedException when it cannot
   */
  static void judge(
      RaftLogReplay replay,
      RaftLogState state,
      LogFiles log,
      Path mark,
      long marked,
      boolean lostPower)
      throws IOException {
    if (marked < 0 && !lostPower) {
      throw new DamagedException("log", mark, 0, "it does not say how far the log went");
    }
    long sequence = replay.sequence();
    boolean wasForced = marked > sequence || replay.provenTo() > sequence || sequence == 0;
    if (replay.isBroken() && (wasForced || !lostPower)) {
      throw damaged(log, replay.brokenAt(), replay.defect());
    }
    if (wasForced) {
      throw damaged(
          log,
          Math.max(state.endPosition(), Position.of(log.firstCycle(), 0)),
          "records " + (sequence + 1) + " to " + marked + " that came here are gone");
    }
    if (state.start() == 0 || state.start() > state.floor()) {
      throw damaged(
          log,
          Position.of(log.firstCycle(), 0),
          "entries from " + state.floor() + " on are gone, with files before this one");
    }
  }

  private static DamagedException damaged(LogFiles log, long at, String defect) {
    return new DamagedException("log", log.file(Position.cycle(at)), Position.offset(at), defect);
  }
}
