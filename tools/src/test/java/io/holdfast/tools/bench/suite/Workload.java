package io.holdfast.tools.bench.suite;

import java.io.IOException;

/**
 * Something to measure.
 *
 * @param name on the command line and in the report
 * @param about one line
 * @param warmUp what to do with another topic before; null for nothing
 * @param body the measurement
 */
record Workload(String name, String about, WarmUp warmUp, Body body) {
  /** Load on other topics than the measured ones. */
  interface WarmUp {
    /**
     * @param seconds about how long
     */
    void run(WorkloadRun run, double seconds) throws IOException;
  }

  /** The measurement, on a broker that is up. */
  interface Body {
    void run(WorkloadRun run, Readings to) throws IOException;
  }
}
