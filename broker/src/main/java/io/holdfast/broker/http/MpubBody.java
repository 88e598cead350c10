package io.holdfast.broker.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * A body of /mpub, wholly validated: all of it can be published or nothing is (contract §5, §1.4).
 *
 * @param section count times (int32 length, body); owned by whoever holds this record
 * @param count messages in the section
 */
record MpubBody(ByteBuf section, int count) {
  private static final int LENGTH_BYTES = 4;

  /** A count and a message of one byte with its length. */
  private static final int SMALLEST_MESSAGE_BYTES = LENGTH_BYTES + 1;

  /**
   * Splits text at each line feed; empty lines are skipped, a carriage return belongs to its
   * message.
   *
   * @param body unchanged; may hold one byte more than {@code maxBodySize}, which then is too big
   * @param alloc where the section comes from; the caller releases it, also with count 0
   * @throws HttpError 413 {@code BODY_TOO_BIG} or {@code MSG_TOO_BIG}, whichever nsqd would meet
   *     first
   */
  static MpubBody ofText(ByteBuf body, ByteBufAllocator alloc, long maxMsgSize, long maxBodySize)
      throws HttpError {
    int count = 0;
    int sectionBytes = 0;
    int end = body.writerIndex();
    for (int start = body.readerIndex(), next; start < end; start = next) {
      int lineEnd = lineEnd(body, start, end);
      next = lineEnd + 1;
      if (Math.min(next, end) - body.readerIndex() > maxBodySize) {
        throw HttpError.tooLarge("BODY_TOO_BIG");
      }
      int size = lineEnd - start;
      if (size > maxMsgSize) {
        throw HttpError.tooLarge("MSG_TOO_BIG");
      }
      if (size > 0) {
        count++;
        sectionBytes += LENGTH_BYTES + size;
      }
    }
    ByteBuf section = alloc.buffer(sectionBytes, Math.max(sectionBytes, 1));
    for (int start = body.readerIndex(), next; start < end; start = next) {
      int lineEnd = lineEnd(body, start, end);
      next = lineEnd + 1;
      if (lineEnd > start) {
        section.writeInt(lineEnd - start).writeBytes(body, start, lineEnd - start);
      }
    }
    return new MpubBody(section, count);
  }

  private static int lineEnd(ByteBuf body, int start, int end) {
    int newline = body.indexOf(start, end, (byte) '\n');
    return newline < 0 ? end : newline;
  }

  /**
   * Checks count, lengths and bodies; what follows the last message is ignored.
   *
   * @param body unchanged
   * @param truncated whether the client sent more than {@code body} holds
   * @return its section shares the body's memory and counts as a reference of its own
   * @throws HttpError 413 {@code BAD_BODY} (no or impossible count) or {@code BAD_MESSAGE}; {@code
   *     BODY_TOO_BIG} if only the truncation cuts a message short
   */
  static MpubBody ofBinary(ByteBuf body, boolean truncated, long maxMsgSize, long maxBodySize)
      throws HttpError {
    int end = body.writerIndex();
    int pos = body.readerIndex();
    if (end - pos < LENGTH_BYTES) {
      throw HttpError.tooLarge("BAD_BODY");
    }
    int count = body.getInt(pos);
    pos += LENGTH_BYTES;
    if (count <= 0 || count > (maxBodySize - LENGTH_BYTES) / SMALLEST_MESSAGE_BYTES) {
      throw HttpError.tooLarge("BAD_BODY");
    }
    int sectionStart = pos;
    for (int i = 0; i < count; i++) {
      if (end - pos < LENGTH_BYTES) {
        throw HttpError.tooLarge(truncated ? "BODY_TOO_BIG" : "BAD_MESSAGE");
      }
      int size = body.getInt(pos);
      pos += LENGTH_BYTES;
      if (size <= 0 || size > maxMsgSize) {
        throw HttpError.tooLarge("BAD_MESSAGE");
      }
      if (end - pos < size) {
        throw HttpError.tooLarge(truncated ? "BODY_TOO_BIG" : "BAD_MESSAGE");
      }
      pos += size;
    }
    return new MpubBody(body.retainedSlice(sectionStart, pos - sectionStart), count);
  }
}
