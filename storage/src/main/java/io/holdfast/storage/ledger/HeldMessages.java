package io.holdfast.storage.ledger;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.util.AbstractCollection;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.function.LongPredicate;

/**
 * Held messages by ordinal, in some 40 bytes each: a start may meet millions of them. They are kept
 * in blocks of columns, so that it takes no more memory while it grows, and become objects only
 * when they are looked at. Not thread-safe.
 */
public final class HeldMessages extends AbstractCollection<HeldMessage> {
  private static final int MAX_BLOCK = 256;
  private static final int MIN_BLOCK = 8;

  /** By their first ordinal, which may have been removed since; none is empty. */
  private final TreeMap<Long, Block> blocks = new TreeMap<>();

  private int size;

  /** Messages in a row. */
  private static final class Block {
    private long[] ordinals = new long[MIN_BLOCK];
    private long[] positions = new long[MIN_BLOCK];
    private long[] dueMs = new long[MIN_BLOCK];

    /** Of a dead one its mark, negative. */
    private int[] delayMs = new int[MIN_BLOCK];

    private int[] offsets = new int[MIN_BLOCK];
    private int[] lengths = new int[MIN_BLOCK];

    /** Ones' complement for a relocated message. */
    private int[] attempts = new int[MIN_BLOCK];

    private int count;

    /** Where an ordinal is, or the complement of where it belongs. */
    int find(long ordinal) {
      return Arrays.binarySearch(ordinals, 0, count, ordinal);
    }

    /** The first index at or above an ordinal. */
    int from(long ordinal) {
      int found = find(ordinal);
      return found < 0 ? ~found : found;
    }

    HeldMessage get(int i) {
      boolean relocated = attempts[i] < 0;
      MessageRef ref =
          new MessageRef(
              ordinals[i],
              positions[i],
              offsets[i],
              lengths[i],
              relocated ? ~attempts[i] : attempts[i],
              relocated);
      return delayMs[i] < 0
          ? HeldMessage.dead(ref, dueMs[i], HeldMessage.Mark.of(-delayMs[i]))
          : new HeldMessage(ref, dueMs[i], delayMs[i]);
    }

    void set(int i, HeldMessage message) {
      MessageRef ref = message.ref();
      ordinals[i] = ref.ordinal();
      positions[i] = ref.batchPosition();
      dueMs[i] = message.dueMs();
      delayMs[i] = message.isDead() ? -message.mark().code() : message.delayMs();
      offsets[i] = ref.bodyOffset();
      lengths[i] = ref.bodyLength();
      attempts[i] = ref.isRelocated() ? ~ref.packedAttempts() : ref.packedAttempts();
    }

    /**
     * Adds what a record says, which may be older than what is known: attempts never get fewer,
     * what is dead lives again only when it is redriven, and a relocation is later than its
     * original and than those in older files, which may be gone.
     */
    void merge(int i, HeldMessage message) {
      HeldMessage known = get(i);
      MessageRef ref = message.ref();
      boolean isEarlierPlace =
          known.ref().isRelocated()
              && (!ref.isRelocated() || ref.batchPosition() < known.ref().batchPosition());
      long knownDueMs = dueMs[i];
      int knownDelayMs = delayMs[i];
      set(i, message);
      if (isEarlier(message, known)) {
        dueMs[i] = knownDueMs;
        delayMs[i] = knownDelayMs;
      }
      if (isEarlierPlace) {
        positions[i] = known.ref().batchPosition();
        offsets[i] = known.ref().bodyOffset();
        lengths[i] = known.ref().bodyLength();
      }
      int mostAttempts =
          ref.lives() == MessageRef.MAX_LIVES
              ? ref.packedAttempts()
              : Math.max(ref.packedAttempts(), known.ref().packedAttempts());
      attempts[i] = ref.isRelocated() || known.ref().isRelocated() ? ~mostAttempts : mostAttempts;
    }

    private static boolean isEarlier(HeldMessage message, HeldMessage known) {
      int lives = message.ref().lives();
      if (lives != known.ref().lives()) {
        return lives < known.ref().lives();
      }
      if (lives == MessageRef.MAX_LIVES) {
        // They are not counted any more: the order of the records decides.
        return false;
      }
      return message.isDead() == known.isDead()
          ? message.ref().attempts() < known.ref().attempts()
          : known.isDead();
    }

    void delivered(int i) {
      if (attempts[i] == 0 || attempts[i] == ~0) {
        attempts[i] = attempts[i] == 0 ? 1 : ~1;
      }
    }

    void insert(int i, HeldMessage message) {
      if (count == ordinals.length) {
        resize(2 * count);
      }
      move(this, i, i + 1, count - i);
      set(i, message);
      count++;
    }

    void remove(int from, int to) {
      move(this, to, from, count - to);
      count -= to - from;
    }

    /** Takes the upper half away. */
    Block split() {
      int half = count / 2;
      Block upper = new Block();
      upper.resize(count);
      upper.move(this, half, 0, count - half);
      upper.count = count - half;
      count = half;
      return upper;
    }

    Block copy() {
      Block copy = new Block();
      copy.resize(ordinals.length);
      copy.move(this, 0, 0, count);
      copy.count = count;
      return copy;
    }

    private void resize(int capacity) {
      ordinals = Arrays.copyOf(ordinals, capacity);
      positions = Arrays.copyOf(positions, capacity);
      dueMs = Arrays.copyOf(dueMs, capacity);
      delayMs = Arrays.copyOf(delayMs, capacity);
      offsets = Arrays.copyOf(offsets, capacity);
      lengths = Arrays.copyOf(lengths, capacity);
      attempts = Arrays.copyOf(attempts, capacity);
    }

    private void move(Block from, int at, int to, int entries) {
      System.arraycopy(from.ordinals, at, ordinals, to, entries);
      System.arraycopy(from.positions, at, positions, to, entries);
      System.arraycopy(from.dueMs, at, dueMs, to, entries);
      System.arraycopy(from.delayMs, at, delayMs, to, entries);
      System.arraycopy(from.offsets, at, offsets, to, entries);
      System.arraycopy(from.lengths, at, lengths, to, entries);
      System.arraycopy(from.attempts, at, attempts, to, entries);
    }
  }

  /** Takes over copies of all that another one has; while this has none. */
  void addCopies(HeldMessages other) {
    other.blocks.forEach((first, block) -> blocks.put(first, block.copy()));
    size = other.size;
  }

  /** The message of this ordinal, or null. */
  public HeldMessage get(long ordinal) {
    Map.Entry<Long, Block> entry = blocks.floorEntry(ordinal);
    int i = entry == null ? -1 : entry.getValue().find(ordinal);
    return i < 0 ? null : entry.getValue().get(i);
  }

  /** Adds a message, or replaces what is known of it. */
  void put(HeldMessage message) {
    put(message, Block::set);
  }

  /** Adds a message, or what a record says of it, which may be older than what is known of it. */
  void merge(HeldMessage message) {
    put(message, Block::merge);
  }

  private interface Change {
    void apply(Block block, int i, HeldMessage message);
  }

  private void put(HeldMessage message, Change whenKnown) {
    long ordinal = message.ref().ordinal();
    Map.Entry<Long, Block> entry = blocks.floorEntry(ordinal);
    if (entry == null) {
      entry = blocks.firstEntry();
      if (entry == null || entry.getValue().count == MAX_BLOCK) {
        addBlock(message);
        return;
      }
      // The first block begins lower from now on.
      blocks.remove(entry.getKey());
      blocks.put(ordinal, entry.getValue());
    }
    Block block = entry.getValue();
    int i = block.find(ordinal);
    if (i >= 0) {
      whenKnown.apply(block, i, message);
    } else if (block.count < MAX_BLOCK) {
      block.insert(~i, message);
      size++;
    } else if (~i == MAX_BLOCK) {
      // Most come in order: full blocks stay full.
      addBlock(message);
    } else {
      Block upper = block.split();
      blocks.put(upper.ordinals[0], upper);
      put(message, whenKnown);
    }
  }

  private void addBlock(HeldMessage message) {
    Block block = new Block();
    block.insert(0, message);
    blocks.put(message.ref().ordinal(), block);
    size++;
  }

  private interface BlockAction {
    void apply(Block block, int from, int to);
  }

  /** Shows the parts of blocks with the ordinals from (inclusive) to (exclusive). */
  private void forRange(long from, long to, BlockAction action) {
    if (from >= to || blocks.isEmpty()) {
      return;
    }
    Long first = blocks.floorKey(from);
    for (Block block :
        blocks.subMap(first == null ? from : Math.min(first, from), true, to, false).values()) {
      int begin = block.from(from);
      int end = block.from(to);
      if (begin < end) {
        action.apply(block, begin, end);
      }
    }
  }

  /** Counts a delivery of those from (inclusive) to (exclusive) that had none. */
  void deliver(long from, long to) {
    forRange(
        from,
        to,
        (block, begin, end) -> {
          for (int i = begin; i < end; i++) {
            block.delivered(i);
          }
        });
  }

  /** Removes those from (inclusive) to (exclusive). */
  void remove(long from, long to) {
    boolean[] emptied = new boolean[1];
    forRange(
        from,
        to,
        (block, begin, end) -> {
          block.remove(begin, end);
          size -= end - begin;
          emptied[0] |= block.count == 0;
        });
    if (emptied[0]) {
      Long first = blocks.floorKey(from);
      blocks
          .subMap(first == null ? from : Math.min(first, from), true, to, false)
          .values()
          .removeIf(block -> block.count == 0);
    }
  }

  /** Removes those whose ordinal is like this. */
  public void removeOrdinals(LongPredicate like) {
    for (Block block : blocks.values()) {
      for (int i = block.count - 1; i >= 0; i--) {
        if (like.test(block.ordinals[i])) {
          block.remove(i, i + 1);
          size--;
        }
      }
    }
    blocks.values().removeIf(block -> block.count == 0);
  }

  @Override
  public Iterator<HeldMessage> iterator() {
    Iterator<Block> all = blocks.values().iterator();
    return new Iterator<>() {
      private Block block;
      private int next;

      @Override
      public boolean hasNext() {
        return (block != null && next < block.count) || all.hasNext();
      }

      @Override
      public HeldMessage next() {
        if (block == null || next == block.count) {
          if (!all.hasNext()) {
            throw new NoSuchElementException();
          }
          block = all.next();
          next = 0;
        }
        return block.get(next++);
      }
    };
  }

  @Override
  public int size() {
    return size;
  }
}
