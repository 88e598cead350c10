package io.holdfast.broker.wire;

import io.netty.buffer.ByteBuf;

/**
 * How far the MPUB that arrives has been looked at, so that no size in it is looked at twice
 * (contract §1.4). Offsets are from the body's first byte, that of its size.
 *
 * <p>Owned by the connection's event loop.
 */
final class MpubScan {
  private static final int HEAD_BYTES = 2 * Integer.BYTES;

  private int count;
  private int done;
  private int scanned;

  /** Another MPUB's line was read. */
  void begin() {
    count = -1;
    done = 0;
    scanned = 0;
  }

  /**
   * Goes on with what is there by now.
   *
   * @return 0 when all of it is; else so many bytes are known to belong to it, or -1 while not even
   *     its head is there
   * @throws ClientException for a size that is not allowed
   */
  int scan(ByteBuf in, Commands commands) throws ClientException {
    int start = in.readerIndex();
    int readable = in.readableBytes();
    if (scanned == 0 && readable >= Integer.BYTES) {
      commands.checkBodySize(in.getInt(start));
      scanned = Integer.BYTES;
    }
    if (count < 0) {
      if (readable < HEAD_BYTES) {
        return -1;
      }
      int said = in.getInt(start + Integer.BYTES);
      commands.checkMpubCount(said);
      count = said;
      scanned = HEAD_BYTES;
    }
    while (done < count) {
      if (readable - scanned < Integer.BYTES) {
        return scanned;
      }
      int size = in.getInt(start + scanned);
      commands.checkMpubMessage(done, size, scanned - HEAD_BYTES);
      if (readable - scanned - Integer.BYTES < size) {
        return scanned + Integer.BYTES + size;
      }
      scanned += Integer.BYTES + size;
      done++;
    }
    return 0;
  }

  /** Publishes what has been looked at; as {@link Publisher#publish}. */
  boolean publish(ByteBuf in, Commands commands) throws ClientException {
    return commands.mpub(in, in.readerIndex() + HEAD_BYTES, scanned - HEAD_BYTES, count);
  }

  /** Bytes of it that have been looked at. */
  int scanned() {
    return scanned;
  }

  /** What to say when the input ends within it. */
  ClientException cutShort(int readable, Commands commands) {
    return commands.shortMpub(scanned, count, done, readable);
  }
}
