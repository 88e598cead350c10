package io.holdfast.storage.topic;

import io.holdfast.storage.files.PowerCuts;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Power cuts of a broker's storage, see {@link PowerCutRun}. */
class PowerCutTest extends PowerCuts {
  private static final int IMAGES_PER_LIFE = 6;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldKeepWhatWasPromised(boolean synced) throws Exception {
    recover(
        synced ? "synced" : "written",
        (home, seed) -> new PowerCutRun(home, synced, seed, IMAGES_PER_LIFE));
  }
}
