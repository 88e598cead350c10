package io.holdfast.tools.bench;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Random;

/**
 * What a bench message carries, so that its consumer knows whose it is and how old:
 *
 * <pre>
 *  0 int64 run id
 *  8 int64 intended send time, ns by System.nanoTime of the process that sent it
 * 16 int64 number of the message at its publisher
 * 24 filler, the same in all
 * </pre>
 *
 * Shorter bodies are filler only, and then there is no end-to-end latency.
 */
final class BenchBody {
  /** Bytes a body needs to carry all this. */
  static final int HEADER = 24;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private BenchBody() {}

  static byte[] filled(int size, long runId) {
    byte[] body = new byte[size];
    new Random(runId).nextBytes(body);
    if (size >= HEADER) {
      LONG.set(body, 0, runId);
    }
    return body;
  }

  static void stamp(byte[] array, int offset, long intendedNs, long number) {
    LONG.set(array, offset + 8, intendedNs);
    LONG.set(array, offset + 16, number);
  }

  static long runId(byte[] array, int offset) {
    return (long) LONG.get(array, offset);
  }

  static long intendedNs(byte[] array, int offset) {
    return (long) LONG.get(array, offset + 8);
  }
}
