package io.holdfast.broker.cluster.peers;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/** Cuts bytes into {@link PeerFrame}s. Owned by the connection's event loop. */
final class PeerFrameDecoder extends ByteToMessageDecoder {
  /** No name or list of names is longer; a stranger makes nobody hold more. */
  static final int MAX_HANDSHAKE_BYTES = 64 * 1024;

  private int maxBytes = MAX_HANDSHAKE_BYTES;

  /** From the next frame on. */
  void maxBytes(int bytes) {
    maxBytes = bytes;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
      throws BadFrameException {
    if (in.readableBytes() < PeerFrame.LENGTH_BYTES) {
      return;
    }
    int length = in.getInt(in.readerIndex());
    if (length < PeerFrame.HEAD_BYTES || length > maxBytes) {
      in.skipBytes(in.readableBytes());
      throw new BadFrameException("a frame of " + length + " bytes, at most " + maxBytes);
    }
    if (in.readableBytes() < PeerFrame.LENGTH_BYTES + length) {
      return;
    }
    in.skipBytes(PeerFrame.LENGTH_BYTES);
    PeerFrame.Kind kind = PeerFrame.kind(in.readUnsignedByte());
    int type = in.readUnsignedByte();
    int id = in.readInt();
    out.add(new PeerFrame(kind, type, id, in.readRetainedSlice(length - PeerFrame.HEAD_BYTES)));
  }

  /** The other side does not speak as a node does; the message says how. */
  static final class BadFrameException extends Exception {
    BadFrameException(String message) {
      super(message, null, false, false);
    }
  }
}
