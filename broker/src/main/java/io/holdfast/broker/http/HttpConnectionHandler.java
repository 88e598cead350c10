package io.holdfast.broker.http;

import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.net.Addresses;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one HTTP connection: passes what was decoded to a {@link RequestReader}, and nothing
 * more until the {@link Responder} has answered. Expects auto-read to be off, so that what it does
 * not ask for stays in the socket; pipelined requests are answered in order. All fields belong to
 * the connection's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close that fails ends in channelInactive
final class HttpConnectionHandler extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(HttpConnectionHandler.class);

  /**
   * What may wait to be looked at while nothing is asked for: twice what one read brings. When a
   * client ends its direction, all that it sent is read at once.
   */
  private static final int MAX_PENDING = 2048;

  private static final long MAX_PENDING_BYTES = 128 * 1024;

  private final Router router;
  private final Budgets budgets;
  private final RequestPace pace;
  private final ReadSize readSize;
  private final IntSupplier tlsRequiredPort;

  /** Decoded but not yet looked at: at most what one read from the socket held. */
  private final Queue<Object> pending = new ArrayDeque<>();

  /** Of bodies, since all was looked at. */
  private long pendingBytes;

  private ChannelHandlerContext ctx;
  private Responder responder;
  private RequestReader reader;

  /** The client sends no more: what it asked for is answered, then the connection is closed. */
  private boolean inputShutdown;

  private boolean drainAndClose;
  private boolean processing;

  /**
   * @param tlsRequiredPort null, or for a plain listener that must refuse every request: the port
   *     of HTTPS
   */
  HttpConnectionHandler(
      Router router,
      Budgets budgets,
      RequestPace pace,
      ReadSize readSize,
      IntSupplier tlsRequiredPort) {
    this.router = router;
    this.budgets = budgets;
    this.pace = pace;
    this.readSize = readSize;
    this.tlsRequiredPort = tlsRequiredPort;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    ctx = context;
    responder = new Responder(ctx, this, pace, budgets.output());
    reader =
        new RequestReader(
            ctx, router, tlsRequiredPort, budgets.input(), pace, responder, this::goOn);
  }

  /** Closes as soon as no answer is due: at once, or when the running request is answered. */
  void closeWhenIdle() {
    drainAndClose = true;
    if (!responder.isAnswering()) {
      ctx.close();
    }
  }

  /** Whether {@link #closeWhenIdle} was called. */
  boolean isToBeClosed() {
    return drainAndClose;
  }

  /** Whether an answer is due. */
  boolean isAnswering() {
    return responder.isAnswering();
  }

  /** Whether nothing of the client is unread. */
  boolean isInputOver() {
    return reader.isEnded() || inputShutdown;
  }

  /** There is an answer to the request: nothing more of it is needed. */
  void answerGiven() {
    reader.release();
  }

  /** The answer is written. */
  void answered() {
    reader.next();
    goOn();
  }

  private void goOn() {
    processPending();
    if (!processing) {
      readIfReady();
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    ctx.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!isReading()) {
      pendingBytes += message instanceof HttpContent part ? part.content().readableBytes() : 0;
      if (pending.size() >= MAX_PENDING || pendingBytes > MAX_PENDING_BYTES) {
        ReferenceCountUtil.release(message);
        LOG.debug("HTTP client {} sends too much ahead", client());
        ctx.close();
        return;
      }
    }
    pending.add(message);
    processPending();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    readIfReady();
  }

  /** A loop, not a recursion by way of the answers: one read may hold thousands of requests. */
  private void processPending() {
    if (processing) {
      return;
    }
    processing = true;
    try {
      while (isReading() && !pending.isEmpty()) {
        Object message = pending.poll();
        try {
          process(message);
        } finally {
          ReferenceCountUtil.release(message);
        }
      }
      if (pending.isEmpty()) {
        pendingBytes = 0;
      }
    } finally {
      processing = false;
    }
  }

  /** While an answer is due, the next requests wait in the socket. */
  private void readIfReady() {
    if (inputShutdown) {
      endOfInput();
    } else if (isReading() && pending.isEmpty()) {
      readSize.bodyMissing(reader.missingBytes());
      ctx.read();
    }
  }

  /** What is half there will never be whole; what is being answered, or will be, goes on. */
  private void endOfInput() {
    if (isReading() && pending.isEmpty() && !reader.cutShort()) {
      ctx.close();
    }
  }

  private boolean isReading() {
    return !responder.isAnswering() && !reader.isWaiting();
  }

  private void process(Object message) {
    if (message instanceof HttpRequest request) {
      if (!responder.isClosing()) {
        reader.head(request);
      }
      if (request.decoderResult().isFailure()) {
        return; // it comes as a whole request with nothing in it
      }
    }
    if (message instanceof HttpContent content) {
      if (!responder.isClosing()) {
        reader.content(content);
      } else if (message instanceof LastHttpContent) {
        ctx.close();
      }
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
    if (event instanceof ChannelInputShutdownEvent) {
      inputShutdown = true;
      if (!processing) {
        endOfInput();
      }
    } else {
      super.userEventTriggered(context, event);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) throws Exception {
    reader.release();
    pending.forEach(ReferenceCountUtil::release);
    pending.clear();
    super.channelInactive(context);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    OutOfMemoryExit.check(cause);
    reader.release();
    // What TLS cannot read comes as a DecoderException: the client's doing too.
    if (cause instanceof IOException || cause instanceof DecoderException) {
      LOG.debug("HTTP client {}: {}", client(), cause.toString());
    } else {
      LOG.error("HTTP client {}: connection closed", client(), cause);
    }
    ctx.close();
  }

  private String client() {
    return Addresses.text(ctx.channel().remoteAddress());
  }
}
