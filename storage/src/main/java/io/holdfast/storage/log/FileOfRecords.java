package io.holdfast.storage.log;

import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/**
 * A file as Chronicle makes it for records of some lengths, to be made again with other content and
 * without Chronicle, which takes some milliseconds to open and close its queue for it. Nothing else
 * in a file depends on what the records say. Immutable.
 */
final class FileOfRecords {
  /** Parts without content are left out, as holes. */
  private static final int PAGE_BYTES = 4096;

  private static volatile FileOfRecords last;

  private final byte[] content;
  private final int[] lengths;
  private final int[] offsets;

  private FileOfRecords(byte[] content, int[] lengths, int[] offsets) {
    this.content = content;
    this.lengths = lengths;
    this.offsets = offsets;
  }

  /** The one for records of these lengths, null when there is none yet. */
  static FileOfRecords like(List<ByteBuffer> records) {
    FileOfRecords known = last;
    return known != null && Arrays.equals(known.lengths, lengthsOf(records)) ? known : null;
  }

  private static int[] lengthsOf(List<ByteBuffer> records) {
    return records.stream().mapToInt(ByteBuffer::remaining).toArray();
  }

  /**
   * Remembers a file that Chronicle made, in place of the last one.
   *
   * @param records all that are in it
   * @param offsets where they are
   * @param end behind the last one
   */
  static void remember(Path file, List<ByteBuffer> records, int[] offsets, int end)
      throws IOException {
    // The next header is there, and says that there is none.
    int bytes = (end + Integer.BYTES + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    ByteBuffer content = ByteBuffer.allocate(bytes);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (int count = 1; content.hasRemaining() && count > 0; ) {
        count = channel.read(content, content.position());
      }
    }
    last = new FileOfRecords(content.array(), lengthsOf(records), offsets);
  }

  /**
   * Makes such a file. When it fails there may be part of it.
   *
   * @param file that is not there
   * @param records of the lengths asked for
   * @return where the last one ends
   */
  int write(Disk disk, Path file, List<ByteBuffer> records) throws IOException {
    byte[] filled = content.clone();
    for (int i = 0; i < lengths.length; i++) {
      records.get(i).duplicate().get(filled, offsets[i], lengths[i]);
    }
    disk.createFile(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int at = 0; at < filled.length; at += PAGE_BYTES) {
        if (at + PAGE_BYTES == filled.length || hasContent(filled, at)) {
          ByteBuffer page = ByteBuffer.wrap(filled, at, PAGE_BYTES);
          while (page.hasRemaining()) {
            channel.write(page, page.position());
          }
        }
      }
    }
    int newest = lengths.length - 1;
    return offsets[newest] + lengths[newest];
  }

  private static boolean hasContent(byte[] bytes, int from) {
    for (int at = from; at < from + PAGE_BYTES; at++) {
      if (bytes[at] != 0) {
        return true;
      }
    }
    return false;
  }
}
