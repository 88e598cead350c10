package io.holdfast.broker.limits;

/**
 * What one user has of a {@link MemoryPart}. It keeps a little more than it uses, so that the part,
 * which all users share, is not asked for each message. Not thread-safe.
 */
public final class MemoryShare {
  private static final long MAX_CHUNK_BYTES = 64 * 1024;
  private static final long MIN_CHUNK_BYTES = 1024;

  /** Of the whole part: what many users keep without using it must not be most of it. */
  private static final long CHUNK_PARTS = 4096;

  private final MemoryPart part;
  private final long chunkBytes;
  private long reservedBytes;
  private long usedBytes;

  public MemoryShare(MemoryPart part) {
    this.part = part;
    chunkBytes =
        Math.max(MIN_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, part.limitBytes() / CHUNK_PARTS));
  }

  /** Takes so many bytes, or none and false when the part has fewer left. */
  public boolean tryTake(long bytes) {
    long missing = usedBytes + bytes - reservedBytes;
    if (missing > 0) {
      long wanted = Math.max(missing, chunkBytes);
      if (part.tryReserve(wanted)) {
        reservedBytes += wanted;
      } else if (part.tryReserve(missing)) {
        reservedBytes += missing;
      } else {
        return false;
      }
    }
    usedBytes += bytes;
    return true;
  }

  /** Takes so many bytes also beyond the part's limit. */
  public void take(long bytes) {
    if (!tryTake(bytes)) {
      long missing = usedBytes + bytes - reservedBytes;
      part.reserve(missing);
      reservedBytes += missing;
      usedBytes += bytes;
    }
  }

  /** Gives back so many bytes that were taken. */
  public void give(long bytes) {
    usedBytes -= bytes;
    if (reservedBytes - usedBytes > 2 * chunkBytes) {
      keep(usedBytes + chunkBytes);
    }
  }

  /** Gives back all that was taken. */
  public void giveAll() {
    usedBytes = 0;
    trim();
  }

  /** Keeps no more than is used. */
  public void trim() {
    keep(usedBytes);
  }

  private void keep(long bytes) {
    if (reservedBytes > bytes) {
      part.release(reservedBytes - bytes);
      reservedBytes = bytes;
    }
  }

  /** Bytes taken and not given back. */
  public long usedBytes() {
    return usedBytes;
  }
}
