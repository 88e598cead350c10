package io.holdfast.storage.log;

import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The files of one log as an {@link ExcerptReader} needs to know them: the broker's own log, which
 * knows how far it has written, or a directory that somebody else may write to.
 */
public interface LogFiles {
  /** Of {@link #writtenTo}: as far as the file goes. */
  long UNKNOWN = -1;

  /** The oldest cycle with a file, or -1. */
  int firstCycle();

  /** The next cycle after this one that has a file, or -1. */
  int cycleAfter(int cycle);

  /** The last cycle before this one that has a file, or -1. */
  int cycleBefore(int cycle);

  /** Whether a cycle has a file. */
  boolean has(int cycle);

  /** Where the file of a cycle is, whether it is there or not. */
  Path file(int cycle);

  /** "file:offset" of a {@link Position}, for messages to people. */
  default String where(long position) {
    return file(Position.cycle(position)) + ":" + Position.offset(position);
  }

  /** Files of cycles below are complete: nothing will be appended to them. */
  int completeBelow();

  /**
   * How far a file that is not complete has been written, as file offset; {@link #UNKNOWN} when
   * only its content tells.
   */
  long writtenTo(int cycle);

  /** Opens the file of a cycle for a reader, which gives it back by {@link #close}. */
  ReadFile open(int cycle) throws IOException;

  /** Ends a use of a file. */
  void close(ReadFile file);

  /** What the file of a cycle begins with. */
  default CycleFileHeader header(int cycle) throws IOException {
    ReadFile file = open(cycle);
    try {
      return CycleFileHeader.read(file).header();
    } finally {
      close(file);
    }
  }

  /** A page of zeros at the beginning of a file does not make the rest worthless. */
  default boolean holdsRecords(int cycle) throws IOException {
    for (RecordFormat format :
        List.of(RecordFormat.JOURNAL, RecordFormat.LEDGER, RecordFormat.RAFT)) {
      try (ExcerptReader reader = new ExcerptReader(this, format)) {
        if (reader.moveToCycle(cycle) && reader.nextInFile()) {
          return true;
        }
      }
    }
    return false;
  }
}
