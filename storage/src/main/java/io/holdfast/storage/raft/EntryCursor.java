package io.holdfast.storage.raft;

import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads entries of a log; the one behind the last one costs no search. One thread at a time (who
 * took it from {@link EntryCursors}).
 */
final class EntryCursor implements Closeable {
  private static final long NONE = -2;

  private final LogFiles files;
  private final ExcerptReader reader;

  /** The entry read last, {@link #NONE} when the next one is somewhere else. */
  private long index = NONE;

  private long position;

  /** Where the chain of records was found broken. */
  private String broken;

  EntryCursor(LogFiles files) {
    this.files = files;
    reader = new ExcerptReader(files, RecordFormat.RAFT);
    reader.onBreak((at, what) -> broken = what);
  }

  /** The entry read last, negative when there is none. */
  long index() {
    return index;
  }

  /**
   * Goes to an entry.
   *
   * @param place where the log has it
   * @return null when it is not behind there
   * @throws DamagedException when it cannot be read
   */
  RaftRecord find(long wanted, RaftLogState.Place place) throws IOException {
    // Behind the place, and before the next one, all entries are in order.
    boolean goesOn = index + 1 == wanted && position >= place.position() && place.index() < wanted;
    if (!goesOn) {
      reader.moveTo(place.position());
    }
    broken = null;
    index = NONE;
    while (reader.next()) {
      long at = reader.position();
      String defect = broken;
      if (defect == null) {
        defect = reader.unreadable();
      }
      if (defect == null) {
        defect = RecordFormat.RAFT.defect(reader.view(), reader.offset(), reader.length());
      }
      if (defect != null) {
        throw damaged(at, defect);
      }
      RaftRecord record = RaftRecord.read(reader.view(), reader.offset());
      if (record.type() == RaftRecord.ENTRY && record.index() >= wanted) {
        if (record.index() > wanted) {
          return null;
        }
        index = wanted;
        position = at;
        return record;
      }
    }
    return null;
  }

  /** A copy of the bytes of the entry that was found. */
  ByteBuffer payload(RaftRecord of) {
    byte[] bytes = new byte[of.bytes() - RaftRecord.HEAD_BYTES];
    reader.view().get(reader.offset() + RaftRecord.HEAD_BYTES, bytes);
    return ByteBuffer.wrap(bytes);
  }

  /** In which file an entry is that the log has. */
  int cycleOf(long wanted, RaftLogState.Place place) throws IOException {
    if (find(wanted, place) == null) {
      throw damaged(place.position(), "entry " + wanted + " is not found");
    }
    return Position.cycle(position);
  }

  DamagedException damaged(long at, String defect) {
    return new DamagedException("log", files.file(Position.cycle(at)), Position.offset(at), defect);
  }

  /** Lets go of a file that was removed. */
  void closeIfRemoved() {
    if (reader.closeIfRemoved()) {
      index = NONE;
    }
  }

  @Override
  public void close() {
    index = NONE;
    reader.close();
  }
}
