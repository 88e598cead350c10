package io.holdfast.broker.core;

/** Has a broker give up what it leads, as before a stop, and go on. */
public final class HandOvers {
  private HandOvers() {}

  /** Returns when others lead, or after a while. */
  public static void of(Broker broker) {
    broker.cluster().handOver();
  }
}
