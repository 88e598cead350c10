package io.holdfast.broker.memory;

import io.netty.util.internal.PlatformDependent;

/**
 * What all connections share.
 *
 * @param input commands and requests that are arriving
 * @param output replies and messages that clients have not taken
 * @param descriptors sockets
 */
public record Budgets(InputBudget input, OutputBudget output, Descriptors descriptors) {
  /** Of the memory for buffers, each budget's part unless configured. */
  private static final int PARTS = 4;

  /**
   * @param maxInputBytes 0 for a part of what the JVM has for buffers
   * @param maxTotalOutputBytes likewise
   */
  public static Budgets of(long maxInputBytes, long maxTotalOutputBytes) {
    return new Budgets(
        new InputBudget(orPart(maxInputBytes)),
        new OutputBudget(orPart(maxTotalOutputBytes)),
        Descriptors.ofThisProcess());
  }

  private static long orPart(long bytes) {
    return bytes > 0 ? bytes : PlatformDependent.maxDirectMemory() / PARTS;
  }
}
