package io.holdfast.broker.cluster.peers;

/** A request to another node that has no answer, and what is known of it. */
public final class PeerException extends Exception {
  /** What is known of the request. */
  public enum Kind {
    /** It was certainly not sent. */
    UNREACHABLE,
    /** The connection broke: it may have been done. */
    LOST,
    /** No answer came in time: it may have been done, or may still be. */
    TIMEOUT,
    /** The other node, or this one before it sent anything, says no and why. */
    REFUSED
  }

  private final Kind kind;

  PeerException(Kind kind, String message) {
    // Made for each request of a node that is away: no stack trace, which says nothing.
    super(message, null, false, false);
    this.kind = kind;
  }

  /** What is known of the request. */
  public Kind kind() {
    return kind;
  }
}
