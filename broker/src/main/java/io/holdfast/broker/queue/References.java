package io.holdfast.broker.queue;

import java.util.Arrays;

/**
 * References to messages without an object for each: {@value #ENTRY} longs in blocks, so that
 * millions of them fit into a small heap and growing takes no more than what is added. What is
 * given out is a copy. The channel's lock guards it.
 */
final class References {
  /** What one takes of the heap, estimated, in bytes. */
  static final int REFERENCE_BYTES = 56;

  private static final int ENTRY = 6;
  private static final int BLOCK_BITS = 8;
  private static final int BLOCK = 1 << BLOCK_BITS;
  private static final int MIN_BLOCK = 8;
  private static final int POSITION = 2;
  private static final int BODY = 3;
  private static final int TIMESTAMP = 4;
  private static final int ATTEMPTS = 5;

  private static final long[][] NONE = {{}};

  /** The one block of none until there is one: thousands of channels at rest have some of these. */
  private long[][] blocks = NONE;

  private long[] block(int i) {
    return blocks[i >>> BLOCK_BITS];
  }

  private static int at(int i) {
    return (i & BLOCK - 1) * ENTRY;
  }

  /** Makes room for so many. */
  void ensure(int count) {
    int last = (count - 1) >>> BLOCK_BITS;
    if (blocks == NONE) {
      blocks = new long[][] {new long[MIN_BLOCK * ENTRY]};
    }
    if (last >= blocks.length) {
      blocks = Arrays.copyOf(blocks, Math.max(last + 1, blocks.length + (blocks.length >> 1)));
    }
    if (last > 0) {
      if (blocks[last] == null) {
        blocks[last] = new long[BLOCK * ENTRY];
      }
      if (blocks[0].length < BLOCK * ENTRY) {
        blocks[0] = Arrays.copyOf(blocks[0], BLOCK * ENTRY);
      }
    } else if (blocks[0].length < count * ENTRY) {
      blocks[0] = Arrays.copyOf(blocks[0], 2 * blocks[0].length);
    }
  }

  /** Gives back the room beyond so many, but for one block. */
  void shrink(int count) {
    int spare = ((count + BLOCK - 1) >>> BLOCK_BITS) + 1;
    if (spare < blocks.length) {
      blocks[spare] = null;
    }
    if (count == 0 && (blocks.length > 1 || blocks[0].length > MIN_BLOCK * ENTRY)) {
      blocks = NONE;
    }
  }

  /**
   * Puts one in place.
   *
   * @param key of whoever keeps it
   */
  void set(int i, Message message, long key) {
    long[] block = block(i);
    int at = at(i);
    block[at] = key;
    block[at + 1] = message.ordinal();
    block[at + POSITION] = message.batchPosition();
    block[at + BODY] = (long) message.bodyOffset() << Integer.SIZE | message.bodyLength();
    block[at + TIMESTAMP] = message.timestampNs;
    block[at + ATTEMPTS] = (long) message.packedAttempts() << 1 | (message.isRelocated() ? 1 : 0);
  }

  /** The message in a place. */
  Message get(int i) {
    long[] block = block(i);
    int at = at(i);
    long attempts = block[at + ATTEMPTS];
    return new Message(
        block[at + 1],
        block[at + POSITION],
        (int) (block[at + BODY] >>> Integer.SIZE),
        (int) block[at + BODY],
        (int) (attempts >> 1),
        block[at + TIMESTAMP],
        (attempts & 1) != 0);
  }

  long key(int i) {
    return block(i)[at(i)];
  }

  long ordinal(int i) {
    return block(i)[at(i) + 1];
  }

  /** Copies one to another place. */
  void copy(int from, int to) {
    System.arraycopy(block(from), at(from), block(to), at(to), ENTRY);
  }

  /** Shows one, and keeps what was changed of where it stands. */
  void visit(int i, Message.Visitor visitor, long delayMs) {
    Message message = get(i);
    long position = message.batchPosition();
    visitor.visit(message, delayMs);
    if (message.batchPosition() != position) {
      set(i, message, key(i));
    }
  }
}
