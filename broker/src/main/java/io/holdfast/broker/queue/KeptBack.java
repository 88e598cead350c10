package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.TopicRecovery;
import io.holdfast.storage.values.OrdinalRanges;

/**
 * What a topic keeps back from its channels, while it is paused or has none that lasts: everything
 * from an ordinal on. It is in the journal and waits there until the first channel that lasts takes
 * it over. An ephemeral one gets it, too, and takes nothing away: while the topic keeps a backlog
 * and has no other channels, it also keeps what comes.
 *
 * <p>Both locks of the topic are held where something changes; any thread reads.
 */
final class KeptBack {
  /** Everything goes to the channels at once. */
  static final long NOTHING = TopicRecovery.NOTHING_KEPT;

  private final ChronicleJournal journal;

  /** The first ordinal kept back, or {@link #NOTHING}. */
  private volatile long from;

  /** What {@link #from} is about to become, for the metadata file; {@link #NOTHING} if nothing. */
  private volatile long next = NOTHING;

  /**
   * Whether messages are kept back for the pause only: the channels that there are have had all
   * before them.
   */
  private boolean forPause;

  /**
   * Where there may be deferred messages from {@link #from} on: the channels show them as such
   * before a consumer has read so far. The topic's lock.
   */
  private final MaybeDeferred deferred = new MaybeDeferred();

  /** Whether others decide what is kept back, see {@link #follow}. */
  private final boolean follows;

  /**
   * @param from the first ordinal kept back, or {@link #NOTHING}
   * @param follows whether others decide what is kept back: those who share the topic
   */
  KeptBack(ChronicleJournal journal, long from, boolean follows) {
    this.journal = journal;
    this.from = from;
    this.follows = follows;
    if (from != NOTHING) {
      // Which of them are is in the journal only.
      deferred.add(from, journal.nextOrdinal());
    }
  }

  /** A batch was published with a delay. */
  void publishedDeferred(Batch batch) {
    if (!isNothing()) {
      deferred.add(batch.firstOrdinal(), batch.endOrdinal());
    }
  }

  /** Where there may be deferred messages in what is kept back; a live view. */
  MaybeDeferred deferred() {
    return deferred;
  }

  // ---------------------------------------------------------------- transitions

  /** The topic is paused: it keeps what comes from now on, and what it kept already. */
  void pause() {
    if (isNothing()) {
      keepFrom(journal.nextOrdinal());
      forPause = true;
    }
  }

  /**
   * The topic goes on, and its channels have been given everything.
   *
   * @param hasTaker whether one of them takes it over; if not it stays kept as well, unless it was
   *     for the pause only
   */
  void unpause(boolean hasTaker) {
    if (hasTaker || forPause) {
      keepFrom(NOTHING);
    }
    forPause = false;
  }

  /** The channels have taken it over. */
  void handOver() {
    keepFrom(NOTHING);
  }

  /** What is kept back is dropped; what comes is kept. */
  void drop() {
    keepFrom(journal.nextOrdinal());
  }

  /** Whether what is kept back changes by {@link #follow} only. */
  boolean follows() {
    return follows;
  }

  /**
   * What is kept back is what those say who share the topic.
   *
   * @param ordinal the first one, or {@link #NOTHING}
   */
  void follow(long ordinal) {
    if (ordinal != from) {
      keepFrom(ordinal);
    }
  }

  private void keepFrom(long ordinal) {
    from = ordinal;
    deferred.clear();
  }

  /** The oldest messages that are kept back are dropped, up to an ordinal. */
  void dropTo(long ordinal) {
    from = ordinal;
  }

  /**
   * The oldest messages that are kept back.
   *
   * @param count at least 1, no more than there are
   */
  OrdinalRanges first(long count) {
    OrdinalRanges first = new OrdinalRanges();
    OrdinalRanges skipped = journal.skipped();
    long at = from;
    for (long left = count; left > 0; ) {
      long to = at + left;
      long none = skipped.overlap(at, to);
      first.add(at, to);
      left = none;
      at = to;
    }
    return first;
  }

  /**
   * The last channel is about to go, and then what comes is kept. On disk before it is so: from
   * then on an OK promises what only this number remembers.
   */
  void announce() {
    next = journal.nextOrdinal();
  }

  /**
   * A channel has gone; what was announced is so.
   *
   * @param hasAudience whether there are channels left, but such whose consumers only look
   */
  void channelGone(boolean hasAudience) {
    if (next != NOTHING) {
      keepFrom(next);
    }
    forPause &= hasAudience;
  }

  /** Nothing is announced any more, also when it did not come to be. */
  void endAnnouncement() {
    next = NOTHING;
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Whether nothing is kept back. */
  boolean isNothing() {
    return from == NOTHING;
  }

  /** Where a new channel begins. */
  long first() {
    long first = from;
    return first == NOTHING ? journal.nextOrdinal() : first;
  }

  /** As the next start is to find it: {@link #NOTHING}, or the first ordinal. */
  long forMetadata() {
    // Read once, and before the other: both change beside this.
    long announced = next;
    return announced == NOTHING ? from : announced;
  }

  /** The first ordinal that the journal has to keep for the topic. */
  long neededFrom() {
    long first = first();
    long announced = next;
    return announced == NOTHING ? first : Math.min(first, announced);
  }

  /** Messages kept back. */
  long depth() {
    long first = from;
    if (first == NOTHING) {
      return 0;
    }
    long end = journal.nextOrdinal();
    return Math.max(0, end - first - journal.skipped().overlap(first, end));
  }
}
