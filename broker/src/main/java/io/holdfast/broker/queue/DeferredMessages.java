package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.limits.MemoryShare;
import io.holdfast.storage.values.HeldMessage;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The messages of a channel that wait for a time, and the bound on the references that it keeps of
 * these and of requeued ones. The channel's lock guards it.
 */
final class DeferredMessages {
  /** References that a channel may have whatever others have. */
  private static final int MIN_REFERENCES = 128;

  /** A reference takes at most so many times what a ledger's record of it does. */
  private static final int REFERENCE_BY_RECORD = 3;

  /** Channels that may take a smaller part than this of what memory is left are no matter. */
  private static final int SMALL_PARTS = 16;

  private final ChannelSettings settings;
  private DeferredQueue deferred = new DeferredQueue();

  /** Of all of them; null until the lowest ordinal is asked for. The first of the queue is here. */
  private ReferenceAges ages;

  /** Of all channels' memory for references, deferred and requeued ones. */
  private final MemoryShare references;

  DeferredMessages(ChannelSettings settings) {
    this.settings = settings;
    references = new MemoryShare(settings.memory().deferred());
  }

  // ---------------------------------------------------------------- the bound

  /**
   * How many messages a channel that is opened may restore: what there is memory for, and the few
   * of each channel. No fewer than the channel had with the same heap.
   */
  static long roomToRestore(MemoryPart references) {
    long leftBytes = Math.max(0, references.limitBytes() - references.usedBytes());
    return MIN_REFERENCES + leftBytes / References.REFERENCE_BYTES;
  }

  /** Whether a channel that is opened may restore a good part of what there is memory for. */
  static boolean mayTakeMuch(MemoryPart references, long ledgerBytes) {
    return isMuch(references, ledgerBytes * REFERENCE_BY_RECORD);
  }

  /** Whether so many messages take a good part of what there is memory for. */
  static boolean takeMuch(MemoryPart references, int messages) {
    return isMuch(references, (long) messages * References.REFERENCE_BYTES);
  }

  private static boolean isMuch(MemoryPart references, long bytes) {
    return bytes > (references.limitBytes() - references.usedBytes()) / SMALL_PARTS;
  }

  /** One more reference is kept, whether there is room or not. */
  void takeReference() {
    references.take(References.REFERENCE_BYTES);
  }

  /** One less is kept. */
  void giveReference() {
    references.give(References.REFERENCE_BYTES);
  }

  /** Whether a consumer may defer a message. */
  boolean mayDefer(int requeued) {
    return size() < settings.maxDeferred() && isRoom(requeued, 1);
  }

  /** Whether there is room for more references. A few there are in any case. */
  boolean mayHold(int requeued, int more) {
    long count = (long) size() + requeued + more;
    return count <= settings.maxDeferred() && isRoom(requeued, more);
  }

  private boolean isRoom(int requeued, int more) {
    if (size() + requeued + more <= MIN_REFERENCES) {
      return true;
    }
    long bytes = (long) more * References.REFERENCE_BYTES;
    boolean isRoom = references.tryTake(bytes);
    if (isRoom) {
      references.give(bytes);
    }
    return isRoom;
  }

  // ---------------------------------------------------------------- messages

  /** Takes a message, which will be ready after a delay. */
  void add(Message message, long delayMs) {
    takeReference();
    if (ages != null) {
      if (ages.isGone(message.ordinal())) {
        compact();
      }
      ages.add(message.ordinal());
    }
    deferred.add(message, settings.clock().nanos() + TimeUnit.MILLISECONDS.toNanos(delayMs));
  }

  /** Takes the first message out when it is due, else null; its reference stays counted. */
  Message pollDue(long nowNs) {
    Message due = deferred.pollDue(nowNs);
    if (due != null && ages != null) {
      ages.remove(due.ordinal());
      passGone();
    }
    return due;
  }

  /** The lowest ordinal of these messages; Long.MAX_VALUE for none. */
  long lowestOrdinal() {
    if (ages == null) {
      if (deferred.size() == 0) {
        return Long.MAX_VALUE;
      }
      ages = new ReferenceAges();
      for (int i = 0; i < deferred.size(); i++) {
        ages.add(deferred.ordinal(i));
      }
    }
    return ages.oldest();
  }

  /** Drops the message with the {@link #lowestOrdinal}; there is one. */
  void dropLowest() {
    ages.dropOldest();
    giveReference();
    passGone();
    if (ages.isMostlyGone(deferred.size())) {
      compact();
    }
  }

  private void passGone() {
    while (deferred.size() > 0 && ages.pass(deferred.ordinal(0))) {
      deferred.removeFirst();
    }
  }

  /** Afterwards the queue has no message that was dropped. */
  private void compact() {
    if (ages == null || ages.goneCount() == 0) {
      return;
    }
    DeferredQueue before = deferred;
    deferred = new DeferredQueue();
    for (int i = 0; i < before.size(); i++) {
      if (!ages.pass(before.ordinal(i))) {
        deferred.add(before.get(i), before.dueNs(i));
      }
    }
  }

  int size() {
    return deferred.size() - (ages == null ? 0 : ages.goneCount());
  }

  /** When the first message is due, or another time if that is earlier. */
  long firstDueNs(long otherwiseNs) {
    return deferred.size() > 0 && deferred.firstDueNs() - otherwiseNs < 0
        ? deferred.firstDueNs()
        : otherwiseNs;
  }

  /** The messages that are due first. */
  List<Waiting> first(int max) {
    long nowNs = settings.clock().nanos();
    long nowMs = settings.clock().wallMs();
    FirstFew<Waiting> first = new FirstFew<>(max);
    compact();
    for (int i = 0; i < deferred.size(); i++) {
      long leftNs = deferred.dueNs(i) - nowNs;
      if (first.takes(leftNs)) {
        first.add(
            leftNs, Waiting.of(deferred.get(i), nowMs + TimeUnit.NANOSECONDS.toMillis(leftNs)));
      }
    }
    return first.inOrder();
  }

  /** Shows all of them. */
  void visit(Message.Visitor visitor) {
    long nowNs = settings.clock().nanos();
    compact();
    for (int i = 0; i < deferred.size(); i++) {
      deferred.visit(i, visitor, delayMs(i, nowNs));
    }
  }

  /** All of them, each made when it is asked for. */
  Stream<HeldMessage> held() {
    long nowNs = settings.clock().nanos();
    long nowMs = settings.clock().wallMs();
    compact();
    return IntStream.range(0, deferred.size())
        .mapToObj(i -> HeldMessage.after(deferred.get(i), delayMs(i, nowNs), nowMs));
  }

  /** How long a message still waits; not 0, which is for messages that are not deferred. */
  private long delayMs(int i, long nowNs) {
    return Math.max(1, TimeUnit.NANOSECONDS.toMillis(deferred.dueNs(i) - nowNs));
  }

  /** Gives back what memory it has kept for references to come. */
  void trim() {
    references.trim();
  }

  /** Drops all, and the account of requeued references. */
  void clear() {
    deferred.clear();
    ages = null;
    references.giveAll();
  }
}
