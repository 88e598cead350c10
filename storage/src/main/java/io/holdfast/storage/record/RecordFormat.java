package io.holdfast.storage.record;

import java.nio.ByteBuffer;

/**
 * How the records of a log begin.
 *
 * @param magic their first two bytes
 * @param headBytes from the beginning of a record to its payload
 */
public record RecordFormat(int magic, int headBytes) {
  /** Of a topic's messages. */
  public static final RecordFormat JOURNAL =
      new RecordFormat(RecordCodec.JOURNAL_MAGIC, RecordCodec.JOURNAL_HEAD_BYTES);

  /** Of what became of a channel's messages. */
  public static final RecordFormat LEDGER =
      new RecordFormat(RecordCodec.LEDGER_MAGIC, RecordCodec.LEDGER_HEAD_BYTES);

  /** Of a replicated group's log. */
  public static final RecordFormat RAFT =
      new RecordFormat(RecordCodec.RAFT_MAGIC, RecordCodec.RAFT_HEAD_BYTES);

  /** Of what journals have that are forced later. */
  public static final RecordFormat REDO =
      new RecordFormat(RecordCodec.REDO_MAGIC, RecordCodec.REDO_HEAD_BYTES);

  /** Says what is wrong with a record, null when it is whole. */
  public String defect(ByteBuffer in, int offset, int available) {
    return defect(in, offset, available, 0);
  }

  /**
   * As {@link #defect(ByteBuffer, int, int)}, of a record in a file that may be used again.
   *
   * @param salt of the file
   */
  public String defect(ByteBuffer in, int offset, int available, int salt) {
    String defect = RecordCodec.headDefect(in, offset, available, magic, headBytes);
    return defect != null ? defect : RecordCodec.crcDefect(in, offset, headBytes, salt);
  }

  /** Whether its files can be used again, so that each may have a salt. */
  public boolean isSalted() {
    return magic == RecordCodec.JOURNAL_MAGIC;
  }

  /** Whether the record at an offset says it has another length than its excerpt. */
  public boolean contradicts(ByteBuffer in, int offset, int excerptBytes) {
    return excerptBytes < headBytes
        || in.getInt(offset + RecordCodec.LENGTH_OFFSET) != excerptBytes;
  }
}
