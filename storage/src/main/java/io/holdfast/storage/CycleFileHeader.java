package io.holdfast.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How a Chronicle file begins: Chronicle waits for seconds at what is neither whole nor nothing.
 */
enum CycleFileHeader {
  /** None was written: a crash while the file was made, or its first page is gone. */
  NONE,
  DAMAGED,
  WHOLE;

  private static final int PROBE_BYTES = 32;
  private static final int HEADERLESS = 0x8000_0000;

  /**
   * Looks at a file.
   *
   * @throws IOException also when it must not be read: to skip it would count as lost what is only
   *     out of reach
   */
  static CycleFileHeader of(Path file) throws IOException {
    ByteBuffer begin = ByteBuffer.allocate(PROBE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      while (begin.hasRemaining() && in.read(begin) >= 0) {}
    } catch (AccessDeniedException e) {
      throw new IOException("permission denied: " + file, e);
    }
    if (begin.position() < Integer.BYTES || begin.getInt(0) == 0 || begin.getInt(0) == HEADERLESS) {
      return NONE;
    }
    boolean isMetadata = begin.getInt(0) >>> 30 == 1;
    String text = new String(begin.array(), 0, begin.position(), StandardCharsets.ISO_8859_1);
    return isMetadata && text.contains("header") ? WHOLE : DAMAGED;
  }
}
