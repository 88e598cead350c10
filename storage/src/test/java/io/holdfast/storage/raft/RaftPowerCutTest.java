package io.holdfast.storage.raft;

import io.holdfast.storage.files.PowerCuts;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Power cuts of a group's log and vote file, see {@link RaftPowerCutRun}. */
class RaftPowerCutTest extends PowerCuts {
  private static final int IMAGES_PER_LIFE = 6;

  @ParameterizedTest
  @EnumSource
  void shouldKeepWhatWasForced(RaftPowerCutGroup.Sizes sizes) throws Exception {
    recover(
        "Raft log, " + sizes,
        (home, seed) -> new RaftPowerCutRun(home, sizes, seed, IMAGES_PER_LIFE));
  }
}
