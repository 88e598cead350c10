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
  private final ArrayDeque<References> parts = new ArrayDeque<>(0);

  private int taken;
  private int inLast;

  /** Of what is in the parts and was not taken. */
  private int places;

  /** Of all of them; null until the lowest ordinal is asked for. The next message is here. */
  private ReferenceAges ages;

  /**
   * Adds a message.
   *
   * @param key given back by {@link #firstKey}
   */
  @Override
  public void add(Message message, long key) {
    if (ages != null) {
      if (ages.isGone(message.ordinal())) {
        compact();
      }
      ages.add(message.ordinal());
    }
    place(message, key);
  }

  private void place(Message message, long key) {
    if (parts.isEmpty() || inLast == PART) {
      // One that was emptied is used again.
      parts.add(new References());
      inLast = 0;
    }
    References last = parts.getLast();
    last.ensure(inLast + 1);
    last.set(inLast++, message, key);
    places++;
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
    compact();
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
    if (ages != null) {
      ages.remove(firstOrdinal());
    }
    leaveFirst();
    passGone();
  }

  private long firstOrdinal() {
    return parts.getFirst().ordinal(taken);
  }

  private void leaveFirst() {
    taken++;
    places--;
    if (places == 0) {
      clear();
    } else if (taken == PART) {
      parts.removeFirst();
      taken = 0;
    }
  }

  private void passGone() {
    while (places > 0 && ages != null && ages.pass(firstOrdinal())) {
      leaveFirst();
    }
  }

  @Override
  public int size() {
    return places - (ages == null ? 0 : ages.goneCount());
  }

  /** Shows all messages. */
  @Override
  public void visit(Message.Visitor visitor) {
    compact();
    References[] all = parts.toArray(References[]::new);
    for (int i = taken; i < taken + places; i++) {
      all[i / PART].visit(i % PART, visitor, 0);
    }
  }

  /** The messages, each made when it is asked for. */
  @Override
  public Stream<Message> messages() {
    compact();
    References[] all = parts.toArray(References[]::new);
    int first = taken;
    return IntStream.range(first, first + places).mapToObj(i -> all[i / PART].get(i % PART));
  }

  @Override
  public long lowestOrdinal() {
    if (ages == null) {
      if (places == 0) {
        return Long.MAX_VALUE;
      }
      ages = new ReferenceAges();
      References[] all = parts.toArray(References[]::new);
      for (int i = taken; i < taken + places; i++) {
        ages.add(all[i / PART].ordinal(i % PART));
      }
    }
    return ages.oldest();
  }

  @Override
  public void removeLowest() {
    ages.dropOldest();
    passGone();
    if (ages != null && ages.isMostlyGone(places)) {
      compact();
    }
  }

  /** Afterwards the parts have no message that was dropped. */
  private void compact() {
    if (ages == null || ages.goneCount() == 0) {
      return;
    }
    References[] all = parts.toArray(References[]::new);
    int from = taken;
    int to = taken + places;
    parts.clear();
    taken = 0;
    inLast = 0;
    places = 0;
    for (int i = from; i < to; i++) {
      References part = all[i / PART];
      if (!ages.pass(part.ordinal(i % PART))) {
        place(part.get(i % PART), part.key(i % PART));
      }
    }
  }

  @Override
  public void clear() {
    if (parts.size() > 1) {
      parts.clear();
    }
    taken = 0;
    inLast = 0;
    places = 0;
    ages = null;
  }
}
