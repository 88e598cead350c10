package io.holdfast.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import net.openhft.posix.PosixAPI;

/**
 * Looks for records in a file whose chain of Chronicle headers cannot be followed: a damaged length
 * leads astray, and everything behind it would be lost. Our records tell themselves where they
 * begin and end, so each 4-byte boundary (where Chronicle puts excerpts) is tried, and what has a
 * right checksum is a record.
 *
 * <p>What an append never completed is not taken: Chronicle's header before it says 0 bytes.
 *
 * <p>One thread at a time (its reader's).
 */
final class ExcerptSalvage {
  private static final int ALIGNMENT = 4;
  private static final int LENGTH_BITS = 0x3fff_ffff;
  private static final int CHUNK_BYTES = 8192;

  private final Path path;
  private final RecordFormat format;
  private final ByteBuffer file;
  private int at;
  private int end;

  /**
   * Maps what a file holds, if there may be a record in it. Mostly there is none, and a mapping
   * would keep the blocks of a removed file until the garbage collector comes by.
   *
   * @param from file offset to begin at
   */
  ExcerptSalvage(Path path, RecordFormat format, int from) throws IOException {
    this.path = path;
    this.format = format;
    at = Math.max(ALIGNMENT, from + ALIGNMENT - 1 & -ALIGNMENT);
    ByteBuffer mapped = ByteBuffer.allocate(0);
    try (FileChannel in = FileChannel.open(path, StandardOpenOption.READ)) {
      long dataEnd = Math.min(dataEnd(path, at), Math.min(in.size(), Integer.MAX_VALUE));
      if (hasMagic(in, at, dataEnd)) {
        mapped = in.map(FileChannel.MapMode.READ_ONLY, 0, dataEnd);
      }
    } catch (NoSuchFileException gone) {
      // Removed meanwhile: nobody needs it any more.
    }
    file = mapped;
  }

  /**
   * Begins anew, when all that the file holds now is mapped already.
   *
   * @param from file offset to begin at
   * @return false when there is more
   */
  boolean restart(int from) throws IOException {
    try {
      if (dataEnd(path, from) > file.capacity()) {
        return false;
      }
    } catch (NoSuchFileException gone) {
      return false;
    }
    at = Math.max(ALIGNMENT, from + ALIGNMENT - 1 & -ALIGNMENT);
    end = 0;
    return true;
  }

  /** Whether the begin of a record can be seen anywhere between two offsets. */
  private boolean hasMagic(FileChannel in, long from, long to) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.max(0, Math.min(CHUNK_BYTES, to - from)));
    for (long offset = from; offset < to; offset += CHUNK_BYTES) {
      chunk.clear().limit((int) Math.min(chunk.capacity(), to - offset));
      while (chunk.hasRemaining() && in.read(chunk, offset + chunk.position()) >= 0) {}
      for (int i = 0; i + Short.BYTES <= chunk.position(); i += ALIGNMENT) {
        if (chunk.getShort(i) == (short) format.magic()) {
          return true;
        }
      }
    }
    return false;
  }

  /** Goes to the next record; false when there is none. */
  boolean next() {
    at = Math.max(at, end + ALIGNMENT - 1 & -ALIGNMENT);
    int headBytes = format.headBytes();
    for (; at + headBytes <= file.capacity(); at += ALIGNMENT) {
      if (file.getShort(at) == (short) format.magic()
          && (Integer.reverseBytes(file.getInt(at - ALIGNMENT)) & LENGTH_BITS) != 0
          && format.defect(file, at, file.capacity() - at) == null) {
        end = at + length();
        return true;
      }
    }
    return false;
  }

  /** The whole file, big-endian. */
  ByteBuffer view() {
    return file;
  }

  /** Where the record begins, as file offset. */
  int offset() {
    return at;
  }

  /** Bytes of the record. */
  int length() {
    return file.getInt(at + RecordCodec.LENGTH_OFFSET);
  }

  /** The end of the last data behind an offset: reserved blocks and holes need no look. */
  private static long dataEnd(Path path, long from) throws IOException {
    final int seekData = 3;
    final int seekHole = 4;
    PosixAPI posix = PosixAPI.posix();
    int fd = posix.open(path.toString(), 0, 0);
    if (fd < 0) {
      if (Files.notExists(path)) {
        throw new NoSuchFileException(path.toString());
      }
      // Out of descriptors, say: what is in the file is only out of reach, not gone.
      throw new IOException("cannot open " + path);
    }
    try {
      long dataEnd = 0;
      for (long data = posix.lseek(fd, from, seekData); data >= 0; ) {
        long hole = posix.lseek(fd, data, seekHole);
        if (hole <= data) {
          break;
        }
        dataEnd = hole;
        data = posix.lseek(fd, hole, seekData);
      }
      return dataEnd;
    } finally {
      posix.close(fd);
    }
  }

  /** How the records of a log begin. */
  record RecordFormat(int magic, int headBytes) {
    static final RecordFormat JOURNAL =
        new RecordFormat(RecordCodec.JOURNAL_MAGIC, RecordCodec.JOURNAL_HEAD_BYTES);
    static final RecordFormat LEDGER =
        new RecordFormat(RecordCodec.LEDGER_MAGIC, RecordCodec.LEDGER_HEAD_BYTES);

    /** Says what is wrong with a record, null when it is whole. */
    String defect(ByteBuffer in, int offset, int available) {
      String defect = RecordCodec.headDefect(in, offset, available, magic, headBytes);
      return defect != null ? defect : RecordCodec.crcDefect(in, offset, headBytes);
    }

    /** Whether the record at an offset says it has another length than its excerpt. */
    boolean contradicts(ByteBuffer in, int offset, int excerptBytes) {
      return excerptBytes < headBytes
          || in.getInt(offset + RecordCodec.LENGTH_OFFSET) != excerptBytes;
    }
  }
}
