package io.holdfast.tools.bench.load;

import java.io.IOException;

/** Looks at the processes around a run; called on the run's thread. */
public interface LoadProbe {
  /** Looks at nothing. */
  LoadProbe NONE =
      new LoadProbe() {
        @Override
        public void begin() {
          // Nothing to see.
        }

        @Override
        public void end() {
          // Nothing to see.
        }
      };

  /** The warm-up is over, and everything from here on counts. */
  void begin() throws IOException;

  /** Everything is done, the FINs handled. */
  void end() throws IOException;

  /**
   * The load goes on; called about once a millisecond.
   *
   * @param messages OKs and deliveries so far, the warm-up's too
   */
  default void goesOn(long messages) {}
}
