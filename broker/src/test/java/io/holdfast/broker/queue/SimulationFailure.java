package io.holdfast.broker.queue;

import com.google.errorprone.annotations.FormatMethod;
import java.util.List;

/** The broker does not do what the model says. */
final class SimulationFailure extends AssertionError {
  private static final long serialVersionUID = 1;
  private static final int MAX_NAMED = 3;

  private final String subject;
  private final long[] ordinals;

  /**
   * @param subject the topic or channel, see {@link SimulationTrace#note}
   * @param ordinals the messages it is about, if any
   */
  SimulationFailure(Object subject, String what, List<Long> ordinals) {
    super(subject + ": " + what);
    this.subject = subject.toString();
    this.ordinals = ordinals.stream().limit(MAX_NAMED).mapToLong(Long::longValue).toArray();
  }

  String subject() {
    return subject;
  }

  long[] ordinals() {
    return ordinals.clone();
  }

  /** Fails unless it holds. */
  @FormatMethod
  static void require(boolean holds, Object subject, String format, Object... args) {
    if (!holds) {
      throw new SimulationFailure(subject, String.format(format, args), List.of());
    }
  }

  /** Fails unless a figure is right. */
  static void equal(long expected, long actual, Object subject, String what) {
    if (expected != actual) {
      throw new SimulationFailure(
          subject, what + " should be " + expected + ", is " + actual, List.of());
    }
  }
}
