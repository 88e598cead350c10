package io.holdfast.tools.bench.peers;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The bodies of one queue. Each has a number, the time it was due, and bytes that must not change;
 * each that arrives is checked and ticked off. One thread writes, one thread (which may be another)
 * ticks off.
 */
final class Bodies {
  /** Bytes of a body. */
  static final int SIZE = 200;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final int NUMBER = Long.BYTES;
  private static final int DUE = 2 * Long.BYTES;
  private static final int FILL = 3 * Long.BYTES;

  private final long run = ThreadLocalRandom.current().nextLong();
  private final byte[] template = new byte[SIZE];

  /** By the writing thread alone; others read it when that has ended. */
  private long written;

  private final BitSet seen = new BitSet();
  private long arrived;
  private long duplicates;

  Bodies() {
    ThreadLocalRandom.current().nextBytes(template);
    LONGS.set(template, 0, run);
  }

  /** Puts the next body. */
  void write(Out to, long dueNs) {
    LONGS.set(template, NUMBER, written++);
    LONGS.set(template, DUE, dueNs);
    to.put(template);
  }

  /** How many were put so far. */
  long written() {
    return written;
  }

  /**
   * Ticks one off.
   *
   * @return when it was due, ns
   * @throws IOException when it is not what was written
   */
  long arrive(byte[] in, int at, int length) throws IOException {
    if (length != SIZE
        || (long) LONGS.get(in, at) != run
        || !Arrays.equals(in, at + FILL, at + SIZE, template, FILL, SIZE)) {
      throw new IOException("a body of " + length + " bytes that was never published");
    }
    long number = (long) LONGS.get(in, at + NUMBER);
    if (number < 0 || number > Integer.MAX_VALUE) {
      throw new IOException("a body with the number " + number);
    }
    if (seen.get((int) number)) {
      duplicates++;
    } else {
      seen.set((int) number);
      arrived++;
    }
    return (long) LONGS.get(in, at + DUE);
  }

  /** How many different ones have arrived. */
  long arrived() {
    return arrived;
  }

  /** How many came again. */
  long duplicates() {
    return duplicates;
  }
}
