package io.holdfast.broker.queue;

import java.util.ArrayDeque;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A channel's messages that came back and are ready, first in first out. The channel's lock guards
 * it.
 */
final class RequeuedMessages implements CameBackMessages {
  /** Messages of one part; there are as many parts as it takes. */
  private static final int PART = 256;

  /** All but the last are full, but for what was taken from the first. */
  private final ArrayDeque<References> parts = new ArrayDeque<>();

  private int taken;
  private int inLast;
  private int size;

  /**
   * Adds a message.
   *
   * @param key given back by {@link #firstKey}
   */
  @Override
  public void add(Message message, long key) {
    if (parts.isEmpty() || inLast == PART) {
      // One that was emptied is used again.
      parts.add(new References());
      inLast = 0;
    }
    References last = parts.getLast();
    last.ensure(inLast + 1);
    last.set(inLast++, message, key);
    size++;
  }

  /** The next message, which stays; there is one. */
  @Override
  public Message first() {
    return parts.getFirst().get(taken);
  }

  @Override
  public long firstKey() {
    return parts.getFirst().key(taken);
  }

  /** The key of the message so many places behind the next. */
  @Override
  public long key(int place) {
    int i = taken + place;
    int part = 0;
    for (References references : parts) {
      if (part++ == i / PART) {
        return references.key(i % PART);
      }
    }
    throw new IndexOutOfBoundsException(place);
  }

  /** Takes out the next message. */
  @Override
  public void removeFirst() {
    taken++;
    size--;
    if (size == 0) {
      clear();
    } else if (taken == PART) {
      parts.removeFirst();
      taken = 0;
    }
  }

  @Override
  public int size() {
    return size;
  }

  /** Shows all messages. */
  @Override
  public void visit(Message.Visitor visitor) {
    References[] all = parts.toArray(References[]::new);
    for (int i = taken; i < taken + size; i++) {
      all[i / PART].visit(i % PART, visitor, 0);
    }
  }

  /** The messages, each made when it is asked for. */
  @Override
  public Stream<Message> messages() {
    References[] all = parts.toArray(References[]::new);
    int first = taken;
    return IntStream.range(first, first + size).mapToObj(i -> all[i / PART].get(i % PART));
  }

  @Override
  public int removeBelow(long ordinal) {
    References[] all = parts.toArray(References[]::new);
    int from = taken;
    int to = taken + size;
    parts.clear();
    clear();
    for (int i = from; i < to; i++) {
      References part = all[i / PART];
      if (part.ordinal(i % PART) >= ordinal) {
        add(part.get(i % PART), part.key(i % PART));
      }
    }
    return to - from - size;
  }

  @Override
  public void clear() {
    if (parts.size() > 1) {
      parts.clear();
    }
    taken = 0;
    inLast = 0;
    size = 0;
  }
}
