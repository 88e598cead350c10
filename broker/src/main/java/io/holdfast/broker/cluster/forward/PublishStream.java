package io.holdfast.broker.cluster.forward;

/**
 * Publishes that were sent one after the other to a leader in one term: it takes none of them after
 * one that it did not take. Belongs to its {@link GroupPublishes}.
 */
final class PublishStream {
  final String node;
  final long term;
  final long number;

  long next;

  /** Whether the leader has taken something: before, one at a time is sent. */
  boolean isProven;

  /** Whether nothing more is sent, until it is known of all what became of them. */
  boolean isClosed;

  /** Whether an answer did not come, so that the leader is to be asked what it took. */
  boolean isInDoubt;

  /** Whether that question is under way. */
  boolean isAsking;

  /** The highest position that is in the log, or may be for ever; negative for none. */
  long taken = -1;

  PublishStream(String node, long term, long number) {
    this.node = node;
    this.term = term;
    this.number = number;
  }
}
