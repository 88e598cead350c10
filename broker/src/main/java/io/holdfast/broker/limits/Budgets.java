package io.holdfast.broker.limits;

/**
 * What all connections share.
 *
 * @param memory of which each takes some
 * @param descriptors sockets
 */
public record Budgets(MemoryBudget memory, Descriptors descriptors) {
  /**
   * What this process has.
   *
   * @param memory how its memory is divided
   */
  public static Budgets of(MemoryBudget memory) {
    return new Budgets(memory, Descriptors.ofThisProcess());
  }

  /** Commands and requests that are arriving. */
  public InputBudget input() {
    return memory.input();
  }

  /** Replies and messages that clients have not taken. */
  public OutputBudget output() {
    return memory.output();
  }
}
