package io.holdfast.tools.bench.suite;

/**
 * One number of a run.
 *
 * @param name with its unit, such as {@code pub msg/s}
 * @param value the number
 * @param better which way is good
 * @param headline whether it is what the workload is about: shown in the plot, held by the guard
 */
record Reading(String name, double value, Better better, boolean headline) {
  /** Which way is good. */
  enum Better {
    MORE,
    LESS,
    /** It only explains the others. */
    NEITHER
  }
}
