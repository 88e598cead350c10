package io.holdfast.broker.queue;

/**
 * A place in the order of a topic's messages, as people name it.
 *
 * @param kind what {@code value} is
 * @param value an id as a number, or a time in ns since 1970; else 0
 */
public record Position(Kind kind, long value) {
  /** The oldest message there is. */
  public static final Position START = new Position(Kind.START, 0);

  /** Behind the newest message. */
  public static final Position END = new Position(Kind.END, 0);

  /** How a place is named. */
  public enum Kind {
    START,
    END,
    ID,
    TIME
  }

  /** That message itself. */
  public static Position id(long id) {
    return new Position(Kind.ID, id);
  }

  /** The first message published at that time, ns since 1970, or later. */
  public static Position time(long timeNs) {
    return new Position(Kind.TIME, timeNs);
  }
}
