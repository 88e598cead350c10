package io.holdfast.broker.http;

import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.SeldomLog;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes memory for the heads of a connection's requests, before they are decoded: a request line
 * and headers far beyond the usual size are let in only while connections have memory left.
 * Decoding keeps buffers of the largest head, so what was taken once stays taken. Owned by the
 * connection's event loop.
 */
final class HeadMemory extends ChannelInboundHandlerAdapter {
  /** A head up to this size is within what every connection has, bytes. */
  private static final int FREE_BYTES = 2 * 1024;

  /** What is decoded takes this times what came. */
  private static final int DECODED_FACTOR = 4;

  private static final Logger LOG = LoggerFactory.getLogger(HeadMemory.class);
  private static final SeldomLog REFUSING = new SeldomLog();

  private final ConnectionMemory memory;
  private final RequestPace pace;
  private int headBytes;
  private int paidBytes = FREE_BYTES;

  /**
   * @param pace knows where requests and bodies begin; stands behind this
   */
  HeadMemory(ConnectionMemory memory, RequestPace pace) {
    this.memory = memory;
    this.pace = pace;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
    if (pace.isBetweenRequests()) {
      headBytes = 0;
    }
    if (!pace.isInBody() && message instanceof ByteBuf bytes) {
      headBytes += headPart(bytes);
      if (headBytes > paidBytes) {
        if (!memory.tryTake((long) DECODED_FACTOR * (headBytes - paidBytes))) {
          ReferenceCountUtil.release(message);
          if (REFUSING.isDue()) {
            LOG.warn(
                "HTTP: no memory left for large requests (memory budget, connections): closed");
          }
          ctx.close();
          return;
        }
        paidBytes = headBytes;
      }
    }
    super.channelRead(ctx, message);
  }

  /** Bytes up to the first empty line. */
  private static int headPart(ByteBuf bytes) {
    int readable = bytes.readableBytes();
    if (readable <= FREE_BYTES) {
      return readable;
    }
    int start = bytes.readerIndex();
    int end = bytes.writerIndex();
    for (int at = start; at < end; at++) {
      at = bytes.indexOf(at, end, (byte) '\n');
      if (at < 0) {
        return readable;
      }
      int next = at + 1 < end && bytes.getByte(at + 1) == '\r' ? at + 2 : at + 1;
      if (next < end && bytes.getByte(next) == '\n') {
        return next + 1 - start;
      }
    }
    return readable;
  }
}
