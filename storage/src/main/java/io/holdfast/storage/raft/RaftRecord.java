package io.holdfast.storage.raft;

import io.holdfast.storage.record.RecordCodec;
import java.nio.ByteBuffer;

/**
 * The head of a record of a {@link RaftLog}, big-endian:
 *
 * <pre>
 *  0  u16  magic 0x4852 "HR"
 *  2  u8   format version, 1
 *  3  u8   type
 *  4  u32  CRC32C, as in {@link RecordCodec}
 *  8  i32  bytes of the whole record
 * 12  i32  how many records before this one may not have been on disk when it was written
 * 16  i64  sequence: number of the record, from 1, without gaps, over all files
 * 24  i64  index
 * 32  i64  term of the entry, else 0
 * 40  i64  term of the entry at index - 1; 0 when the log does not know
 * 48  u32  checksum of that entry's record; 0 when the log does not know
 * 52       payload
 * </pre>
 *
 * <table>
 * <caption>Types</caption>
 * <tr><td>1 ENTRY<td>the entry at index; one that is there already, and all above, is void
 * <tr><td>2 CUT<td>the entries at index and above are void
 * <tr><td>3 FIRST<td>the entries below index are not needed any more; there is one at index
 * <tr><td>4 BEGIN<td>all entries are void, the next one has this index
 * <tr><td>5 RESUME<td>what follows the last good record in the files before this one is void: a
 * power cut tore it; the next entry has this index
 * </table>
 *
 * <p>Payload of an entry: its bytes; of FIRST, BEGIN and RESUME nothing, or i64 index and i64 term
 * as in {@link RaftLogState#doubtfulTo}.
 *
 * @param unforced see 12
 * @param bytes of the whole record
 */
record RaftRecord(
    int type,
    int unforced,
    long sequence,
    long index,
    long term,
    long prevTerm,
    int prevCrc,
    int crc,
    int bytes) {
  static final int HEAD_BYTES = RecordCodec.RAFT_HEAD_BYTES;
  static final int ENTRY = 1;
  static final int CUT = 2;
  static final int FIRST = 3;
  static final int BEGIN = 4;
  static final int RESUME = 5;

  private static final int SEQUENCE_OFFSET = 16;
  private static final int INDEX_OFFSET = 24;
  private static final int TERM_OFFSET = 32;
  private static final int PREV_TERM_OFFSET = 40;
  private static final int PREV_CRC_OFFSET = 48;

  /** Reads the head of a record that is whole. */
  static RaftRecord read(ByteBuffer from, int at) {
    return new RaftRecord(
        RecordCodec.type(from, at),
        RecordCodec.count(from, at),
        from.getLong(at + SEQUENCE_OFFSET),
        from.getLong(at + INDEX_OFFSET),
        from.getLong(at + TERM_OFFSET),
        from.getLong(at + PREV_TERM_OFFSET),
        from.getInt(at + PREV_CRC_OFFSET),
        from.getInt(at + RecordCodec.CRC_OFFSET),
        from.getInt(at + RecordCodec.LENGTH_OFFSET));
  }

  /** Writes the head at the beginning of a buffer, with its checksum. */
  void write(ByteBuffer to, int payloadCrc) {
    RecordCodec.putHead(to, 0, RecordCodec.RAFT_MAGIC, type, bytes, unforced);
    to.putLong(SEQUENCE_OFFSET, sequence);
    to.putLong(INDEX_OFFSET, index);
    to.putLong(TERM_OFFSET, term);
    to.putLong(PREV_TERM_OFFSET, prevTerm);
    to.putInt(PREV_CRC_OFFSET, prevCrc);
    RecordCodec.putCrc(to, 0, RecordCodec.finishCrc(payloadCrc, to, 0, HEAD_BYTES));
  }

  /** All records up to this sequence were on disk when this one was written. */
  long forcedTo() {
    return sequence - 1 - unforced;
  }
}
