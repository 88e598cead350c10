package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The file of a log that parts were copied of last. It stays open for the next copy while the log
 * is written: opening a file by its path costs three times what reading a record of it does.
 *
 * <p>Thread-safe.
 */
final class CopiedFile {
  private final LogFiles files;

  /** Whether the log has files open, so that one more will be closed with them. */
  @GuardedBy("this")
  private boolean keeps;

  /** Null when none is. */
  @GuardedBy("this")
  private ReadFile open;

  @GuardedBy("this")
  private int cycle;

  CopiedFile(LogFiles files) {
    this.files = files;
  }

  /** The log opens its files: one may stay open here. */
  synchronized void keep() {
    keeps = true;
  }

  /** The log closes its files: none stays open here. */
  synchronized void close() {
    keeps = false;
    closeOpen();
  }

  /** A file is about to be removed. */
  synchronized void removed(int removedCycle) {
    if (cycle == removedCycle) {
      closeOpen();
    }
  }

  @GuardedBy("this")
  private void closeOpen() {
    if (open != null) {
      files.close(open);
      open = null;
    }
  }

  /** See {@link ExcerptLog#read}. */
  synchronized void read(FilePart part, ByteBuffer to) throws IOException {
    if (open == null || cycle != part.cycle()) {
      closeOpen();
      open = files.open(part.cycle());
      cycle = part.cycle();
    }
    try {
      read(open, part, to);
    } finally {
      if (!keeps) {
        closeOpen();
      }
    }
  }

  private static void read(ReadFile in, FilePart part, ByteBuffer to) throws IOException {
    int bytes = Math.toIntExact(part.bytes());
    int limit = to.limit();
    int end = to.position() + bytes;
    in.read(to.limit(end), part.from());
    to.limit(limit);
    String defect = in.defect(part.from(), bytes);
    if (defect != null || to.position() != end) {
      throw new IOException(
          in.path() + ": " + (defect == null ? "it was cut off by somebody" : defect));
    }
  }
}
