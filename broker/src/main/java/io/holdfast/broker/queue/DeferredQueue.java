package io.holdfast.broker.queue;

/** A channel's deferred messages by due time, a binary heap. The channel's lock guards it. */
final class DeferredQueue {
  private final References heap = new References();
  private int size;

  /**
   * Adds a message.
   *
   * @param dueNs when it may be delivered, {@link System#nanoTime}
   */
  void add(Message message, long dueNs) {
    heap.ensure(size + 1);
    int i = size++;
    while (i > 0) {
      int parent = (i - 1) >>> 1;
      long order = dueNs - heap.key(parent);
      if (order > 0 || (order == 0 && message.ordinal() > heap.ordinal(parent))) {
        break;
      }
      heap.copy(parent, i);
      i = parent;
    }
    heap.set(i, message, dueNs);
  }

  /** When the first message is due; there is one. */
  long firstDueNs() {
    return heap.key(0);
  }

  /** Takes the first message out when it is due, else null. */
  Message pollDue(long nowNs) {
    if (size == 0 || heap.key(0) - nowNs > 0) {
      return null;
    }
    Message first = heap.get(0);
    removeFirst();
    return first;
  }

  /** Takes out the first message, due or not; there is one. */
  void removeFirst() {
    size--;
    if (size > 0) {
      sinkLast();
    }
    heap.shrink(size);
  }

  /** What was the last entry takes its place from the top on. */
  private void sinkLast() {
    int i = 0;
    for (int child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && isBefore(child + 1, child)) {
        child++;
      }
      if (isBefore(size, child)) {
        break;
      }
      heap.copy(child, i);
      i = child;
    }
    heap.copy(size, i);
  }

  private boolean isBefore(int a, int b) {
    long order = heap.key(a) - heap.key(b);
    return order < 0 || (order == 0 && heap.ordinal(a) < heap.ordinal(b));
  }

  int size() {
    return size;
  }

  /** The message in a place below the size, in no order. */
  Message get(int i) {
    return heap.get(i);
  }

  /** The ordinal of the message in a place. */
  long ordinal(int i) {
    return heap.ordinal(i);
  }

  /** When the message in a place is due. */
  long dueNs(int i) {
    return heap.key(i);
  }

  /** Shows a message. */
  void visit(int i, Message.Visitor visitor, long delayMs) {
    heap.visit(i, visitor, delayMs);
  }

  void clear() {
    size = 0;
    heap.shrink(0);
  }
}
