package io.holdfast.storage.log;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import net.openhft.posix.PosixAPI;

/**
 * The blocks of a complete file that hold nothing but zeros behind its last record: a directory
 * that was copied without its holes has them, tens of MiB a file. They are given back to the disk;
 * what is read there stays the same, so neither a crash nor a reader beside it matters. Only for
 * files that nobody appends to any more. One thread.
 */
final class FileHoles implements Closeable {
  private static final int CHUNK_BYTES = 1 << 20;

  /** Shorter runs of zeros stay. */
  private static final int RUN_BYTES = 64 << 10;

  /** What the log reserves ahead may stay, too. */
  private static final long WORTH_BYTES = 1 << 20;

  /** After each chunk that had to be read, so that a large copy does not keep the disk busy. */
  private static final long PAUSE_NS = 2_000_000;

  private final Path path;
  private final FileChannel channel;
  private final int fd;

  /** Whether a file has as much as may be worth giving back. */
  static boolean isWorth(Path file) throws IOException {
    return DurableFiles.allocatedBytes(file) >= WORTH_BYTES;
  }

  FileHoles(Path path) throws IOException {
    this.path = path;
    channel = FileChannel.open(path, StandardOpenOption.READ);
    boolean done = false;
    try {
      fd = DurableFiles.openToWrite(path);
      done = true;
    } finally {
      if (!done) {
        channel.close();
      }
    }
  }

  /**
   * Gives back what there is to be given back.
   *
   * @param stopped asked now and then whether to leave the rest
   * @return bytes; 0 also where the file system has no holes
   */
  long giveBack(BooleanSupplier stopped) throws IOException {
    long from = recordsEnd();
    if (from < 0 || DurableFiles.allocatedBytes(path) < from + WORTH_BYTES) {
      return 0;
    }
    FileTime written = Files.getLastModifiedTime(path);
    long given = 0;
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    long at = (from + RUN_BYTES - 1) / RUN_BYTES * RUN_BYTES;
    long[] data = DurableFiles.nextData(path, at);
    while (data != null && !stopped.getAsBoolean()) {
      at = Math.max(at, data[0] / RUN_BYTES * RUN_BYTES);
      if (at >= data[1]) {
        data = DurableFiles.nextData(path, at);
        continue;
      }
      int bytes = read(chunk.clear(), at);
      if (bytes <= 0) {
        break;
      }
      long punched = punchZeros(chunk, at, bytes);
      if (punched < 0) {
        break;
      }
      given += punched;
      at += bytes;
      LockSupport.parkNanos(PAUSE_NS);
    }
    if (given > 0) {
      // Its age counts for the retention.
      Files.setLastModifiedTime(path, written);
    }
    return given;
  }

  /** Where Chronicle noted the last record to begin, negative when that cannot be read. */
  private long recordsEnd() throws IOException {
    ReadFile file = new ReadFile(path, Disk.LOCAL);
    try {
      return CycleFileHeader.read(file).lastExcerpt();
    } finally {
      file.close();
    }
  }

  private int read(ByteBuffer chunk, long at) throws IOException {
    int count = 1;
    while (chunk.hasRemaining() && count > 0) {
      count = channel.read(chunk, at + chunk.position());
    }
    return chunk.position();
  }

  /** Returns how many bytes were given back, negative when the file system has no holes. */
  private long punchZeros(ByteBuffer chunk, long at, int bytes) {
    final int punchHoleKeepSize = 3;
    long given = 0;
    int run = 0;
    for (int offset = 0; offset < bytes; offset += RUN_BYTES) {
      int end = Math.min(bytes, offset + RUN_BYTES);
      boolean zeros = isZero(chunk, offset, end);
      run = zeros ? run + end - offset : run;
      if (run > 0 && (!zeros || end == bytes)) {
        long runEnd = at + (zeros ? end : offset);
        if (PosixAPI.posix().fallocate(fd, punchHoleKeepSize, runEnd - run, run) != 0) {
          return -1;
        }
        given += run;
        run = 0;
      }
    }
    return given;
  }

  private static boolean isZero(ByteBuffer chunk, int from, int end) {
    int at = from;
    while (at + Long.BYTES <= end && chunk.getLong(at) == 0) {
      at += Long.BYTES;
    }
    while (at < end && chunk.get(at) == 0) {
      at++;
    }
    return at >= end;
  }

  @Override
  public void close() throws IOException {
    PosixAPI.posix().close(fd);
    channel.close();
  }
}
