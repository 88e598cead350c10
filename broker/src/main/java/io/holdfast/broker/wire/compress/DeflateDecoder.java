package io.holdfast.broker.wire.compress;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.net.ReadGate;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.compression.DecompressionException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Client to server as raw RFC 1951 deflate (contract §2). A corrupt stream is a {@link
 * DecompressionException} in the pipeline; the end of the stream closes the connection. Not
 * sharable.
 */
public final class DeflateDecoder extends PacedDecoder {
  private static final int PIECE_BYTES = 32 * 1024;

  private final Inflater inflater = new Inflater(true);

  /** Whether the last piece was full, so that zlib may hold back more of the same input. */
  private boolean mayHoldBack;

  private boolean ended;

  /**
   * @param gate closed while this or the connection itself wants no input
   * @param memory pays for what comes all the same
   */
  public DeflateDecoder(ReadGate gate, ConnectionMemory memory) {
    super(gate, memory);
  }

  @Override
  ByteBuf nextPiece(ChannelHandlerContext ctx, ArrayDeque<ByteBuf> in)
      throws DecompressionException {
    ByteBuf piece = ctx.alloc().buffer(PIECE_BYTES);
    try {
      while (!isEndOfStream() && (mayHoldBack || !in.isEmpty())) {
        ByteBuf head = in.peek();
        int offered = head == null ? 0 : head.readableBytes();
        // Without input the last buffer must not stay set: it has been released.
        inflater.setInput(head == null ? ByteBuffer.allocate(0) : head.nioBuffer());
        int inflated =
            inflater.inflate(piece.nioBuffer(piece.writerIndex(), piece.writableBytes()));
        piece.writerIndex(piece.writerIndex() + inflated);
        if (head != null) {
          head.skipBytes(offered - inflater.getRemaining());
          if (!head.isReadable()) {
            consumed(in);
          }
        }
        if (inflater.needsDictionary()) {
          throw new DecompressionException("deflate stream needs a preset dictionary");
        }
        mayHoldBack = !piece.isWritable();
        if (mayHoldBack) {
          break;
        }
      }
      if (!piece.isReadable()) {
        return null;
      }
      ByteBuf result = piece;
      piece = null;
      return result;
    } catch (DataFormatException e) {
      throw new DecompressionException("corrupt deflate stream", e);
    } finally {
      if (piece != null) {
        piece.release();
      }
    }
  }

  @Override
  boolean hasPending() {
    return mayHoldBack && !isEndOfStream();
  }

  @Override
  boolean isEndOfStream() {
    return ended || inflater.finished();
  }

  @Override
  void end() {
    ended = true;
    inflater.end();
  }
}
