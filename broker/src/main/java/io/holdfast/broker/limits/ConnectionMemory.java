package io.holdfast.broker.limits;

/**
 * What one connection keeps of the heap because of what its client said or asked for, beyond the
 * little that each connection has. Owned by the connection's event loop.
 */
public final class ConnectionMemory {
  /** What a connection takes that is only there, with the short names that its client gives. */
  public static final long BASE_BYTES = 3584;

  /** What an HTTP connection takes with requests of the usual size. */
  public static final long HTTP_BASE_BYTES = 8 * 1024;

  /** What TLS takes beside, mostly the engine's buffers. */
  public static final long TLS_BYTES = 48 * 1024;

  /** What compression takes beside; its windows are outside the heap. */
  public static final long COMPRESSION_BYTES = 8 * 1024;

  private final MemoryPart part;
  private long bytes;
  private boolean released;

  /**
   * @param part of all connections
   */
  public ConnectionMemory(MemoryPart part) {
    this.part = part;
  }

  /** Takes so many bytes more, or none and false when the connections have used up their part. */
  public boolean tryTake(long more) {
    if (released || !part.tryReserve(more)) {
      return false;
    }
    bytes += more;
    return true;
  }

  /** Takes so many bytes more, also where the connections have used up their part. */
  public void take(long more) {
    if (!released) {
      part.reserve(more);
      bytes += more;
    }
  }

  /** The connection is closed: gives everything back. */
  public void release() {
    if (!released) {
      released = true;
      part.release(bytes);
      bytes = 0;
    }
  }
}
