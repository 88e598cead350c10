package io.holdfast.broker.queue;

/** A message of one channel that is not finished, as it should be. */
final class ModelMessage {
  /** Where it is. */
  enum Place {
    READY,
    IN_FLIGHT,
    DEFERRED,
    DEAD
  }

  /**
   * What was published.
   *
   * @param length of the body in bytes
   * @param atMs publish time by the simulated clock
   * @param dueMs 0 without deferral
   */
  record Published(long ordinal, int length, long atMs, long dueMs) {
    private static final String FILLER = "x".repeat(6000);

    static Published of(long ordinal, int filler, long atMs, long dueMs) {
      return new Published(ordinal, prefix(ordinal).length() + filler, atMs, dueMs);
    }

    private static String prefix(long ordinal) {
      return "m" + ordinal + ":";
    }

    String body() {
      String prefix = prefix(ordinal);
      return prefix + FILLER.substring(0, length - prefix.length());
    }
  }

  final Published published;
  Place place;
  int attempts;

  /** Whether it waits for another time: after a REQ, a timeout, a deferral. */
  boolean cameBack;

  long dueMs;

  /** Whether it began anew, so that it may come after younger ones. */
  boolean anew;

  /** Whether it was redriven: it does not expire any more. */
  boolean redriven;

  // Only while in flight.
  SimulatedClient client;
  long deliveryMs;
  long deadlineMs;

  ModelMessage(Published published, Place place) {
    this.published = published;
    this.place = place;
    dueMs = published.dueMs();
  }

  @Override
  public String toString() {
    return published.ordinal() + " " + place + " after " + attempts + " deliveries";
  }
}
