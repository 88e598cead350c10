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

  /** All connections are there, the load starts now. */
  void begin() throws IOException;

  /** All OKs have come, all FINs have been handled. */
  void end() throws IOException;
}
