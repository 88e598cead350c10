package io.holdfast.broker.wire;

import io.holdfast.broker.limits.InputBudget;
import io.holdfast.broker.limits.InputRoom;
import io.holdfast.broker.limits.InputRoom.Claim;
import io.holdfast.broker.net.ReadGate;
import io.holdfast.broker.net.ReadGate.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;

/**
 * Cuts the bytes of a connection into commands (contract §1.1, §1.4) and runs them one after the
 * other by {@link Commands}. When a command has to wait for other threads (a topic to be created),
 * nothing more is read or run until it is done, so that commands keep their order.
 *
 * <p>Bodies are never copied here: a publish hands on a slice of what came from the socket.
 *
 * <p>Owned by the connection's event loop.
 */
public final class ProtocolV2Decoder extends ChannelInboundHandlerAdapter {
  private static final int MAX_LINE_BYTES = 16 * 1024;
  private static final int MAGIC_BYTES = 4;
  private static final int MAGIC_V2 = 0x20205632;
  private static final int FIN_LINE_BYTES = 21;
  private static final int FIN_PREFIX = 0x46494E20;

  private enum State {
    MAGIC,
    LINE,
    BODY,
    MPUB,
    /** Nothing more is read: after a fatal error. */
    DISCARD
  }

  private final Connection connection;
  private Commands commands;
  private ReadGate gate;
  private State state = State.MAGIC;
  private CommandBuffer buffer;
  private boolean processing;
  private boolean dropping;
  private final MpubScan mpub = new MpubScan();
  private final LastLine lastLine = new LastLine();
  private InputRoom room;

  public ProtocolV2Decoder(Connection connection) {
    this.connection = connection;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    room =
        new InputRoom(connection.inputBudget(), ctx.executor(), this::roomGranted, this::expired);
    buffer = new CommandBuffer(ctx);
    if (ctx.channel().isActive()) {
      start(ctx);
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    start(ctx);
  }

  private void start(ChannelHandlerContext ctx) {
    connection.start(ctx, this);
    commands = connection.commands();
    gate = connection.gate();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object msg) {
    ByteBuf in = (ByteBuf) msg;
    if (state == State.DISCARD) {
      in.release();
      return;
    }
    if (!gate.mayRun() && buffer.readableWith(in) > mayHoldBytes()) {
      // Not asked for: when a client ends its direction, all that it sent is read at once.
      in.release();
      connection.tooMuch();
      return;
    }
    buffer.add(in);
    process();
    room.received(buffer.readable());
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    connection.readComplete();
    boolean isGrown = room.isHeld() && state != State.LINE && gate.mayRun();
    if (!isGrown) {
      buffer.trim();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    connection.writabilityChanged();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof ChannelInputShutdownEvent) {
      // Of TLS or a compressed stream, too: what the socket brings from now on is not looked at.
      gate.close(Reason.ENDED);
      if (gate.mayRun()) {
        endOfInput();
        connection.readComplete();
      }
    }
    super.userEventTriggered(ctx, event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    release();
    connection.closed();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    release();
    connection.closed();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    connection.failed(cause);
  }

  private void release() {
    state = State.DISCARD;
    room.release();
    if (!processing) {
      buffer.close();
    }
  }

  /** Loses what has come behind the command that runs now: it was sent too early (contract §2). */
  void dropBuffered() {
    dropping = true;
  }

  ReadGate gate() {
    return gate;
  }

  private void roomGranted() {
    gate.open(Reason.ROOM);
    resume();
  }

  /** Others wait for the room of the command that is being received. */
  private boolean expired() {
    if (gate.isClosedFor(Reason.COMMAND) || gate.isClosedFor(Reason.REPLIES)) {
      return false;
    }
    connection.tooSlow();
    return true;
  }

  /** Goes on with what has come meanwhile; the command that waited may look at its body again. */
  void resume() {
    process();
    if (gate.isClosedFor(Reason.ENDED) && gate.mayRun()) {
      endOfInput();
    }
    connection.readComplete();
  }

  /** Throws away whatever comes from now on. */
  void discard() {
    release();
  }

  private void process() {
    if (processing || buffer.bytes() == null) {
      return;
    }
    processing = true;
    try {
      boolean more = true;
      while (more && gate.mayRun() && !dropping && state != State.DISCARD) {
        more = tryStep();
      }
    } finally {
      processing = false;
    }
    if (state == State.DISCARD) {
      dropping = false;
      buffer.close();
    } else if (dropping) {
      dropping = false;
      buffer.release();
    } else {
      buffer.discardRead();
    }
  }

  private boolean tryStep() {
    try {
      return step(buffer.bytes());
    } catch (ClientException e) {
      connection.fail(e);
      return true;
    }
  }

  /** One step; false when it needs more bytes. */
  private boolean step(ByteBuf in) throws ClientException {
    return switch (state) {
      case MAGIC -> magic(in);
      case LINE -> line(in);
      case BODY -> body(in);
      case MPUB -> mpub(in);
      case DISCARD -> false;
    };
  }

  private boolean magic(ByteBuf in) {
    if (in.readableBytes() < MAGIC_BYTES) {
      return false;
    }
    int magic = in.readInt();
    if (magic == MAGIC_V2) {
      state = State.LINE;
      return true;
    }
    connection.badMagic(magic);
    return false;
  }

  private boolean line(ByteBuf in) throws ClientException {
    int start = in.readerIndex();
    // Half of all commands of a consumer-heavy broker; recognised without looking for the newline.
    if (in.readableBytes() >= FIN_LINE_BYTES
        && in.getInt(start) == FIN_PREFIX
        && in.getByte(start + FIN_LINE_BYTES - 1) == '\n'
        && commands.finFast(in, start + Integer.BYTES)) {
      in.skipBytes(FIN_LINE_BYTES);
      return true;
    }
    int length = in.bytesBefore(Math.min(in.readableBytes(), MAX_LINE_BYTES), (byte) '\n');
    if (length < 0) {
      if (in.readableBytes() >= MAX_LINE_BYTES) {
        connection.closeSilently();
      } else if (in.readableBytes() > InputBudget.FREE_BYTES) {
        claim(MAX_LINE_BYTES, MAX_LINE_BYTES);
      }
      return false;
    }
    room.release();
    int end = length;
    if (end > 0 && in.getByte(start + end - 1) == '\r') {
      end--;
    }
    String[] words = lastLine.words(in, start, end);
    in.skipBytes(length + 1);
    switch (commands.line(words)) {
      case NONE -> buffer.done(length);
      case BODY -> state = State.BODY;
      case MPUB -> {
        state = State.MPUB;
        mpub.begin();
      }
    }
    return true;
  }

  private boolean body(ByteBuf in) throws ClientException {
    if (in.readableBytes() < Integer.BYTES) {
      return false;
    }
    int start = in.readerIndex();
    int size = in.getInt(start);
    commands.checkBodySize(size);
    int bytes = Integer.BYTES + size;
    if (in.readableBytes() < bytes) {
      receive(bytes, bytes);
      return false;
    }
    if (!commands.body(in, start, size)) {
      // It looks at the same bytes again, once what it waits for is there: maybe it is by now.
      return gate.mayRun();
    }
    end(in, bytes);
    return true;
  }

  /** Sees to it that the rest of a command has room, by the broker's leave and in the buffer. */
  private void receive(int bytes, int atMost) throws ClientException {
    if (bytes > InputBudget.FREE_BYTES && claim(bytes, atMost)) {
      buffer.receive(bytes);
    }
  }

  /**
   * Claims room for a command.
   *
   * @param bytes it is known to have so far
   * @param atMost it can have; claimed at once if it has already turned out larger than it said
   * @return false when the connection has to wait; it is not read from then
   * @throws ClientException when too many wait, or there is no more for what was larger than it
   *     said
   */
  private boolean claim(int bytes, int atMost) throws ClientException {
    if (room.isWaiting() || charge(bytes) <= room.claimedBytes()) {
      return !room.isWaiting();
    }
    if (room.isHeld()) {
      if (!room.claimMore(charge(Math.max(bytes, atMost)))) {
        throw commands.noRoom(state != State.LINE);
      }
      return true;
    }
    Claim claim = room.claim(charge(bytes));
    if (claim == Claim.REFUSED) {
      throw commands.noRoom(state != State.LINE);
    }
    if (claim == Claim.WAITING) {
      gate.close(Reason.ROOM);
    }
    return claim == Claim.GRANTED;
  }

  /** What is charged for a command of so many bytes. */
  private static long charge(long bytes) {
    return bytes + Math.min(bytes, CommandBuffer.SLACK_BYTES);
  }

  /** What may be held: what was granted, and otherwise what few reads bring. */
  private long mayHoldBytes() {
    return (room.isWaiting() ? 0 : room.claimedBytes()) + 2 * CommandBuffer.SLACK_BYTES;
  }

  private boolean mpub(ByteBuf in) throws ClientException {
    int bytes = mpub.scan(in, commands);
    if (bytes != 0) {
      if (bytes > 0) {
        // By what it said of its size, and by what came since.
        int said = Integer.BYTES + in.getInt(in.readerIndex());
        receive(Math.max(said, bytes), commands.maxMpubBytes());
      }
      return false;
    }
    if (!mpub.publish(in, commands)) {
      return gate.mayRun();
    }
    end(in, mpub.scanned());
    return true;
  }

  /** A command is done whose body had so many bytes. */
  private void end(ByteBuf in, int bytes) {
    room.release();
    buffer.done(bytes);
    state = State.LINE;
    in.skipBytes(bytes);
  }

  /** The client will send no more: what is half there is an error, the rest is answered. */
  private void endOfInput() {
    try {
      switch (state) {
        case BODY -> throw commands.shortBody(buffer.readable() < Integer.BYTES);
        case MPUB -> throw mpub.cutShort(buffer.readable(), commands);
        case MAGIC, LINE -> connection.endOfInput();
        case DISCARD -> connection.discarded();
      }
    } catch (ClientException e) {
      connection.fail(e);
    }
    release();
  }
}
