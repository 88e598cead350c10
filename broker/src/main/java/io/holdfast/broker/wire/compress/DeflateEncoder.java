package io.holdfast.broker.wire.compress;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.zip.Deflater;

/**
 * Server to client as raw RFC 1951 deflate, one stream per connection, sync-flushed at each flush
 * (contract §2). Netty's JdkZlibEncoder sends the same bytes, but copies each write to the heap
 * first, ends the stream with a block of its own when the connection is closed, and holds the close
 * back for that: up to ten seconds where a client takes nothing. Not sharable.
 */
public final class DeflateEncoder extends RunEncoder {
  private static final int OUT_BYTES = 16 * 1024;

  private final Deflater deflater;

  /** Whether something was compressed since the last sync flush. */
  private boolean dirty;

  private boolean ended;

  /**
   * @param level 1..9, the effective deflate_level
   */
  public DeflateEncoder(int level) {
    this.deflater = new Deflater(level, true);
  }

  @Override
  ByteBuf compress(ByteBufAllocator alloc, ByteBuf run, boolean last) {
    if (ended) {
      throw new IllegalStateException("deflate stream is closed");
    }
    dirty |= run.isReadable();
    if (!dirty) {
      return Unpooled.EMPTY_BUFFER;
    }
    deflater.setInput(run.nioBuffer());
    int mode = last ? Deflater.SYNC_FLUSH : Deflater.NO_FLUSH;
    ByteBuf out = alloc.buffer(Math.min(OUT_BYTES, run.readableBytes() + 64));
    int room;
    int written;
    do {
      out.ensureWritable(64);
      room = out.writableBytes();
      written = deflater.deflate(out.nioBuffer(out.writerIndex(), room), mode);
      out.writerIndex(out.writerIndex() + written);
      if (written == room) {
        out.ensureWritable(OUT_BYTES);
      }
    } while (written == room);
    dirty = !last;
    return out;
  }

  @Override
  void end() {
    ended = true;
    deflater.end();
  }
}
