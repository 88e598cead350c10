package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.PowerCuts;
import io.holdfast.storage.files.ShadowDisk;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Power cuts of a broker's storage, see {@link PowerCutRun}. */
class PowerCutTest extends PowerCuts {
  private static final int IMAGES_PER_LIFE = 6;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldKeepWhatWasPromised(boolean synced) throws Exception {
    long before = ShadowDisk.USED_AGAIN.get();
    recover(
        synced ? "synced" : "written",
        (home, seed) -> new PowerCutRun(home, synced, seed, IMAGES_PER_LIFE));
    // What is left from before in files that are used again is half of what can go wrong.
    long usedAgain = ShadowDisk.USED_AGAIN.get() - before;
    System.out.println(usedAgain + " files were used again");
    assertTrue(usedAgain > 0);
  }
}
