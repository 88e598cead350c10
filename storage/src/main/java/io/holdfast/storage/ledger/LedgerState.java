package io.holdfast.storage.ledger;

import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;

/**
 * What a channel's ledger says: which messages are finished and which are held with attempts or a
 * due time. Built by replaying records, the same way by the broker at its start and by the tools.
 *
 * <p>Each record is a fact that stays true: what is finished is so for good, attempts only rise, a
 * message only moves to newer places. So it does no harm to hear one again or out of order, as from
 * a file that somebody copied to another number. Not thread-safe.
 */
public final class LedgerState {
  private static final long UNKNOWN = -1;

  private final FinishedSet finished;
  private final HeldMessages held = new HeldMessages();

  /** Beyond that, held messages are taken for some that the journal alone knows of. */
  private final long maxHeld;

  private boolean leftSomeOut;

  /** See {@link #isMarked}. */
  private boolean marked;

  /** What was delivered once; beyond that it is held. A set only, its floor never rises. */
  private FinishedSet delivered = new FinishedSet(-1);

  private long endOrdinal;

  /** See {@link #begin}. */
  private long begin = UNKNOWN;

  /**
   * @param floor everything below is finished
   */
  public LedgerState(long floor) {
    this(floor, Long.MAX_VALUE);
  }

  /**
   * @param floor everything below is finished
   * @param maxHeld how many held messages there is memory for, see {@link #leftSomeOut}
   */
  LedgerState(long floor, long maxHeld) {
    this.maxHeld = maxHeld;
    finished = new FinishedSet(floor);
    endOrdinal = floor;
  }

  /** Every message below is finished. */
  public long floor() {
    return finished.floor();
  }

  /** Whether this message is finished. */
  public boolean isFinished(long ordinal) {
    return finished.contains(ordinal);
  }

  /** How many of the ordinals from (inclusive) to (exclusive) are not finished. */
  public long unfinished(long from, long to) {
    long first = Math.max(from, finished.floor());
    if (first >= to) {
      return 0;
    }
    return to - first - (finished.countFrom(first) - finished.countFrom(to));
  }

  /** As {@link #unfinished}, without those that were relocated. */
  public long unfinishedInPlace(long from, long to) {
    return unfinished(from, to) - relocated().count(Math.max(from, finished.floor()), to);
  }

  /** The unfinished messages that were relocated. */
  public RelocatedMessages relocated() {
    RelocatedMessages relocated = new RelocatedMessages();
    for (HeldMessage message : held) {
      if (message.ref().isRelocated() && !finished.contains(message.ref().ordinal())) {
        relocated.put(message.ref());
      }
    }
    return relocated;
  }

  /** What the ledger knows of an unfinished message, null when nothing. */
  public HeldMessage held(long ordinal) {
    return held.get(ordinal);
  }

  /** The held messages by ordinal. */
  public HeldMessages held() {
    return held;
  }

  /** One above every ordinal the ledger ever mentioned. */
  public long endOrdinal() {
    return endOrdinal;
  }

  /**
   * The ordinal of the first message that the channel got; negative when its ledger is of a version
   * that did not keep it.
   */
  public long begin() {
    return begin;
  }

  /** The channel's first ordinal. */
  public void begin(long ordinal) {
    begin = ordinal;
  }

  /** How often an unfinished message was delivered, as far as the ledger knows. */
  public int attempts(long ordinal) {
    return packedAttempts(ordinal) & MessageRef.MAX_ATTEMPTS;
  }

  /** As {@link #attempts}, with how often it was redriven: {@link MessageRef#packedAttempts}. */
  public int packedAttempts(long ordinal) {
    HeldMessage known = held.get(ordinal);
    if (known != null) {
      return known.ref().packedAttempts();
    }
    return delivered.contains(ordinal) ? 1 : 0;
  }

  /** What was delivered once; beyond that it is held. */
  public FinishedSet delivered() {
    return delivered;
  }

  /** The ordinals from (inclusive) to (exclusive) went out for the first time. */
  public void deliver(long from, long to) {
    delivered.add(from, to);
    mention(to);
    if (!held.isEmpty()) {
      // Published with a deferral: held before its first delivery.
      held.deliver(from, to);
    }
  }

  /** What is finished. */
  public FinishedSet finished() {
    return finished;
  }

  /** The ordinals from (inclusive) to (exclusive) are finished. */
  public void finish(long from, long to) {
    finished.add(from, to);
    mention(to);
    if (!held.isEmpty()) {
      held.remove(from, to);
    }
  }

  /** A message waits with its attempts and due time; nothing happens to one that is finished. */
  public void hold(HeldMessage message) {
    long ordinal = message.ref().ordinal();
    mention(ordinal + 1);
    if (finished.contains(ordinal)) {
      return;
    }
    marked |= message.isMarked();
    boolean isRoom = held.size() < maxHeld || held.get(ordinal) != null;
    if (isRoom || isNeeded(message)) {
      held.merge(message);
    } else {
      leaveOut(message);
    }
  }

  /**
   * Leaves out held messages until there are no more than there is memory for, see {@link
   * #leftSomeOut}; those with the lowest ordinals stay.
   */
  public void keepHeld(long most) {
    if (held.size() <= most) {
      return;
    }
    FinishedSet over = new FinishedSet(-1);
    long kept = 0;
    for (HeldMessage message : held) {
      if (kept < most || isNeeded(message)) {
        kept++;
      } else {
        leaveOut(message);
        over.add(message.ref().ordinal(), message.ref().ordinal() + 1);
      }
    }
    held.removeOrdinals(over::contains);
  }

  /** A relocated one is not where it would be read in order, a dead one not to be delivered. */
  private static boolean isNeeded(HeldMessage message) {
    return message.ref().isRelocated() || message.isMarked();
  }

  private void leaveOut(HeldMessage message) {
    leftSomeOut = true;
    if (message.ref().attempts() > 0) {
      delivered.add(message.ref().ordinal(), message.ref().ordinal() + 1);
    }
  }

  /**
   * Whether there were more held messages than there is memory for: those beyond are read in order,
   * with the delay that they were published with, and count as delivered once at most.
   */
  public boolean leftSomeOut() {
    return leftSomeOut;
  }

  /** Whether there were messages that are dead or were, of which version 1.0 knows nothing. */
  public boolean isMarked() {
    return marked;
  }

  /** A message is held, and this is all that counts of it: it was found in the journal. */
  public void holdAt(HeldMessage message) {
    held.put(message);
    marked |= message.isMarked();
    mention(message.ref().ordinal() + 1);
  }

  /**
   * Messages have copies, where they are read from now on; what is finished needs none.
   *
   * @param end the channel has what is below
   */
  public void carry(Iterable<CarriedMessage> messages, long end) {
    for (CarriedMessage message : messages) {
      long ordinal = message.ordinal();
      if (ordinal < end && !finished.contains(ordinal)) {
        int attempts = packedAttempts(ordinal);
        HeldMessage known = held.get(ordinal);
        holdAt(known == null ? message.held(attempts) : known.at(message.ref(attempts)));
      }
    }
  }

  /** All below an ordinal is finished. */
  public void empty(long floor) {
    finished.raiseFloor(floor);
    if (delivered.end() <= floor) {
      delivered = new FinishedSet(-1);
    }
    held.remove(0, floor);
    mention(floor);
  }

  /** The same, of which each goes its own way from now on. */
  public LedgerState copy() {
    LedgerState copy = new LedgerState(finished.floor(), maxHeld);
    copy.finished.addAll(finished);
    copy.delivered.addAll(delivered);
    copy.held.addCopies(held);
    copy.leftSomeOut = leftSomeOut;
    copy.marked = marked;
    copy.endOrdinal = endOrdinal;
    copy.begin = begin;
    return copy;
  }

  /** Adds what a summary says. */
  void addAll(LedgerState summary) {
    finished.addAll(summary.finished);
    delivered.addAll(summary.delivered);
    // First, or what is over would take the room of what is not.
    held.removeOrdinals(finished::contains);
    summary.held.forEach(this::hold);
    leftSomeOut |= summary.leftSomeOut;
    mention(summary.endOrdinal);
    begin = Math.max(begin, summary.begin);
  }

  /** The channel has messages up to an ordinal. */
  public void mention(long end) {
    endOrdinal = Math.max(endOrdinal, end);
  }
}
