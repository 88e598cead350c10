package io.holdfast.broker.wire;

import io.holdfast.broker.limits.InputBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;

/**
 * What has come from a client and is not run yet, in one buffer. The rest of a large command is
 * read from the socket into it, see {@link CommandReads}.
 *
 * <p>Owned by the connection's event loop.
 */
final class CommandBuffer {
  /** Commands from this size on are read from the socket into their own buffer. */
  static final int LARGE_BYTES = 32 * 1024;

  /** What one read can bring beyond the command, and what buffers are rounded up by. */
  static final int SLACK_BYTES = 64 * 1024;

  /**
   * What is read with the end of a large command: the line of the next one, without which that
   * would take a read of its own, and few bytes to be moved.
   */
  static final int NEXT_BYTES = 512;

  /** A buffer this many times larger than what it holds is exchanged. */
  private static final int SPARSE = 4;

  private final ChannelHandlerContext ctx;

  /** null for nothing. */
  private ByteBuf bytes;

  /** Whether the socket's bytes come here as they are: neither encrypted nor compressed. */
  private boolean plain;

  /** Whether the rest of a large command is read into {@link #bytes}. */
  private boolean receiving;

  /** Whether the command before this one was large. */
  private boolean wasLarge;

  CommandBuffer(ChannelHandlerContext ctx) {
    this.ctx = ctx;
    ctx.channel().config().setRecvByteBufAllocator(new CommandReads(this::next));
  }

  /** Where the next read goes, see {@link CommandReads.Receiver}. */
  private ByteBuf next(ByteBufAllocator alloc) {
    plain = ctx.pipeline().firstContext() == ctx;
    if (!plain) {
      return null;
    }
    if (bytes == null) {
      // Another large one may follow, for which there is no buffer before its line was read.
      return wasLarge ? alloc.ioBuffer(NEXT_BYTES) : null;
    }
    if (!receiving || !bytes.isWritable()) {
      return null;
    }
    bytes.retain();
    return bytes;
  }

  /** How many bytes there are if these are added. */
  int readableWith(ByteBuf in) {
    return isThere(in) ? readable() : readable() + in.readableBytes();
  }

  /** Whether it was read into the buffer itself. */
  @SuppressWarnings("ReferenceEquality") // two buffers of the same content are equal
  private boolean isThere(ByteBuf in) {
    return in == bytes;
  }

  /** Adds what was read, wherever that went. */
  void add(ByteBuf in) {
    if (isThere(in)) {
      in.release();
    } else {
      bytes =
          bytes == null
              ? in
              : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), bytes, in);
    }
  }

  /** The bytes; null for none. They may be in another buffer after {@link #receive}. */
  ByteBuf bytes() {
    return bytes;
  }

  int readable() {
    return bytes == null ? 0 : bytes.readableBytes();
  }

  /**
   * Sees to it that the rest of a command has room: exactly as much as it takes, where growing step
   * by step would take twice that, and where a buffer left from a larger command takes more than
   * was granted.
   *
   * @param size of the command, of which some is missing
   */
  void receive(int size) {
    boolean goesOn = receiving;
    receiving = plain && size >= LARGE_BYTES;
    // An MPUB may turn out larger than it said: no more than some steps for that.
    int sized = size + (receiving && !goesOn ? NEXT_BYTES : Math.min(size, SLACK_BYTES));
    boolean isLarger = bytes.capacity() > SPARSE * (long) sized;
    if (receiving && !goesOn && !isLarger && bytes.capacity() >= sized) {
      // That of the command before, most likely: what has come of this one is moved to its begin.
      bytes.discardReadBytes();
    }
    if (isLarger || bytes.maxCapacity() < sized || bytes.writableBytes() < size - readable()) {
      replace(bytes.alloc().buffer(sized));
    }
  }

  /** A command is done that had so many bytes. */
  void done(int size) {
    receiving = false;
    wasLarge = size >= LARGE_BYTES;
  }

  /** Half a command must not keep the buffer of a large read. */
  void trim() {
    if (bytes == null) {
      return;
    }
    int readable = bytes.readableBytes();
    if (bytes.capacity() > SPARSE * Math.max(readable, InputBudget.FREE_BYTES / SPARSE)) {
      replace(ctx.alloc().buffer(readable));
    }
  }

  private void replace(ByteBuf by) {
    by.writeBytes(bytes, bytes.readerIndex(), bytes.readableBytes());
    bytes.release();
    bytes = by;
  }

  /** Forgets what was read, and gives the buffer back if that was all. */
  void discardRead() {
    if (readable() == 0) {
      release();
    } else {
      bytes.discardSomeReadBytes();
    }
  }

  /** Forgets all; what may come yet is nobody's command. */
  void close() {
    done(0);
    release();
  }

  /** Forgets what is there. */
  void release() {
    if (bytes != null) {
      bytes.release();
      bytes = null;
    }
  }
}
