package io.holdfast.broker.cluster;

/**
 * What became of a command for the life of a cluster.
 *
 * @param status as HTTP has it
 * @param message why not; empty when it was done or begun
 */
public record LifeAnswer(int status, String message) {
  /** It is done. */
  public static final LifeAnswer DONE = new LifeAnswer(200, "");

  /** It was begun, and goes on by itself. */
  public static final LifeAnswer BEGUN = new LifeAnswer(202, "");

  /** It cannot be done now, and why. */
  static LifeAnswer refused(String reason) {
    return new LifeAnswer(409, reason);
  }

  /** There is no such thing. */
  static LifeAnswer unknown(String what) {
    return new LifeAnswer(400, what);
  }
}
