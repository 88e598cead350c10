package io.holdfast.storage.ledger;

import io.holdfast.storage.record.RecordCodec;
import java.nio.ByteBuffer;

/** The record that a ledger is about to write, in buffers that are used again. Not thread-safe. */
final class LedgerRecord {
  private static final int FIRST_BYTES = 1024;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final ByteBuffer head = ByteBuffer.allocateDirect(RecordCodec.LEDGER_HEAD_BYTES);
  private ByteBuffer payload = NOTHING;
  private long generation;

  /**
   * Begins another one.
   *
   * @param ofGeneration how often the channel was rewound
   * @param capacity bytes of payload at most
   * @return where it is to be put
   */
  ByteBuffer begin(long ofGeneration, int capacity) {
    int withGeneration = capacity + LedgerCodec.maxGenerationBytes();
    if (payload.capacity() < withGeneration) {
      payload = ByteBuffer.allocate(Math.max(FIRST_BYTES, withGeneration));
    }
    payload.clear();
    generation = ofGeneration;
    if (generation > 0) {
      LedgerCodec.putGeneration(payload, generation);
    }
    return payload;
  }

  /** The payload is complete; returns how many bytes the record has. */
  int end(int type, int count) {
    payload.flip();
    int headBytes = RecordCodec.LEDGER_HEAD_BYTES;
    int bytes = headBytes + payload.remaining();
    RecordCodec.putHead(head, 0, RecordCodec.LEDGER_MAGIC, type, bytes, count);
    if (generation > 0) {
      RecordCodec.putWithGeneration(head, 0);
    }
    RecordCodec.putCrc(
        head, 0, RecordCodec.finishCrc(RecordCodec.startCrc(payload), head, 0, headBytes));
    return bytes;
  }

  /** Gives the memory back until the next record: thousands of ledgers are at rest. */
  void release() {
    payload = NOTHING;
  }

  ByteBuffer head() {
    return head.clear();
  }

  ByteBuffer payload() {
    return payload;
  }

  /** A copy of it, as it is to be in the file. */
  ByteBuffer copy() {
    return ByteBuffer.allocate(head.capacity() + payload.remaining())
        .put(head())
        .put(payload.duplicate())
        .flip();
  }
}
