package io.holdfast.broker.wire;

import io.holdfast.broker.limits.OutputBudget;
import io.holdfast.broker.queue.DeliverySink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * The frames on their way to one client: gathered in one buffer, so that many small replies or
 * messages are one write. Replies keep the order of the commands also when a publish has to wait
 * for the disk: then later replies wait behind it. Messages and heartbeats need not wait.
 *
 * <p>Owned by the connection's event loop.
 */
public final class ClientOutput implements DeliverySink {
  /** Bytes of messages that one write carries. */
  static final int MESSAGES_BYTES = 64 * 1024;

  private static final byte[] OK = FrameEncoder.ascii("OK");

  /** This many OKs, which all connections send from here. */
  private static final int SHARED_OKS = 64;

  private static final ByteBuf OKS = oks();
  private static final int OK_FRAME_BYTES = OKS.readableBytes() / SHARED_OKS;
  private static final int INITIAL_BYTES = 1024;
  private static final int MAX_PENDING = 4096;

  /** A reply that waits, or waits behind one that waits. */
  private static final class Reply {
    private byte[] data;
    private boolean error;
    private boolean closing;
    private boolean ready;
  }

  private final ChannelHandlerContext ctx;
  private final PendingOutput pending;
  private final ArrayDeque<Reply> replies = new ArrayDeque<>();
  private ByteBuf buffer;

  /** OKs after which nothing else is to be sent yet; in no buffer. */
  private int oks;

  private boolean closing;
  private Runnable onClosing = () -> {};
  private Runnable onFewPending = () -> {};
  private Runnable onWritability = () -> {};

  private static ByteBuf oks() {
    ByteBuf frames = Unpooled.directBuffer();
    for (int i = 0; i < SHARED_OKS; i++) {
      FrameEncoder.response(frames, OK);
    }
    return Unpooled.unreleasableBuffer(frames.asReadOnly());
  }

  /**
   * @param budget what all clients may leave untaken
   */
  public ClientOutput(ChannelHandlerContext ctx, OutputBudget budget) {
    this.ctx = ctx;
    pending = new PendingOutput(ctx, budget, () -> onWritability.run());
  }

  /** Run when {@link #isWritable} or {@link #mayDeliver} changed without the socket saying so. */
  public void onWritability(Runnable action) {
    onWritability = action;
  }

  /** Run instead of a plain close when everything before a fatal error was written. */
  public void onClosing(Runnable action) {
    onClosing = action;
  }

  /** Run when replies that waited for the disk have become few again. */
  public void onFewPending(Runnable action) {
    onFewPending = action;
  }

  @Override
  public int size() {
    return oks * OK_FRAME_BYTES + (buffer == null ? 0 : buffer.writerIndex());
  }

  @Override
  public void message(long timestampNs, int attempts, long id, byte[] body, int start, int length) {
    ByteBuf to = buffer(messageBytes(length));
    FrameEncoder.messageHead(to, timestampNs, attempts, id, length);
    to.writeBytes(body, start, length);
  }

  @Override
  public void message(long timestampNs, int attempts, long id, ByteBuffer body) {
    ByteBuf to = buffer(messageBytes(body.remaining()));
    FrameEncoder.message(to, timestampNs, attempts, id, body);
  }

  /** What a buffer has that begins with such a message: to grow it would be to copy all of it. */
  private int messageBytes(int bodyBytes) {
    int replies = oks * OK_FRAME_BYTES;
    return Math.max(MESSAGES_BYTES, replies + FrameEncoder.MESSAGE_OVERHEAD_BYTES + bodyBytes);
  }

  /** Where frames are written; flushed by {@link #flush}. */
  private ByteBuf buffer(int bytes) {
    if (buffer == null) {
      buffer = ctx.alloc().directBuffer(bytes);
    }
    for (; oks > 0; oks--) {
      FrameEncoder.response(buffer, OK);
    }
    return buffer;
  }

  /** A response, in command order. */
  public void response(byte[] data) {
    reply(data, false, false);
  }

  /** An error, in command order. */
  public void error(byte[] text) {
    reply(text, true, false);
  }

  /** An error, in command order, after which the connection is closed. */
  public void fatal(byte[] text) {
    reply(text, true, true);
  }

  /** Closes once everything before was written. */
  public void closeInOrder() {
    reply(null, false, true);
  }

  private void reply(byte[] data, boolean error, boolean closes) {
    if (replies.isEmpty()) {
      write(data, error, closes);
      return;
    }
    Reply reply = new Reply();
    reply.data = data;
    reply.error = error;
    reply.closing = closes;
    reply.ready = true;
    replies.add(reply);
  }

  private void write(byte[] data, boolean error, boolean closes) {
    if (closing) {
      return;
    }
    if (data != null) {
      ByteBuf to = buffer(INITIAL_BYTES);
      if (error) {
        FrameEncoder.error(to, data);
      } else {
        FrameEncoder.response(to, data);
      }
    }
    if (closes) {
      closing = true;
      flush();
      onClosing.run();
    }
  }

  /** A response that is in no command's place: heartbeats. */
  public void outOfOrder(byte[] data) {
    if (!closing) {
      FrameEncoder.response(buffer(INITIAL_BYTES), data);
    }
  }

  /** The OK of a publish that holds already. */
  public void ok() {
    if (buffer != null || !replies.isEmpty() || oks == SHARED_OKS) {
      response(OK);
    } else if (!closing) {
      oks++;
    }
  }

  /**
   * Keeps the place of a reply that is not known yet.
   *
   * @return to be given to {@link #complete}
   */
  public Object reserve() {
    Reply reply = new Reply();
    replies.add(reply);
    return reply;
  }

  /**
   * Settles a reply, and sends all that waited only for it.
   *
   * @param place from {@link #reserve}
   * @param error a fatal error's text, or null for OK
   */
  public void complete(Object place, byte[] error) {
    Reply settled = (Reply) place;
    settled.ready = true;
    settled.data = error == null ? OK : error;
    settled.error = error != null;
    settled.closing = error != null;
    boolean many = hasManyPending();
    while (!replies.isEmpty() && replies.peek().ready) {
      Reply reply = replies.poll();
      write(reply.data, reply.error, reply.closing);
    }
    flush();
    if (many && !hasManyPending() && !closing) {
      onFewPending.run();
    }
  }

  /** Whether some reply waits for the disk. */
  public boolean hasPending() {
    return !replies.isEmpty();
  }

  /** Whether so many replies wait that no more commands should be read. */
  public boolean hasManyPending() {
    return replies.size() >= MAX_PENDING;
  }

  /** Hands the gathered frames to the socket. */
  public void flush() {
    if (oks > 0) {
      ByteBuf out = OKS.slice(0, oks * OK_FRAME_BYTES);
      oks = 0;
      send(out);
    } else if (buffer != null) {
      ByteBuf out = buffer;
      buffer = null;
      if (out.isReadable()) {
        send(out);
      } else {
        out.release();
      }
    }
  }

  private void send(ByteBuf out) {
    ctx.writeAndFlush(out, ctx.voidPromise());
    pending.flushed();
  }

  /** Whether the client keeps up with its replies, so that more commands may be read. */
  public boolean isWritable() {
    return ctx.channel().isWritable() && pending.mayRead();
  }

  /** Whether the client may be sent messages: it keeps up, and memory for all is not short. */
  public boolean mayDeliver() {
    return ctx.channel().isWritable() && pending.mayDeliver();
  }

  /** Ends the connection after what was flushed. */
  public void close() {
    whenWritten(ctx::close);
  }

  /** Run when the socket has taken what was flushed, or never will. */
  public void whenWritten(Runnable action) {
    ctx.writeAndFlush(ctx.alloc().buffer(0)).addListener(written -> action.run());
  }

  /** Gives back the buffer; nothing is written any more. */
  public void release() {
    closing = true;
    oks = 0;
    pending.release();
    if (buffer != null) {
      buffer.release();
      buffer = null;
    }
  }
}
