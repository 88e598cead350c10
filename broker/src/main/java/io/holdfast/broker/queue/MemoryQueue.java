package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryPart;
import io.holdfast.broker.limits.MemoryShare;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.stream.Stream;

/**
 * A channel's memory queue, nsqd's {@code memoryMsgChan}: new messages with their bodies, bounded
 * in number and bytes and by its share of what all queues may take, and behind them the requeued
 * ones, which are references (their number is bounded by what was in flight or deferred, see {@link
 * Channel}). The channel's lock guards it.
 */
final class MemoryQueue {
  /** What a message takes of the heap beside its body. */
  static final int MESSAGE_BYTES = 128;

  private final int maxMessages;
  private final long maxBytes;
  private final ArrayDeque<Message> messages = new ArrayDeque<>(0);
  private final MemoryShare share;
  private CameBackMessages cameBack = new RequeuedMessages();

  /** Whether what came back goes by age, among new messages too. */
  private boolean ordered;

  private long bytes;
  private long taken;

  // New messages that came, but for those that were dropped, and that were taken.
  private long newCame;
  private long newTaken;

  /**
   * @param maxMessages new messages at most ({@code mem-queue-size})
   * @param maxBytes bytes of their bodies at most ({@code mem-queue-bytes})
   * @param part of all queues' memory
   */
  MemoryQueue(int maxMessages, long maxBytes, MemoryPart part) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
    share = new MemoryShare(part);
  }

  /** How many more messages there is room for. */
  int room() {
    return bytes >= maxBytes ? 0 : Math.max(0, maxMessages - size());
  }

  /**
   * Makes room for a message, which is to be {@link #put} then.
   *
   * @param heldBytes of its body that memory holds: all, or none when it is read from the journal
   * @return false when there is none
   */
  boolean reserve(int heldBytes) {
    return size() < maxMessages
        && bytes + heldBytes <= maxBytes
        && share.tryTake(MESSAGE_BYTES + heldBytes);
  }

  /** Adds a new message, room for which was reserved. */
  void put(Message message) {
    messages.add(message);
    newCame++;
    bytes += held(message);
  }

  /** Adds a new message that is in memory already, unless all queues together are full. */
  boolean tryPut(Message message) {
    if (!share.tryTake(MESSAGE_BYTES + held(message))) {
      return false;
    }
    put(message);
    return true;
  }

  /** Adds a new message whether there is room or not. */
  void putAnyway(Message message) {
    share.take(MESSAGE_BYTES + held(message));
    put(message);
  }

  /** Adds a message that has been delivered or deferred before; never refused. */
  void requeue(Message message) {
    // Its turn is after the new ones that are here now.
    cameBack.add(message, newCame);
  }

  /** From now on the oldest message goes first, or what came back behind the new ones there are. */
  void setOrdered(boolean on) {
    if (on != ordered) {
      ordered = on;
      CameBackMessages before = cameBack;
      cameBack = on ? new ByOrdinal() : new RequeuedMessages();
      while (before.size() > 0) {
        cameBack.add(before.first(), newCame);
        before.removeFirst();
      }
    }
  }

  /** Whether the next message is one that came back. */
  boolean isRequeuedNext() {
    if (cameBack.size() == 0 || messages.isEmpty()) {
      return cameBack.size() > 0;
    }
    return ordered
        ? cameBack.firstKey() < messages.peek().ordinal()
        : cameBack.firstKey() <= newTaken;
  }

  /** Whether there is any message that did not come back. */
  boolean hasNew() {
    return !messages.isEmpty();
  }

  /** The next message, which stays, or null. */
  Message peek() {
    return isRequeuedNext() ? cameBack.first() : messages.peek();
  }

  /** Takes out the next message; there is one. */
  void remove() {
    taken++;
    if (isRequeuedNext()) {
      cameBack.removeFirst();
    } else {
      dropOldestNew();
    }
  }

  /** Drops the oldest new message, which is the first; there is one. */
  void dropOldestNew() {
    Message message = messages.poll();
    newTaken++;
    bytes -= held(message);
    share.give(MESSAGE_BYTES + held(message));
  }

  /**
   * Drops new messages, newest first, until so many messages are left or only those that came back.
   *
   * @param dropped receives them
   * @return how many
   */
  int dropNew(long keep, OrdinalRanges dropped) {
    int count = 0;
    Iterator<Message> newestFirst = messages.descendingIterator();
    while (size() > keep && newestFirst.hasNext()) {
      Message message = newestFirst.next();
      newestFirst.remove();
      newCame--;
      bytes -= held(message);
      share.give(MESSAGE_BYTES + held(message));
      dropped.add(message.ordinal());
      count++;
    }
    return count;
  }

  /** The ordinal of the oldest new message, which is the first; Long.MAX_VALUE for none. */
  long oldestNew() {
    return messages.isEmpty() ? Long.MAX_VALUE : messages.peek().ordinal();
  }

  /** The ordinal of the oldest that came back; Long.MAX_VALUE for none. */
  long oldestCameBack() {
    return cameBack.lowestOrdinal();
  }

  /** Drops the oldest that came back; there is one. */
  void dropOldestCameBack() {
    cameBack.removeLowest();
  }

  /** Shows the first of the new messages. */
  void visitNew(int max, java.util.function.Consumer<Message> to) {
    messages.stream().limit(max).forEach(to);
  }

  /** Shows those that came back. */
  void visitCameBack(Message.Visitor visitor) {
    cameBack.visit(visitor);
  }

  private static int held(Message message) {
    return message.bytes == null ? 0 : message.bodyLength();
  }

  /** Gives back what memory it has kept for messages to come. */
  void trim() {
    share.trim();
  }

  /** Messages taken out so far. */
  long taken() {
    return taken;
  }

  int size() {
    return messages.size() + cameBack.size();
  }

  /** Messages that came back. */
  int requeued() {
    return cameBack.size();
  }

  /**
   * Shows the first messages in the order in which they will be taken.
   *
   * @param inOrder gets new ones and those that came back before them
   * @param last gets those that came back and have no new ones behind them
   */
  void peek(
      int max,
      java.util.function.Consumer<Message> inOrder,
      java.util.function.Consumer<Message> last) {
    Iterator<Message> back = cameBack.messages().limit(max).iterator();
    Iterator<Message> fresh = messages.iterator();
    int place = 0;
    int shown = 0;
    while (shown < max && fresh.hasNext()) {
      if (place < cameBack.size()
          && back.hasNext()
          && cameBack.key(place) <= newTaken + shown - place) {
        inOrder.accept(back.next());
        place++;
      } else {
        inOrder.accept(fresh.next());
      }
      shown++;
    }
    while (shown < max && back.hasNext()) {
      last.accept(back.next());
      shown++;
    }
  }

  /** Shows all messages. */
  void visit(Message.Visitor visitor) {
    for (Message message : messages) {
      visitor.visit(message, 0);
    }
    cameBack.visit(visitor);
  }

  /** The messages that came back or were relocated, each made when it is asked for. */
  Stream<HeldMessage> held() {
    return Stream.concat(
            messages.stream().filter(m -> m.isRelocated() || m.packedAttempts() > 0),
            cameBack.messages())
        .map(message -> new HeldMessage(message, 0));
  }

  void clear() {
    messages.clear();
    cameBack.clear();
    bytes = 0;
    newCame = newTaken;
    share.giveAll();
  }
}
