package io.holdfast.storage.redo;

import io.holdfast.storage.log.FilePart;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The records of a {@link RedoLog}, big-endian, behind the head of {@link RecordCodec}, whose count
 * is that of the parts:
 *
 * <pre>
 * type 1, BYTES: parts of journals' files, in the order in which they were copied
 *     u16  length of the name
 *          name of the topic's directory
 *     i32  number of the file
 *     i64  file offset
 *     i32  length
 *          bytes
 * type 2, FORGET: what came before of a journal is void, its topic was deleted
 *     u16  length of the name
 *          name of the topic's directory
 * </pre>
 */
final class RedoCodec {
  static final int BYTES = 1;
  static final int FORGET = 2;
  static final int HEAD_BYTES = RecordCodec.REDO_HEAD_BYTES;

  /** The longest name that a file system takes. */
  private static final int MAX_NAME_BYTES = 255;

  private static final int FIXED_PART_BYTES =
      Short.BYTES + Integer.BYTES + Long.BYTES + Integer.BYTES;

  private RedoCodec() {}

  /** How many bytes a part takes at most, with what is copied. */
  static long bytesOf(FilePart part) {
    return FIXED_PART_BYTES + MAX_NAME_BYTES + part.bytes();
  }

  /** Writes all of a part but its bytes, which follow. */
  static void putPart(ByteBuffer to, String name, FilePart part) {
    putName(to, name);
    to.putInt(part.cycle()).putLong(part.from()).putInt(Math.toIntExact(part.bytes()));
  }

  static void putName(ByteBuffer to, String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    to.putShort((short) bytes.length).put(bytes);
  }

  /** Reads what {@link #putName} wrote. */
  static String name(ByteBuffer from) {
    byte[] bytes = new byte[Short.toUnsignedInt(from.getShort())];
    from.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * Reads a part and stands before its bytes.
   *
   * @param from behind the name
   */
  static FilePart part(ByteBuffer from) {
    int cycle = from.getInt();
    long begin = from.getLong();
    return new FilePart(cycle, begin, begin + from.getInt());
  }

  /** Writes the head of a record. */
  static ByteBuffer head(int type, int count, ByteBuffer payload) {
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    RecordCodec.putHead(
        head, 0, RecordFormat.REDO.magic(), type, HEAD_BYTES + payload.remaining(), count);
    int crc = RecordCodec.startCrc(payload);
    RecordCodec.putCrc(head, 0, RecordCodec.finishCrc(crc, head, 0, HEAD_BYTES));
    return head;
  }
}
