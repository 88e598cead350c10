package io.holdfast.storage.log;

import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import net.openhft.chronicle.bytes.BytesStore;

/**
 * A piece of a file in memory of its reader's own, big-endian: small at first, larger while the
 * file is read in order, as large as a record has to be. The memory is given back at once, not when
 * the garbage collector comes by, and is no part of the JVM's limit for direct memory, as mapped
 * files were none.
 *
 * <p>One thread at a time (its reader's).
 */
final class Window {
  private static final int FIRST_BYTES = 8 << 10;

  /** 300 messages of 200 bytes cost one call of 10 us. */
  private static final int LARGE_BYTES = 64 << 10;

  private BytesStore<?, ?> memory;
  private ByteBuffer view = ByteBuffer.allocate(0);
  private ByteBuffer bodies = view;
  private long start;
  private int filled;
  private int ahead = FIRST_BYTES;

  /**
   * Brings a piece of a file into {@link #view}.
   *
   * @param bytes that are needed
   * @param limit file offset up to which more may be read ahead
   * @return where in the view the piece begins; -1 when the file ends before its end
   */
  int load(ReadFile file, long offset, int bytes, long limit) throws IOException {
    if (offset >= start && offset + bytes <= start + filled) {
      return (int) (offset - start);
    }
    // In order, or anywhere?
    boolean goesOn = filled > 0 && offset >= start && offset <= start + filled;
    ahead = goesOn ? Math.min(LARGE_BYTES, 2 * ahead) : FIRST_BYTES;
    int wanted = (int) Math.max(bytes, Math.min(ahead, limit - offset));
    filled = 0;
    makeRoom(wanted);
    start = offset;
    view.limit(wanted);
    try {
      file.read(view, offset);
      filled = view.position();
    } finally {
      view.clear();
    }
    return bytes <= filled ? 0 : -1;
  }

  private void makeRoom(int bytes) {
    int capacity = view.capacity();
    if (capacity < bytes || (capacity > LARGE_BYTES && bytes <= LARGE_BYTES)) {
      free();
      int step = bytes <= LARGE_BYTES ? Integer.highestOneBit(2 * bytes - 1) : bytes;
      memory = BytesStore.nativeStoreWithFixedCapacity(Math.max(step, FIRST_BYTES));
      view = memory.toTemporaryDirectByteBuffer();
      bodies = view.duplicate();
    }
  }

  /** What was loaded last begins at 0; valid until the next load. */
  ByteBuffer view() {
    return view;
  }

  /** The same for {@link MessageView}, whose users are free to move position and limit. */
  ByteBuffer bodies() {
    return bodies;
  }

  /** Bytes from a place in the view to the end of what was read. */
  int available(int at) {
    return filled - at;
  }

  /** The next load reads again. */
  void forget() {
    filled = 0;
    start = 0;
  }

  /** Gives the memory back; the next load takes some again. */
  void free() {
    forget();
    if (memory != null) {
      memory.releaseLast();
      memory = null;
      view = ByteBuffer.allocate(0);
      bodies = view;
    }
  }
}
