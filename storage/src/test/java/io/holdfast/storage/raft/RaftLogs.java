package io.holdfast.storage.raft;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.LogFiles;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.record.RecordFormat;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What the tests of logs have in common. */
final class RaftLogs {
  static final RaftLogOptions SMALL_FILES = new RaftLogOptions(32 << 10, 128 << 10);

  private RaftLogs() {}

  static RaftLog create(Path dir) throws IOException {
    return RaftLog.create(dir, Disk.LOCAL, SMALL_FILES);
  }

  static RaftLog open(Path dir, LastStop lastStop) throws IOException {
    return RaftLog.open(dir, Disk.LOCAL, SMALL_FILES, lastStop, 9);
  }

  /** Entries with consecutive indexes and bytes of their own. */
  static List<RaftEntry> entries(long first, int count, long term, int length) {
    List<RaftEntry> entries = new ArrayList<>();
    for (long index = first; index < first + count; index++) {
      entries.add(new RaftEntry(index, term, RaftModel.bytes(index, term, length, false)));
    }
    return entries;
  }

  /** A record and where it begins. */
  record Found(RaftRecord record, Path file, int offset) {}

  /** All records of a log, in order. */
  static List<Found> records(Path dir) throws IOException {
    List<Found> found = new ArrayList<>();
    LogFiles files = LogView.withEmpty(dir);
    try (ExcerptReader reader = new ExcerptReader(files, RecordFormat.RAFT)) {
      while (reader.next()) {
        long at = reader.position();
        found.add(
            new Found(
                RaftRecord.read(reader.view(), reader.offset()),
                files.file(Position.cycle(at)),
                Position.offset(at)));
      }
    }
    return found;
  }

  /** The last record of an entry. */
  static Found entry(Path dir, long index) throws IOException {
    Found last = null;
    for (Found found : records(dir)) {
      boolean isWanted =
          found.record().type() == RaftRecord.ENTRY && found.record().index() == index;
      last = isWanted ? found : last;
    }
    return last;
  }

  static void flip(Path file, long offset, int bits) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(offset);
      int value = bytes.read();
      bytes.seek(offset);
      bytes.write(value ^ bits);
    }
  }

  static void zero(Path file, long from, long to) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate((int) (to - from)), from);
    }
  }

  static void truncate(Path file, long size) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(size);
    }
  }

  /** A copy without the zeros, which are most of each file. */
  static void copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    for (Path file : files(from)) {
      Path copy = to.resolve(file.getFileName());
      try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
          FileChannel out =
              FileChannel.open(copy, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        in.transferTo(0, DurableFiles.dataEnd(file), out);
        if (out.size() < in.size()) {
          out.write(ByteBuffer.allocate(1), in.size() - 1);
        }
      }
    }
  }

  /** By name. */
  static List<Path> files(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }
}
