package io.holdfast.broker.queue;

import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Messages that came back to a channel that keeps the order: the oldest first, whenever it came
 * back. The channel's lock guards it.
 */
final class ByOrdinal implements CameBackMessages {
  private DeferredQueue heap = new DeferredQueue();

  @Override
  public void add(Message message, long key) {
    heap.add(message, message.ordinal());
  }

  @Override
  public Message first() {
    return heap.get(0);
  }

  @Override
  public long firstKey() {
    return heap.firstDueNs();
  }

  @Override
  public void removeFirst() {
    heap.removeFirst();
  }

  @Override
  public int size() {
    return heap.size();
  }

  @Override
  public long key(int place) {
    return heap.dueNs(place);
  }

  @Override
  public void visit(Message.Visitor visitor) {
    for (int i = 0; i < heap.size(); i++) {
      heap.visit(i, visitor, 0);
    }
  }

  /** In no order. */
  @Override
  public Stream<Message> messages() {
    return IntStream.range(0, heap.size()).mapToObj(heap::get);
  }

  @Override
  public long lowestOrdinal() {
    return heap.size() == 0 ? Long.MAX_VALUE : heap.firstDueNs();
  }

  @Override
  public void removeLowest() {
    removeFirst();
  }

  @Override
  public void clear() {
    heap = new DeferredQueue();
  }
}
