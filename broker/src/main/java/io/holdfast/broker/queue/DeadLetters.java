package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryShare;
import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.HeldMessage.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The dead letters of a channel: unfinished messages that are not delivered, the one that is dead
 * longest first. Decides what becomes of a message that dies: kept, dropped, or kept until it is
 * published elsewhere ({@link DeadLetterMover}). The channel's lock guards it.
 */
final class DeadLetters {
  /** Of an entry's key: the mark; above it when the message died, ms since 1970. */
  private static final int MARK_BITS = 3;

  private static final int MARK_MASK = (1 << MARK_BITS) - 1;

  private final ChannelSettings settings;
  private final PolicyInForce<ChannelPolicy> policy;
  private final ChannelLedger ledger;
  private final boolean isEphemeral;
  private final Runnable toBePublished;

  /**
   * Of all channels' memory for references. Taken also beyond its limit: no dead letter is lost.
   */
  private final MemoryShare share;

  private final References entries = new References();

  /** Entries from here (inclusive) to {@link #end} (exclusive). */
  private int begin;

  private int end;

  /** Those of them that are to be published elsewhere. */
  private volatile int outCount;

  /** Whether some of these are being published at the moment. */
  private boolean moving;

  private long deadLetterCount;
  private long droppedCount;
  private long expiredCount;

  /**
   * @param isEphemeral whether nothing is kept: nobody could redrive it after the consumer left
   * @param toBePublished told when there is something to be published elsewhere; does not block
   */
  DeadLetters(
      ChannelSettings settings,
      PolicyInForce<ChannelPolicy> policy,
      ChannelLedger ledger,
      boolean isEphemeral,
      Runnable toBePublished) {
    this.settings = settings;
    this.policy = policy;
    this.ledger = ledger;
    this.isEphemeral = isEphemeral;
    this.toBePublished = toBePublished;
    share = new MemoryShare(settings.memory().deferred());
  }

  // ---------------------------------------------------------------- in

  /** A message is too old; what becomes of it is in the ledger after its next write. */
  void expire(Message message) {
    expiredCount++;
    if (policy.get().expired() == ChannelPolicy.Expired.DROP) {
      ledger.finished(message.ordinal());
    } else {
      die(message, true);
    }
  }

  /**
   * A message dies.
   *
   * @param expired whether it was too old; else it had too many attempts
   */
  void die(Message message, boolean expired) {
    ChannelPolicy rules = policy.get();
    deadLetterCount++;
    if (rules.deadLetter().equals(ChannelPolicy.DROP)
        || (isEphemeral && rules.deadLetter().equals(ChannelPolicy.KEEP))) {
      droppedCount++;
      ledger.finished(message.ordinal());
      return;
    }
    boolean isOut = rules.hasDeadLetterTopic();
    Mark mark =
        isOut
            ? expired ? Mark.OUT_EXPIRED : Mark.OUT_ATTEMPTS
            : expired ? Mark.DEAD_EXPIRED : Mark.DEAD_ATTEMPTS;
    long diedMs = settings.clock().wallMs();
    add(message, diedMs, mark);
    ledger.died(message, diedMs, mark);
    bound(rules.maxDead());
    if (isOut) {
      toBePublished.run();
    }
  }

  /** Those that are dead longest go beyond a bound; finished in the ledger after its next write. */
  void bound(int maxDead) {
    while (size() > maxDead) {
      droppedCount++;
      ledger.finished(entries.ordinal(begin));
      removeFirst();
    }
  }

  /** What the ledger has of them. */
  void restore(List<HeldMessage> dead) {
    dead.stream()
        .sorted((a, b) -> Long.compare(a.dueMs(), b.dueMs()))
        .forEach(held -> add(Message.of(held.ref()), held.dueMs(), held.mark()));
    share.trim();
    if (outCount > 0) {
      toBePublished.run();
    }
  }

  private void add(Message message, long diedMs, Mark mark) {
    share.take(References.REFERENCE_BYTES);
    entries.ensure(end + 1);
    entries.set(end++, message, (diedMs << MARK_BITS) | mark.code());
    count(mark, 1);
  }

  // ---------------------------------------------------------------- out

  /** Takes out the one that is dead longest; null for none. */
  Message pollFirst() {
    if (size() == 0) {
      return null;
    }
    Message first = entries.get(begin);
    removeFirst();
    return first;
  }

  private void removeFirst() {
    count(mark(begin), -1);
    share.give(References.REFERENCE_BYTES);
    begin++;
    if (begin == end) {
      clearEntries();
    } else if (2 * begin > end) {
      compact(ordinal -> true);
    }
  }

  /** Takes out that one; null when it is not dead. */
  Message take(long ordinal) {
    for (int i = begin; i < end; i++) {
      if (entries.ordinal(i) == ordinal) {
        Message found = entries.get(i);
        remove(like -> like == ordinal, gone -> {});
        return found;
      }
    }
    return null;
  }

  /**
   * Takes out some.
   *
   * @param like whose ordinals are like this
   * @param removed gets these ordinals
   */
  void remove(LongPredicate like, LongConsumer removed) {
    for (int i = begin; i < end; i++) {
      if (like.test(entries.ordinal(i))) {
        count(mark(i), -1);
        share.give(References.REFERENCE_BYTES);
        removed.accept(entries.ordinal(i));
      }
    }
    compact(like.negate());
  }

  /** Leaves only entries whose ordinals are like this, from place 0 on. */
  private void compact(LongPredicate like) {
    int to = 0;
    for (int i = begin; i < end; i++) {
      if (like.test(entries.ordinal(i))) {
        if (to != i) {
          entries.copy(i, to);
        }
        to++;
      }
    }
    begin = 0;
    end = to;
    entries.shrink(end);
  }

  /** Forgets all of them; the ledger is told elsewhere. */
  void clear() {
    share.giveAll();
    outCount = 0;
    clearEntries();
  }

  private void clearEntries() {
    begin = 0;
    end = 0;
    entries.shrink(0);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock; volatile for those who only look
  private void count(Mark mark, int by) {
    if (mark.isOut()) {
      outCount += by;
    }
  }

  // ---------------------------------------------------------------- to be published elsewhere

  /** How many are to be published elsewhere. Any thread. */
  int outCount() {
    return outCount;
  }

  /** The first ones that are to be published elsewhere; they stay. */
  List<Waiting> firstOut(int max) {
    return first(max, true);
  }

  /** Whether some are being published elsewhere at the moment: nobody else takes any out. */
  boolean isMoving() {
    return moving;
  }

  void setMoving(boolean on) {
    moving = on;
  }

  // ---------------------------------------------------------------- looking

  int size() {
    return end - begin;
  }

  boolean contains(long ordinal) {
    for (int i = begin; i < end; i++) {
      if (entries.ordinal(i) == ordinal) {
        return true;
      }
    }
    return false;
  }

  /** Those that are dead longest. */
  List<Waiting> first(int max) {
    return first(max, false);
  }

  private List<Waiting> first(int max, boolean onlyOut) {
    List<Waiting> first = new ArrayList<>();
    for (int i = begin; i < end && first.size() < max; i++) {
      if (!onlyOut || mark(i).isOut()) {
        first.add(Waiting.dead(entries.get(i), diedMs(i), mark(i)));
      }
    }
    return first;
  }

  private Mark mark(int i) {
    return Mark.of((int) entries.key(i) & MARK_MASK);
  }

  private long diedMs(int i) {
    return entries.key(i) >> MARK_BITS;
  }

  /** All of them, each made when it is asked for. */
  Stream<HeldMessage> held() {
    return IntStream.range(begin, end)
        .mapToObj(i -> HeldMessage.dead(entries.get(i), diedMs(i), mark(i)));
  }

  /** Looks at a dead letter. */
  interface Visitor {
    /**
     * @param diedMs ms since 1970
     */
    void visit(Message message, long diedMs, Mark mark);
  }

  /** Shows all of them, and keeps what was changed of where they stand. */
  void visit(Visitor visitor) {
    for (int i = begin; i < end; i++) {
      long diedMs = diedMs(i);
      Mark mark = mark(i);
      entries.visit(i, (message, delayMs) -> visitor.visit(message, diedMs, mark), 0);
    }
  }

  /** Gives back what memory it has kept for those to come. */
  void trim() {
    share.trim();
  }

  /** Messages that became dead letters since the start of the process, whatever became of them. */
  long deadLetterCount() {
    return deadLetterCount;
  }

  /** Dead letters that were given up since then: by {@code drop}, and beyond {@code max_dead}. */
  long droppedCount() {
    return droppedCount;
  }

  /** Messages that expired since then. */
  long expiredCount() {
    return expiredCount;
  }
}
