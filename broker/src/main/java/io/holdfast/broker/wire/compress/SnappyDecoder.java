package io.holdfast.broker.wire.compress;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.net.ReadGate;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.compression.DecompressionException;
import io.netty.handler.codec.compression.Snappy;
import java.util.ArrayDeque;

/**
 * Client to server in the snappy framing format (contract §2). A corrupt stream is a {@link
 * DecompressionException} in the pipeline. Not sharable.
 *
 * <p>Netty's frame decoder is right on the wire but would collect 16 MiB for a chunk that announces
 * as much; here no more is kept than the worst case of one honest chunk, and what need not be
 * looked at is skipped as it arrives. Checksums are always verified.
 */
public final class SnappyDecoder extends PacedDecoder {
  private final Snappy snappy = new Snappy();

  /** Bytes of the chunk that is not complete yet; null if there are none. */
  private ByteBuf chunk;

  /** Of a skippable chunk, bytes still to come. */
  private int skip;

  private boolean started;

  /**
   * @param gate closed while this or the connection itself wants no input
   * @param memory pays for what comes all the same
   */
  public SnappyDecoder(ReadGate gate, ConnectionMemory memory) {
    super(gate, memory);
  }

  @Override
  ByteBuf nextPiece(ChannelHandlerContext ctx, ArrayDeque<ByteBuf> in)
      throws DecompressionException {
    while (!in.isEmpty()) {
      ByteBuf head = in.peek();
      if (skip > 0) {
        int skipped = Math.min(skip, head.readableBytes());
        head.skipBytes(skipped);
        skip -= skipped;
      } else if (fill(ctx, head, SnappyFraming.HEADER_BYTES)) {
        int type = chunk.getUnsignedByte(0);
        int length = chunk.getUnsignedMediumLE(1);
        checkHeader(type, length);
        if (type >= SnappyFraming.FIRST_SKIPPABLE && type != SnappyFraming.IDENTIFIER) {
          skip = length;
          dropChunk();
        } else if (fill(ctx, head, SnappyFraming.HEADER_BYTES + length)) {
          ByteBuf piece = decodeChunk(ctx, type);
          if (!head.isReadable()) {
            consumed(in);
          }
          if (piece != null) {
            return piece;
          }
          continue;
        }
      }
      if (!head.isReadable()) {
        consumed(in);
      }
    }
    return null;
  }

  /** Moves bytes from {@code head} until the chunk has {@code size}; false if it has not yet. */
  private boolean fill(ChannelHandlerContext ctx, ByteBuf head, int size) {
    if (chunk == null) {
      chunk = ctx.alloc().buffer(SnappyFraming.HEADER_BYTES);
    }
    int missing = size - chunk.readableBytes();
    if (missing > 0) {
      chunk.writeBytes(head, Math.min(missing, head.readableBytes()));
    }
    return chunk.readableBytes() >= size;
  }

  private void checkHeader(int type, int length) {
    if (!started && type != SnappyFraming.IDENTIFIER) {
      throw new DecompressionException("snappy stream does not start with its identifier");
    }
    int min = SnappyFraming.CHECKSUM_BYTES;
    int max;
    if (type == SnappyFraming.IDENTIFIER) {
      min = SnappyFraming.STREAM_IDENTIFIER.length - SnappyFraming.HEADER_BYTES;
      max = min;
    } else if (type == SnappyFraming.COMPRESSED) {
      min++; // A compressed block has at least its length.
      max = SnappyFraming.MAX_COMPRESSED_CHUNK_BYTES;
    } else if (type == SnappyFraming.UNCOMPRESSED) {
      max = SnappyFraming.CHECKSUM_BYTES + SnappyFraming.MAX_BLOCK_BYTES;
    } else if (type >= SnappyFraming.FIRST_SKIPPABLE) {
      return;
    } else {
      throw new DecompressionException("snappy chunk type " + type + " must not be skipped");
    }
    if (length < min || length > max) {
      throw new DecompressionException("snappy chunk type " + type + " has length " + length);
    }
  }

  /** The data of the chunk now complete; null for the identifier or an empty chunk. */
  private ByteBuf decodeChunk(ChannelHandlerContext ctx, int type) {
    ByteBuf data = null;
    try {
      if (type == SnappyFraming.IDENTIFIER) {
        if (!chunk.equals(Unpooled.wrappedBuffer(SnappyFraming.STREAM_IDENTIFIER))) {
          throw new DecompressionException("snappy stream identifier is wrong");
        }
        started = true;
        return null;
      }
      chunk.skipBytes(SnappyFraming.HEADER_BYTES);
      int checksum = chunk.readIntLE();
      data =
          type == SnappyFraming.COMPRESSED
              ? decompress(ctx)
              : chunk.readRetainedSlice(chunk.readableBytes());
      if (SnappyFraming.maskedChecksum(data) != checksum) {
        throw new DecompressionException("snappy chunk has a wrong checksum");
      }
      ByteBuf result = data.isReadable() ? data : null;
      if (result != null) {
        data = null;
      }
      return result;
    } finally {
      if (data != null) {
        data.release();
      }
      dropChunk();
    }
  }

  private ByteBuf decompress(ChannelHandlerContext ctx) {
    int length = snappyLength(chunk);
    if (length > SnappyFraming.MAX_BLOCK_BYTES) {
      throw new DecompressionException("snappy block of " + length + " bytes is too big");
    }
    // The maximum makes a block that lies about its length fail.
    ByteBuf data = ctx.alloc().buffer(length, Math.max(length, 1));
    boolean good = false;
    try {
      snappy.reset();
      snappy.decode(chunk, data);
      if (data.readableBytes() != length || chunk.isReadable()) {
        throw new DecompressionException("snappy block is not of the length it announces");
      }
      good = true;
      return data;
    } catch (IndexOutOfBoundsException e) {
      throw new DecompressionException("corrupt snappy block", e);
    } finally {
      if (!good) {
        data.release();
      }
    }
  }

  /** The varint at the head of a block, without moving over it. */
  private static int snappyLength(ByteBuf block) {
    long length = 0;
    for (int i = 0; i < Math.min(5, block.readableBytes()); i++) {
      int b = block.getByte(block.readerIndex() + i);
      length |= (long) (b & 0x7f) << (7 * i);
      if (b >= 0) {
        return (int) Math.min(length, Integer.MAX_VALUE);
      }
    }
    throw new DecompressionException("snappy block has no valid length");
  }

  private void dropChunk() {
    if (chunk != null) {
      chunk.release();
      chunk = null;
    }
  }

  @Override
  boolean hasPending() {
    return false;
  }

  @Override
  boolean isEndOfStream() {
    return false;
  }

  @Override
  void end() {
    dropChunk();
  }
}
