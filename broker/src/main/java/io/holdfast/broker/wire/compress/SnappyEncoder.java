package io.holdfast.broker.wire.compress;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.compression.Snappy;

/**
 * Server to client in the snappy framing format (contract §2). Netty's own frame encoder makes a
 * chunk of each write, and a compressed one also where that is larger; here all small writes up to
 * a flush share chunks, and what does not get smaller goes as it is. Not sharable.
 */
public final class SnappyEncoder extends RunEncoder {
  /** Below this many bytes a block is not worth compressing. */
  private static final int MIN_COMPRESSIBLE_BYTES = 18;

  private final Snappy snappy = Snappy.withHashTableReuse();
  private boolean started;

  @Override
  ByteBuf compress(ByteBufAllocator alloc, ByteBuf run, boolean last) {
    int length = run.readableBytes();
    if (length == 0) {
      return Unpooled.EMPTY_BUFFER;
    }
    ByteBuf out = alloc.buffer(length + length / 6 + 64);
    if (!started) {
      started = true;
      out.writeBytes(SnappyFraming.STREAM_IDENTIFIER);
    }
    int header = out.writerIndex();
    out.writeInt(0);
    out.writeIntLE(SnappyFraming.maskedChecksum(run));
    int data = out.writerIndex();
    int type = SnappyFraming.UNCOMPRESSED;
    if (length >= MIN_COMPRESSIBLE_BYTES) {
      // A slice, because Netty's encode takes positions and lengths to count from index 0.
      snappy.encode(run.slice(), out, length);
      type = SnappyFraming.COMPRESSED;
    }
    // As the reference does: what saves less than an eighth is not worth the peer's work.
    if (type == SnappyFraming.UNCOMPRESSED || out.writerIndex() - data >= length - length / 8) {
      type = SnappyFraming.UNCOMPRESSED;
      out.writerIndex(data);
      out.writeBytes(run, run.readerIndex(), length);
    }
    out.setByte(header, type);
    out.setMediumLE(header + 1, out.writerIndex() - header - SnappyFraming.HEADER_BYTES);
    return out;
  }

  @Override
  void end() {
    // Nothing outside the heap.
  }
}
