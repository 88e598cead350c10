package io.holdfast.storage.raft;

import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.record.RecordCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Predicate;

/**
 * Writes a log's records and forces them: numbers them, says in each which ones are on disk before
 * it, and has {@link RaftLogState} and {@link EndMark} follow. After an error that leaves open what
 * is there it writes nothing more.
 *
 * <p>The log's lock guards it; {@link #failed} is for any thread.
 */
final class RecordWriter {
  static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);
  private static final int FIRST_COPY_BYTES = 64 << 10;

  private final ExcerptLog log;
  private final EndMark end;
  private final RaftLogState state;
  private final long maxBytesPerFile;
  private final ByteBuffer head = ByteBuffer.allocateDirect(RaftRecord.HEAD_BYTES);

  /** For payloads on the heap: Chronicle takes no slice of them, and writes large ones slowly. */
  private ByteBuffer copy = NOTHING;

  /** Of the last record. */
  private long sequence;

  /** Of the last record that is surely on disk. */
  private long forced;

  private volatile IOException failed;

  /** See {@link RaftLog#whenFull}. */
  private volatile Predicate<IOException> makeRoom = full -> false;

  RecordWriter(ExcerptLog log, EndMark end, RaftLogState state, long maxBytesPerFile) {
    this.log = log;
    this.end = end;
    this.state = state;
    this.maxBytesPerFile = maxBytesPerFile;
  }

  /** What there is, up to a sequence, is on disk. */
  void goOnAfter(long found) {
    sequence = found;
    forced = found;
  }

  /** See {@link RaftLog#whenFull}. */
  void whenFull(Predicate<IOException> asked) {
    makeRoom = asked;
  }

  /** Why nothing more is done, null when all is well. */
  IOException failed() {
    return failed;
  }

  /**
   * Appends a record; FIRST is not for the state before it is forced, see {@link
   * RaftLog#truncatePrefix}.
   *
   * @throws NoSpaceException when there is no room; nothing has been appended
   */
  RaftRecord write(int type, long index, long term, long prevTerm, int prevCrc, ByteBuffer payload)
      throws IOException {
    if (log.fileBytes() > maxBytesPerFile) {
      log.roll();
    }
    long next = sequence + 1;
    int unforced = Math.toIntExact(sequence - forced);
    ByteBuffer body = direct(payload);
    int bytes = RaftRecord.HEAD_BYTES + body.remaining();
    int payloadCrc = RecordCodec.startCrc(body);
    new RaftRecord(type, unforced, next, index, term, prevTerm, prevCrc, 0, bytes)
        .write(head, payloadCrc);
    long position;
    try {
      position = append(body);
    } catch (NoSpaceException full) {
      throw full;
    } catch (IOException e) {
      failed = e;
      throw e;
    } catch (RuntimeException | Error e) {
      failed = new IOException(e.toString(), e);
      throw e;
    }
    sequence = next;
    RaftRecord written = RaftRecord.read(head, 0);
    state.recordAt(position, bytes);
    switch (type) {
      case RaftRecord.ENTRY -> state.entry(written, position);
      case RaftRecord.CUT -> state.cut(written);
      case RaftRecord.BEGIN -> state.begin(written);
      case RaftRecord.RESUME -> state.resume(written);
      default -> {}
    }
    return written;
  }

  private long append(ByteBuffer body) throws IOException {
    try {
      return log.append(head.clear(), body.duplicate());
    } catch (NoSpaceException full) {
      if (!makeRoom.test(full)) {
        throw full;
      }
      return log.append(head.clear(), body);
    }
  }

  /** The payload in direct memory; its position is free to move. */
  private ByteBuffer direct(ByteBuffer payload) {
    if (payload.isDirect()) {
      return payload.duplicate();
    }
    int bytes = payload.remaining();
    if (copy.capacity() < bytes) {
      copy = ByteBuffer.allocateDirect(Math.max(FIRST_COPY_BYTES, bytes));
    }
    return copy.clear().put(payload.duplicate()).flip();
  }

  /** Waits until everything written is on the disk, and notes it. */
  void force() throws IOException {
    if (forced == sequence) {
      return;
    }
    try {
      log.force();
      end.write(sequence);
    } catch (IOException e) {
      failed = e;
      throw e;
    } catch (RuntimeException | Error e) {
      failed = new IOException(e.toString(), e);
      throw e;
    }
    forced = sequence;
  }

  /** Gives memory back. */
  void closeIdle() {
    copy = NOTHING;
  }
}
