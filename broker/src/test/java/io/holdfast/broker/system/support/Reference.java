package io.holdfast.broker.system.support;

import static org.junit.jupiter.api.Assumptions.abort;

import java.util.List;

/**
 * Which broker the tests run against: Holdfast, or the program given by {@code
 * -Dholdfast.broker.command} (the real nsqd), by which the tests themselves are validated.
 */
public final class Reference {
  private static final String COMMAND = System.getProperty("holdfast.broker.command", "").strip();

  private Reference() {}

  /** Whether the tests run against Holdfast and not against the reference. */
  public static boolean isHoldfast() {
    return COMMAND.isEmpty();
  }

  /** The command line of the reference without flags; empty when Holdfast is tested. */
  static List<String> command() {
    return COMMAND.isEmpty() ? List.of() : List.of(COMMAND.split("\\s+"));
  }

  /**
   * Skips the calling test on the reference, where Holdfast differs on purpose.
   *
   * @param reason what the reference does instead; printed
   */
  public static void holdfastOnly(String reason) {
    if (!isHoldfast()) {
      System.out.println("skipped on the reference broker: " + reason);
      abort("Holdfast only: " + reason);
    }
  }
}
