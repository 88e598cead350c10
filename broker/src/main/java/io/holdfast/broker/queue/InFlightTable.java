package io.holdfast.broker.queue;

import java.util.Arrays;

/**
 * The messages in flight of a channel by ordinal: open addressing with a mixed hash. A plain hash
 * of ordinals in sequence makes one long run, in which each removal would move everything behind
 * it. The channel's lock guards it.
 */
final class InFlightTable {
  private static final long FIBONACCI = 0x9E3779B97F4A7C15L;
  private static final int MIN_CAPACITY = 16;

  private Message[] slots = new Message[MIN_CAPACITY];
  private int shift = 64 - 4;
  private int size;

  private int home(long ordinal) {
    return (int) ((ordinal * FIBONACCI) >>> shift);
  }

  Message get(long ordinal) {
    int mask = slots.length - 1;
    for (int i = home(ordinal); ; i = (i + 1) & mask) {
      Message message = slots[i];
      if (message == null || message.ordinal() == ordinal) {
        return message;
      }
    }
  }

  /** Adds a message whose ordinal is not in the table. */
  void add(Message message) {
    if (2 * (size + 1) > slots.length) {
      grow();
    }
    insert(message);
    size++;
  }

  private void insert(Message message) {
    int mask = slots.length - 1;
    int i = home(message.ordinal());
    while (slots[i] != null) {
      i = (i + 1) & mask;
    }
    slots[i] = message;
  }

  private void grow() {
    Message[] old = slots;
    slots = new Message[2 * old.length];
    shift--;
    for (Message message : old) {
      if (message != null) {
        insert(message);
      }
    }
  }

  /** Removes a message that is in the table. */
  void remove(Message message) {
    int mask = slots.length - 1;
    int hole = home(message.ordinal());
    while (slots[hole] != message) {
      hole = (hole + 1) & mask;
    }
    for (int i = (hole + 1) & mask; slots[i] != null; i = (i + 1) & mask) {
      // An entry may fill the hole if its home is not between the hole and itself.
      int distance = (i - home(slots[i].ordinal())) & mask;
      if (distance >= ((i - hole) & mask)) {
        slots[hole] = slots[i];
        hole = i;
      }
    }
    slots[hole] = null;
    size--;
  }

  int size() {
    return size;
  }

  void clear() {
    Arrays.fill(slots, null);
    size = 0;
  }
}
