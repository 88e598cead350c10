package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.limits.MemoryShare;
import io.holdfast.storage.values.HeldMessage;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * The messages of a channel that wait for a time, and the bound on the references that it keeps of
 * these and of requeued ones. The channel's lock guards it.
 */
final class DeferredMessages {
  /** References that a channel may have whatever others have. */
  private static final int MIN_REFERENCES = 128;

  private final ChannelSettings settings;
  private DeferredQueue deferred = new DeferredQueue();

  /** The ordinals of all of them, where the order matters; else null. */
  private Roaring64Bitmap ordinals;

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
    return deferred.size() < settings.maxDeferred() && isRoom(requeued, 1);
  }

  /** Whether there is room for more references. A few there are in any case. */
  boolean mayHold(int requeued, int more) {
    long count = (long) deferred.size() + requeued + more;
    return count <= settings.maxDeferred() && isRoom(requeued, more);
  }

  private boolean isRoom(int requeued, int more) {
    if (deferred.size() + requeued + more <= MIN_REFERENCES) {
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
    if (ordinals != null) {
      ordinals.addLong(message.ordinal());
    }
    deferred.add(message, settings.clock().nanos() + TimeUnit.MILLISECONDS.toNanos(delayMs));
  }

  /** Takes the first message out when it is due, else null; its reference stays counted. */
  Message pollDue(long nowNs) {
    Message due = deferred.pollDue(nowNs);
    if (due != null && ordinals != null) {
      ordinals.removeLong(due.ordinal());
    }
    return due;
  }

  /** Whether {@link #lowestOrdinal} will be asked. */
  void setOrdered(boolean on) {
    ordinals = on ? new Roaring64Bitmap() : null;
    for (int i = 0; on && i < deferred.size(); i++) {
      ordinals.addLong(deferred.get(i).ordinal());
    }
  }

  /** The lowest ordinal of these messages; Long.MAX_VALUE for none. */
  long lowestOrdinal() {
    return ordinals.isEmpty() ? Long.MAX_VALUE : ordinals.first();
  }

  /** Drops those below an ordinal. */
  void dropBelow(long ordinal) {
    boolean any = false;
    for (int i = 0; !any && i < deferred.size(); i++) {
      any = deferred.get(i).ordinal() < ordinal;
    }
    if (!any) {
      return;
    }
    DeferredQueue before = deferred;
    deferred = new DeferredQueue();
    for (int i = 0; i < before.size(); i++) {
      Message message = before.get(i);
      if (message.ordinal() >= ordinal) {
        deferred.add(message, before.dueNs(i));
      } else {
        giveReference();
      }
    }
    setOrdered(ordinals != null);
  }

  int size() {
    return deferred.size();
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
    for (int i = 0; i < deferred.size(); i++) {
      deferred.visit(i, visitor, delayMs(i, nowNs));
    }
  }

  /** All of them, each made when it is asked for. */
  Stream<HeldMessage> held() {
    long nowNs = settings.clock().nanos();
    long nowMs = settings.clock().wallMs();
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
    setOrdered(ordinals != null);
    references.giveAll();
  }
}
