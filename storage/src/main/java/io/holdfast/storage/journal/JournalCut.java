package io.holdfast.storage.journal;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFileNames;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts the files of a journal back to an end that was noted before, and makes sure that all before
 * it is there: nothing is guessed, what is not as it was noted is an error. Stateless.
 */
final class JournalCut {
  private JournalCut() {}

  /**
   * Removes what was written behind an end; before the journal is opened. Files may have other
   * links: what they have before the end stays as it is.
   *
   * @throws IOException when the file is gone or shorter, naming it and where it ends
   */
  static void cut(Path dir, JournalEnd end, Disk disk) throws IOException {
    Path last = null;
    List<Path> newer = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(dir)) {
      for (Path entry : entries) {
        int cycle = LogFileNames.cycleOf(entry.getFileName().toString());
        if (cycle == end.file()) {
          last = entry;
        } else if (cycle > end.file()) {
          newer.add(entry);
        }
      }
    }
    if (!end.isEmpty()) {
      if (last == null) {
        throw new IOException(
            "file " + end.file() + " of " + dir + " is gone, which ended at " + end.offset());
      }
      truncate(last, end.offset(), disk);
    }
    for (Path file : newer) {
      disk.delete(file);
    }
  }

  private static void truncate(Path file, long offset, Disk disk) throws IOException {
    long size = Files.size(file);
    if (size < offset) {
      throw new IOException(file + ":" + size + ": the file ends here, not at " + offset);
    }
    if (size > offset) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(offset);
      }
      // What comes next goes to another file: this one must not get its end back by a power cut.
      disk.force(file, true);
    }
  }

  /**
   * Reads the newest file, or all, up to the end that they were cut at.
   *
   * @param all whether older files are read, too
   * @param nextOrdinal of the message that came next
   * @param skipped ordinals that no message has
   * @throws IOException when something is damaged or missing, naming file and offset
   */
  static void check(
      LogFiles files, JournalEnd end, boolean all, long nextOrdinal, OrdinalRanges skipped)
      throws IOException {
    if (end.isEmpty()) {
      return;
    }
    try (ExcerptReader reader = new ExcerptReader(files, RecordFormat.JOURNAL)) {
      int cycle = all ? files.firstCycle() : newestWithMessages(files, reader, end.file());
      long next = -1;
      long behind = Position.of(end.file(), 0);
      while (cycle >= 0) {
        reader.moveToCycle(cycle);
        while (reader.nextInFile()) {
          next = checkRecord(reader, next, skipped);
          behind = reader.position() + reader.length();
        }
        cycle = files.cycleAfter(cycle);
      }
      if (behind != Position.of(end.file(), end.offset())) {
        throw new IOException(
            reader.where(behind) + ": the records end here, not at " + end.offset());
      }
      if (!follows(next, nextOrdinal, skipped)) {
        throw new IOException(
            reader.where(behind) + ": message " + next + " comes next, not " + nextOrdinal);
      }
    }
  }

  /** The newest file tells which message comes next, unless all in it are relocated ones. */
  private static int newestWithMessages(LogFiles files, ExcerptReader reader, int newest)
      throws IOException {
    for (int cycle = newest; cycle >= 0; cycle = files.cycleBefore(cycle)) {
      boolean more = reader.moveToCycle(cycle);
      while (more && reader.nextInFile()) {
        if (reader.length() < RecordCodec.JOURNAL_HEAD_BYTES || JournalFiles.isBatch(reader)) {
          return cycle;
        }
      }
    }
    return newest;
  }

  /** Returns the ordinal that comes next. */
  private static long checkRecord(ExcerptReader reader, long next, OrdinalRanges skipped)
      throws IOException {
    String defect = reader.defect();
    if (defect != null) {
      throw new IOException(reader.where(reader.position()) + ": " + defect);
    }
    if (!JournalFiles.isBatch(reader)) {
      return next;
    }
    long ordinal = reader.view().getLong(reader.offset() + RecordCodec.ORDINAL_OFFSET);
    if (next >= 0 && !follows(next, ordinal, skipped)) {
      throw new IOException(
          reader.where(reader.position()) + ": message " + ordinal + " follows, not " + next);
    }
    return ordinal + RecordCodec.count(reader.view(), reader.offset());
  }

  private static boolean follows(long next, long ordinal, OrdinalRanges skipped) {
    return ordinal >= next && skipped.overlap(next, ordinal) == ordinal - next;
  }
}
