package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of a log as its readers share it: read by calls and never through a mapping, where a block
 * that the disk cannot read, or the end of a file that somebody cut off, ends the process. Here the
 * one reads as zeros, which no checksum takes for a record, and the other as the end.
 *
 * <p>Thread-safe.
 */
final class ReadFile {
  private static final Logger LOG = LoggerFactory.getLogger(ReadFile.class);

  /** Of what is read around: what the kernel reads at once. */
  private static final int BLOCK_BYTES = 4096;

  private final Path path;
  private final Disk disk;

  @GuardedBy("this")
  private FileChannel channel;

  /** Null before it was asked for; it is there before the file has its name. */
  private volatile Integer salt;

  /** What the disk said, by offset of the block. */
  @GuardedBy("this")
  private final TreeMap<Long, String> unreadable = new TreeMap<>();

  ReadFile(Path path, Disk disk) throws IOException {
    this.path = path;
    this.disk = disk;
    channel = disk.openToRead(path);
  }

  Path path() {
    return path;
  }

  synchronized void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("{}", path, e);
    }
  }

  /** What the checksums of its records are mixed with, see {@link FileSalt}. */
  int salt() throws IOException {
    Integer known = salt;
    if (known == null) {
      known = FileSalt.read(this);
      salt = known;
    }
    return known;
  }

  /** How long the file is now, bytes. */
  long size() throws IOException {
    return uninterrupted(FileChannel::size);
  }

  /**
   * Reads until the buffer is full or the file ends.
   *
   * @param to its position moves
   */
  void read(ByteBuffer to, long offset) throws IOException {
    int begin = to.position();
    int limit = to.limit();
    while (to.position() < limit) {
      long at = offset + to.position() - begin;
      int count;
      try {
        count = readOnce(to, at);
      } catch (IOException e) {
        count = readBlock(to, at, limit, e);
      }
      if (count <= 0) {
        return;
      }
    }
  }

  /** After an error: the block alone, which may be as good as ever, else zeros in its place. */
  private int readBlock(ByteBuffer to, long at, int limit, IOException first) throws IOException {
    if (first instanceof FileSystemException) {
      // It could not be opened again: no descriptors, say. What is in it is only out of reach.
      throw first;
    }
    int toBlockEnd = (int) (BLOCK_BYTES - at % BLOCK_BYTES);
    int bytes = (int) Math.min(Math.min(toBlockEnd, limit - to.position()), size() - at);
    if (bytes <= 0) {
      return 0;
    }
    int from = to.position();
    to.limit(from + bytes);
    try {
      return readOnce(to, at);
    } catch (IOException e) {
      note(at - at % BLOCK_BYTES, e);
      to.position(from);
      while (to.hasRemaining()) {
        to.put((byte) 0);
      }
      return bytes;
    } finally {
      to.limit(limit);
    }
  }

  private synchronized void note(long block, IOException e) {
    if (unreadable.isEmpty()) {
      // One line for what can be thousands of blocks; what is lost by them is said elsewhere.
      LOG.error("{}: the disk cannot read from offset {} on: {}", path, block, e.getMessage());
    }
    unreadable.put(block, String.valueOf(e.getMessage()));
  }

  /** Says which part of a range the disk could not read, null when it could. */
  synchronized String defect(long from, long bytes) {
    if (unreadable.isEmpty()) {
      return null;
    }
    Map.Entry<Long, String> block = unreadable.lowerEntry(from + bytes);
    if (block == null || block.getKey() + BLOCK_BYTES <= from) {
      return null;
    }
    return "the disk cannot read the block at " + block.getKey() + ": " + block.getValue();
  }

  private int readOnce(ByteBuffer to, long at) throws IOException {
    return uninterrupted(in -> disk.read(path, in, to, at));
  }

  private interface Call<T> {
    T on(FileChannel in) throws IOException;
  }

  /** An interrupt of any thread that reads closes the channel under all of them. */
  private <T> T uninterrupted(Call<T> call) throws IOException {
    boolean interrupted = false;
    try {
      while (true) {
        FileChannel in = channel();
        try {
          return call.on(in);
        } catch (ClosedChannelException e) {
          interrupted |= Thread.interrupted();
          reopen(in);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private synchronized FileChannel channel() {
    return channel;
  }

  private synchronized void reopen(FileChannel closed) throws IOException {
    if (channel == closed) {
      channel = disk.openToRead(path);
    }
  }
}
