package io.holdfast.storage.journal;

import io.holdfast.storage.record.RecordCodec;
import java.nio.ByteBuffer;

/** How many messages a batch record had that fails its checksum. Stateless. */
final class DamagedBatch {
  /** A length and a body of one byte. */
  private static final int MIN_MESSAGE_BYTES = Integer.BYTES + 1;

  private DamagedBatch() {}

  /**
   * Exact when one thing is damaged: either the lengths of the bodies lead from the head to the end
   * of the record, or the head has the count. Otherwise as many as there is room for, since too
   * many ordinals only leave a gap, but one used twice would lose a message.
   *
   * @param bytes of the excerpt
   */
  static long messages(ByteBuffer view, int offset, int bytes) {
    if (bytes <= RecordCodec.JOURNAL_HEAD_BYTES) {
      return 0;
    }
    int end = offset + bytes;
    int counted = 0;
    int at = offset + RecordCodec.JOURNAL_HEAD_BYTES;
    while (at <= end - Integer.BYTES) {
      int length = view.getInt(at);
      if (length < 1 || length > end - at - Integer.BYTES) {
        break;
      }
      at += Integer.BYTES + length;
      counted++;
    }
    if (at == end) {
      return counted;
    }
    long most = (bytes - RecordCodec.JOURNAL_HEAD_BYTES) / MIN_MESSAGE_BYTES + 1L;
    boolean isHead =
        RecordCodec.headDefect(
                view, offset, bytes, RecordCodec.JOURNAL_MAGIC, RecordCodec.JOURNAL_HEAD_BYTES)
            == null;
    int stated = view.getInt(offset + RecordCodec.COUNT_OFFSET);
    return isHead && stated >= counted && stated <= most ? stated : most;
  }
}
