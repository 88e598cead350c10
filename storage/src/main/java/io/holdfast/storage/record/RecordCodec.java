package io.holdfast.storage.record;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The head that every record of journal, ledger and Raft log begins with, all big-endian:
 *
 * <pre>
 *  0  u16  magic: 0x484A "HJ" journal, 0x484C "HL" ledger, 0x4852 "HR" Raft log, 0x4846 "HF" redo
 *          log
 *  2  u8   format version: 1, of a ledger also 2
 *  3  u8   type (journal: 1 a publish command, 2 a relocated message)
 *  4  u32  CRC32C over the CRC32C of the payload, bytes 8.. of the head and bytes 0..3;
 *          exclusive or the file's salt, where a journal's file is used again
 *  8  i32  bytes of the whole record
 * 12  i32  count (journal: messages; ledger: by type)
 * -- journal only --
 * 16  i64  ordinal of the first message
 * 24  i64  publish time, ns since 1970
 * 32  i64  deferral, ms from publish, 0 for none
 * 40       payload: count times i32 length, body
 * -- ledger only --
 * 16       payload by type, see {@code LedgerCodec}; of version 2 behind the ledger's generation
 * -- redo log only --
 * 16       payload by type, see {@code RedoCodec}
 * -- Raft log only --
 * 16       see {@code RaftRecord}
 * 52       payload by type
 * </pre>
 *
 * <p>The payload comes first into the checksum so that a publisher computes the long part before it
 * takes the topic's lock. One publish command is one record, with one deferral: NSQ has none that
 * gives each message of a batch its own.
 */
public final class RecordCodec {
  /** Begins a journal record. */
  public static final int JOURNAL_MAGIC = 0x484A;

  /** Begins a ledger record. */
  public static final int LEDGER_MAGIC = 0x484C;

  /** Begins a record of a Raft log. */
  public static final int RAFT_MAGIC = 0x4852;

  /** Begins a record of a redo log. */
  public static final int REDO_MAGIC = 0x4846;

  static final int VERSION = 1;

  /** Of a ledger's record whose payload begins with a generation. */
  public static final int VERSION_WITH_GENERATION = 2;

  private static final int VERSION_OFFSET = 2;

  /** Where the payload of a journal record begins. */
  public static final int JOURNAL_HEAD_BYTES = 40;

  /** Where the payload of a ledger record begins. */
  public static final int LEDGER_HEAD_BYTES = 16;

  /** Where the payload of a Raft log's record begins. */
  public static final int RAFT_HEAD_BYTES = 52;

  /** Where the payload of a redo log's record begins. */
  public static final int REDO_HEAD_BYTES = 16;

  /** A publish command. */
  public static final int TYPE_BATCH = 1;

  /** A relocated message, with its ordinal, time and deferral: {@code Journal.relocate}. */
  public static final int TYPE_RELOCATED = 2;

  /** Where in the head the checksum is. */
  public static final int CRC_OFFSET = 4;

  private static final int AFTER_CRC = 8;

  /** Where in the head the length of the whole record is. */
  public static final int LENGTH_OFFSET = 8;

  /** Where in the head the count is. */
  public static final int COUNT_OFFSET = 12;

  /** Where in a journal record's head the first message's ordinal is. */
  public static final int ORDINAL_OFFSET = 16;

  /** Where in a journal record's head the publish time is. */
  public static final int TIME_OFFSET = 24;

  /** Where in a journal record's head the deferral is. */
  public static final int DEFER_OFFSET = 32;

  private static final ThreadLocal<CRC32C> CRC = ThreadLocal.withInitial(CRC32C::new);

  private RecordCodec() {}

  /** The checksum of a payload, to be finished by {@link #finishCrc}. */
  public static int startCrc(ByteBuffer payload) {
    CRC32C crc = CRC.get();
    crc.reset();
    crc.update(payload.duplicate());
    return (int) crc.getValue();
  }

  /**
   * Goes on from the payload's checksum over the head's own fields. The payload's value is mixed in
   * as four bytes: CRC32C cannot be resumed from a value in Java, and mixing detects the same.
   */
  public static int finishCrc(int payloadCrc, ByteBuffer head, int offset, int headBytes) {
    CRC32C crc = CRC.get();
    crc.reset();
    crc.update(payloadCrc >>> 24);
    crc.update(payloadCrc >>> 16);
    crc.update(payloadCrc >>> 8);
    crc.update(payloadCrc);
    update(crc, head, offset + AFTER_CRC, headBytes - AFTER_CRC);
    update(crc, head, offset, CRC_OFFSET);
    return (int) crc.getValue();
  }

  private static void update(CRC32C crc, ByteBuffer from, int offset, int length) {
    int limit = from.limit();
    int position = from.position();
    from.limit(offset + length).position(offset);
    crc.update(from);
    from.limit(limit).position(position);
  }

  /** Writes the checksum into a head. */
  public static void putCrc(ByteBuffer head, int offset, int crc) {
    head.putInt(offset + CRC_OFFSET, crc);
  }

  /** Writes the common part of a head at an offset, without the checksum. */
  public static void putHead(
      ByteBuffer to, int offset, int magic, int type, int recordBytes, int count) {
    to.putShort(offset, (short) magic);
    to.put(offset + VERSION_OFFSET, (byte) VERSION);
    to.put(offset + 3, (byte) type);
    to.putInt(offset + LENGTH_OFFSET, recordBytes);
    to.putInt(offset + COUNT_OFFSET, count);
  }

  /** Says in a head that the payload begins with a generation; before the checksum. */
  public static void putWithGeneration(ByteBuffer to, int offset) {
    to.put(offset + VERSION_OFFSET, (byte) VERSION_WITH_GENERATION);
  }

  /** Whether the payload begins with a generation. */
  public static boolean hasGeneration(ByteBuffer from, int offset) {
    return from.get(offset + VERSION_OFFSET) == VERSION_WITH_GENERATION;
  }

  /** The count in a record's head. */
  public static int count(ByteBuffer from, int offset) {
    return from.getInt(offset + COUNT_OFFSET);
  }

  /** The type in a record's head. */
  public static int type(ByteBuffer from, int offset) {
    return from.get(offset + 3);
  }

  /**
   * Says what is wrong with the head of a record, without looking at its payload.
   *
   * @param available bytes that the excerpt has
   * @return null when it is plausible
   */
  public static String headDefect(
      ByteBuffer from, int offset, int available, int magic, int headBytes) {
    if (available < headBytes) {
      return "a record of " + available + " bytes is too short";
    }
    if ((from.getShort(offset) & 0xffff) != magic) {
      return "no record begins here";
    }
    int version = from.get(offset + VERSION_OFFSET);
    boolean isKnown =
        version == VERSION || (version == VERSION_WITH_GENERATION && magic == LEDGER_MAGIC);
    if (!isKnown) {
      return "record format version " + version + " is not known";
    }
    int bytes = from.getInt(offset + LENGTH_OFFSET);
    if (bytes < headBytes || bytes > available) {
      return "record length " + bytes + " does not fit in the excerpt's " + available;
    }
    return null;
  }

  /** Says what is wrong with a record whose head is plausible; null when its checksum is right. */
  public static String crcDefect(ByteBuffer from, int offset, int headBytes) {
    return crcDefect(from, offset, headBytes, 0);
  }

  /**
   * As {@link #crcDefect(ByteBuffer, int, int)}, of a record in a file that is used again.
   *
   * @param salt of the file: the checksum was mixed with it
   */
  public static String crcDefect(ByteBuffer from, int offset, int headBytes, int salt) {
    int bytes = from.getInt(offset + LENGTH_OFFSET);
    CRC32C crc = CRC.get();
    crc.reset();
    update(crc, from, offset + headBytes, bytes - headBytes);
    int expected = finishCrc((int) crc.getValue(), from, offset, headBytes) ^ salt;
    int found = from.getInt(offset + CRC_OFFSET);
    return expected == found
        ? null
        : "checksum is " + Integer.toHexString(found) + ", not " + Integer.toHexString(expected);
  }
}
