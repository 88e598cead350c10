package io.holdfast.broker.http;

import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.InputBudget;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.broker.net.Addresses;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP connection: reads a request, has it answered, writes the answer, reads the next. Expects
 * auto-read to be off, so that what it does not ask for stays in the socket; pipelined requests are
 * answered in order. All fields belong to the connection's event loop.
 *
 * <pre>
 *   AWAITING --head--> WAITING --room--> COLLECTING --end--> ANSWERING --reply written--> AWAITING
 *       |                                                        ^            \
 *       +--head answered already--> DROPPING --------------------+             `--not keep-alive--> CLOSING
 * </pre>
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close or write that fails ends in channelInactive
final class HttpConnectionHandler extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(HttpConnectionHandler.class);

  /**
   * A refused request's body up to this size is read, so that the connection can go on. As Go does
   * it.
   */
  static final long MAX_DROPPED_BYTES = 256 * 1024;

  /**
   * What may wait to be looked at while nothing is asked for: twice what one read brings. When a
   * client ends its direction, all that it sent is read at once.
   */
  private static final int MAX_PENDING = 2048;

  private static final long MAX_PENDING_BYTES = 128 * 1024;

  /** Claimed at first for a body of unknown length. */
  private static final long CHUNKED_BYTES = 64 * 1024;

  private enum State {
    /** Between requests. */
    AWAITING,
    /** Reading nothing: other connections' bodies take all the room there is. */
    WAITING,
    /** Reading a body for a route, which may want none of it. */
    COLLECTING,
    /** Reading a body nobody wants; {@link #reply} is the answer. */
    DROPPING,
    /** A handler is at work, or its answer is being written. */
    ANSWERING,
    /** The last answer is written; input is dropped until the client closes. */
    CLOSING
  }

  private final Router router;
  private final HttpLimits limits;
  private final InputBudget input;
  private final ReplyRoom replyRoom;
  private final RequestPace pace;
  private final ReadSize readSize;
  private final IntSupplier tlsRequiredPort;

  /** Decoded but not yet looked at: at most what one read from the socket held. */
  private final Queue<Object> pending = new ArrayDeque<>();

  /** Of bodies, since all was looked at. */
  private long pendingBytes;

  private State state = State.AWAITING;
  private HttpRequest head;
  private RequestTarget target;
  private Router.Match match;
  private HttpReply reply;
  private ByteBuf body;
  private long collectMaxBytes;

  /** What the body has room for. */
  private int bodyBytes;

  /** Whether the body's length is not known. */
  private boolean isChunked;

  /** For {@link #body}. */
  private BodyRoom room;

  private long droppedBytes;
  private boolean keepAlive;
  private boolean inputEnded;

  /** The client sends no more: what it asked for is answered, then the connection is closed. */
  private boolean inputShutdown;

  private boolean drainAndClose;
  private boolean writing;
  private boolean processing;
  private long startNs;
  private long lastActiveNs = System.nanoTime();

  /**
   * @param tlsRequiredPort null, or for a plain listener that must refuse every request: the port
   *     of HTTPS
   */
  HttpConnectionHandler(
      Router router,
      HttpLimits limits,
      Budgets budgets,
      RequestPace pace,
      ReadSize readSize,
      IntSupplier tlsRequiredPort) {
    this.router = router;
    this.limits = limits;
    input = budgets.input();
    replyRoom = new ReplyRoom(budgets.output());
    this.pace = pace;
    this.readSize = readSize;
    this.tlsRequiredPort = tlsRequiredPort;
  }

  /** Closes as soon as no answer is due: at once, or when the running request is answered. */
  void closeWhenIdle(ChannelHandlerContext ctx) {
    drainAndClose = true;
    if (state != State.ANSWERING) {
      ctx.close();
    }
  }

  /** Whether an answer is due. */
  boolean isAnswering() {
    return state == State.ANSWERING;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    room = new BodyRoom(input, () -> roomGranted(ctx), bytes -> mustHave(ctx, bytes));
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    ctx.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    lastActiveNs = System.nanoTime();
    if (!isReading()) {
      pendingBytes += message instanceof HttpContent part ? part.content().readableBytes() : 0;
      if (pending.size() >= MAX_PENDING || pendingBytes > MAX_PENDING_BYTES) {
        ReferenceCountUtil.release(message);
        LOG.debug(
            "HTTP client {} sends too much ahead", Addresses.text(ctx.channel().remoteAddress()));
        ctx.close();
        return;
      }
    }
    pending.add(message);
    processPending(ctx);
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    readIfReady(ctx);
  }

  /** A loop, not a recursion by way of the answers: one read may hold thousands of requests. */
  private void processPending(ChannelHandlerContext ctx) {
    if (processing) {
      return;
    }
    processing = true;
    try {
      while (isReading() && !pending.isEmpty()) {
        Object message = pending.poll();
        try {
          process(ctx, message);
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
  private void readIfReady(ChannelHandlerContext ctx) {
    if (inputShutdown) {
      endOfInput(ctx);
    } else if (isReading() && pending.isEmpty()) {
      long missingBytes =
          state == State.COLLECTING && body != null ? bodyBytes - body.readableBytes() : 0;
      readSize.bodyMissing(isChunked ? 0 : missingBytes);
      ctx.read();
    }
  }

  /** What is half there will never be whole; what is being answered, or will be, goes on. */
  private void endOfInput(ChannelHandlerContext ctx) {
    if (!isReading() || !pending.isEmpty()) {
      return;
    }
    if (state == State.COLLECTING || state == State.DROPPING) {
      answerAndClose(ctx, state == State.DROPPING ? reply : HttpReply.error(500, "INTERNAL_ERROR"));
    } else {
      ctx.close();
    }
  }

  private boolean isReading() {
    return state != State.ANSWERING && state != State.WAITING;
  }

  private void process(ChannelHandlerContext ctx, Object message) {
    boolean undecodable = false;
    if (message instanceof HttpRequest request) {
      undecodable = request.decoderResult().isFailure();
      onHead(ctx, request);
    }
    // What cannot be decoded comes as a whole request with nothing in it.
    if (message instanceof HttpContent content && !undecodable) {
      onContent(ctx, content);
    }
  }

  private void onHead(ChannelHandlerContext ctx, HttpRequest request) {
    if (state != State.AWAITING) {
      return; // CLOSING: nothing is answered any more
    }
    head = request;
    startNs = System.nanoTime();
    inputEnded = false;
    droppedBytes = 0;
    keepAlive = HttpUtil.isKeepAlive(request);
    target = request.decoderResult().isFailure() ? null : RequestTarget.parseOrNull(request.uri());
    String malformed = MalformedRequest.reasonOrNull(request, target);
    if (malformed != null) {
      refuse(ctx, malformed);
      return;
    }
    match =
        tlsRequiredPort != null
            ? new Router.Match(null, null, HttpReply.tlsRequired(tlsRequiredPort.getAsInt()))
            : router.match(ctx, request, target);
    reply = match.reply();
    long declaredBytes = HttpUtil.getContentLength(request, -1L);
    if (reply == null) {
      BodyLimit limit = match.route().bodyLimit();
      if (declaredBytes > limit.declaredMaxBytes(target.rawQuery())) {
        reply = limit.tooBig();
      } else {
        collectMaxBytes =
            limit.collectMaxBytes(target.rawQuery(), HttpUtil.isTransferEncodingChunked(request));
      }
    }
    boolean expectsContinue = HttpUtil.is100ContinueExpected(request);
    if (reply == null) {
      claimRoom(ctx, declaredBytes);
    } else if (expectsContinue || declaredBytes > MAX_DROPPED_BYTES) {
      // The client may have sent nothing yet or have too much to send: no use waiting for it.
      answerAndClose(ctx, reply);
    } else {
      state = State.DROPPING;
    }
  }

  /** Goes on when there is room for the body, or for the beginning of one of unknown length. */
  private void claimRoom(ChannelHandlerContext ctx, long declaredBytes) {
    isChunked = declaredBytes < 0;
    long bytes = isChunked ? Math.min(collectMaxBytes + 1, CHUNKED_BYTES) : declaredBytes;
    boolean isBodyless = isChunked && !HttpUtil.isTransferEncodingChunked(head);
    if (collectMaxBytes < 0 || isBodyless) {
      bytes = 0;
    }
    bodyBytes = (int) bytes;
    switch (room.claim(bytes, ctx.executor())) {
      case GRANTED -> collectBody(ctx);
      case WAITING -> {
        state = State.WAITING;
        pace.requestRead();
      }
      case REFUSED -> {
        LOG.debug("HTTP {} refused: too many large bodies are being received", target.path());
        answerAndClose(ctx, HttpReply.error(HttpError.exiting()));
      }
    }
  }

  private void roomGranted(ChannelHandlerContext ctx) {
    collectBody(ctx);
    processPending(ctx);
    readIfReady(ctx);
  }

  /** Others wait for room: a body that does not come is given up. */
  private void mustHave(ChannelHandlerContext ctx, long bytes) {
    if (state == State.COLLECTING && body != null && body.readableBytes() < bytes) {
      LOG.debug(
          "HTTP client {} is too slow: closed", Addresses.text(ctx.channel().remoteAddress()));
      ctx.close();
    }
  }

  private void collectBody(ChannelHandlerContext ctx) {
    state = State.COLLECTING;
    pace.headRead();
    if (collectMaxBytes >= 0) {
      // As large as it will be: growing takes up to twice that.
      body = ctx.alloc().buffer(ApiRequest.BODY_HEADROOM_BYTES + Math.max(bodyBytes, 256));
      body.setIndex(ApiRequest.BODY_HEADROOM_BYTES, ApiRequest.BODY_HEADROOM_BYTES);
    }
    if (HttpUtil.is100ContinueExpected(head)) {
      ctx.writeAndFlush(
          new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
    }
  }

  /** Answers what is no proper request; where the next one would start is unknown. */
  private void refuse(ChannelHandlerContext ctx, String reason) {
    answerAndClose(ctx, HttpReply.plainText(Integer.parseInt(reason.substring(0, 3)), reason));
  }

  private void onContent(ChannelHandlerContext ctx, HttpContent content) {
    boolean reading = state == State.COLLECTING || state == State.DROPPING;
    if (content.decoderResult().isFailure() && reading) {
      refuse(ctx, "400 Bad Request");
      return;
    }
    boolean last = content instanceof LastHttpContent;
    inputEnded |= last;
    switch (state) {
      case COLLECTING -> collect(ctx, content.content(), last);
      case DROPPING -> {
        droppedBytes += content.content().readableBytes();
        if (last) {
          write(ctx, reply);
        } else if (droppedBytes > MAX_DROPPED_BYTES) {
          answerAndClose(ctx, reply);
        }
      }
      case CLOSING -> {
        if (last) {
          ctx.close();
        }
      }
      case AWAITING, WAITING, ANSWERING -> {
        // The rest of a request that was answered from its head.
      }
    }
  }

  private void collect(ChannelHandlerContext ctx, ByteBuf content, boolean last) {
    boolean tooBig = false;
    if (body != null) {
      // One byte beyond the limit tells the handler that there was more.
      long roomBytes = collectMaxBytes + 1 - body.readableBytes();
      int bytes = (int) Math.min(content.readableBytes(), roomBytes);
      if (body.readableBytes() + bytes > bodyBytes && !growBody(ctx)) {
        LOG.debug("HTTP {} refused: no room for the rest of its body", target.path());
        answerAndClose(ctx, HttpReply.error(HttpError.exiting()));
        return;
      }
      body.writeBytes(content, bytes);
      room.received(body.readableBytes());
      tooBig = body.readableBytes() > collectMaxBytes;
      droppedBytes += content.readableBytes();
    }
    if (last) {
      dispatch(ctx, tooBig);
    } else if (droppedBytes > MAX_DROPPED_BYTES) {
      keepAlive = false;
      dispatch(ctx, tooBig);
    }
  }

  /** Room for a body as large as is allowed; false when there is none now. */
  private boolean growBody(ChannelHandlerContext ctx) {
    if (!isChunked) {
      return true; // what the decoder takes for the announced length
    }
    if (!room.claimMore(collectMaxBytes + 1, ctx.executor())) {
      return false;
    }
    bodyBytes = (int) collectMaxBytes + 1;
    body.capacity(ApiRequest.BODY_HEADROOM_BYTES + bodyBytes);
    return true;
  }

  private void dispatch(ChannelHandlerContext ctx, boolean tooBig) {
    state = State.ANSWERING;
    pace.requestRead();
    String method = head.method().name();
    ApiRequest request =
        new ApiRequest(
            method,
            target.path(),
            match.pathParam(),
            match.route().parameters(),
            target.rawQuery(),
            body,
            tooBig,
            head.headers(),
            Peer.of(ctx));
    Consumer<HttpReply> sink = replySink(ctx, body);
    body = null; // the sink releases it
    try {
      match.route().handler().handle(request, sink);
    } catch (HttpError e) {
      sink.accept(HttpReply.error(e));
    } catch (RuntimeException e) {
      LOG.error("HTTP {} {} failed", method, target.path(), e);
      sink.accept(HttpReply.error(500, "INTERNAL_ERROR"));
    }
  }

  /**
   * Takes a handler's one answer from any thread; further ones are dropped. Releases {@code used}.
   */
  private Consumer<HttpReply> replySink(ChannelHandlerContext ctx, ByteBuf used) {
    AtomicBoolean given = new AtomicBoolean();
    return answer -> {
      if (!given.compareAndSet(false, true)) {
        return;
      }
      if (used != null) {
        used.release();
      }
      if (ctx.executor().inEventLoop()) {
        write(ctx, answer);
      } else {
        try {
          ctx.executor().execute(() -> write(ctx, answer));
        } catch (RejectedExecutionException e) {
          // The broker stops and has closed the connection; what was asked for is done.
          LOG.debug("no connection left for the answer to {}", head.uri(), e);
        }
      }
    };
  }

  private void answerAndClose(ChannelHandlerContext ctx, HttpReply answer) {
    keepAlive = false;
    write(ctx, answer);
  }

  private void write(ChannelHandlerContext ctx, HttpReply answer) {
    releaseBody();
    logRequest(answer);
    state = State.ANSWERING;
    pace.requestRead();
    writing = true;
    keepAlive &= !drainAndClose;
    lastActiveNs = System.nanoTime();
    ctx.writeAndFlush(HttpReplyEncoder.encode(replyRoom.admit(answer), head, keepAlive))
        .addListener(
            future -> {
              writing = false;
              replyRoom.release();
              if (!future.isSuccess()) {
                LOG.debug(
                    "HTTP answer to {} not written",
                    Addresses.text(ctx.channel().remoteAddress()),
                    future.cause());
                ctx.close();
              } else if (keepAlive && !drainAndClose) {
                lastActiveNs = System.nanoTime();
                state = State.AWAITING;
                processPending(ctx);
                if (!processing) {
                  readIfReady(ctx);
                }
              } else {
                closeGently(ctx);
              }
            });
  }

  /**
   * Closing while input is unread would reset the connection and take the answer from the client.
   */
  private void closeGently(ChannelHandlerContext ctx) {
    if (inputEnded || inputShutdown) {
      ctx.close();
    } else {
      state = State.CLOSING;
      LingeringClose.start(ctx);
      processPending(ctx);
      if (!processing) {
        readIfReady(ctx);
      }
    }
  }

  private void logRequest(HttpReply answer) {
    if (!LOG.isDebugEnabled()) {
      return;
    }
    LOG.debug(
        "{} {} {} {}us",
        answer.status(),
        head.method(),
        head.uri(),
        (System.nanoTime() - startNs) / 1000);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof IdleStateEvent) {
      onIdle(ctx);
    } else if (event instanceof ChannelInputShutdownEvent) {
      inputShutdown = true;
      if (!processing) {
        endOfInput(ctx);
      }
    } else {
      super.userEventTriggered(ctx, event);
    }
  }

  private void onIdle(ChannelHandlerContext ctx) {
    boolean close =
        switch (state) {
          case AWAITING ->
              System.nanoTime() - lastActiveNs >= limits.keepAliveTimeoutMs() * 1_000_000;
          case COLLECTING, DROPPING, CLOSING -> true;
          case WAITING -> false;
          // A handler may take its time; a client that does not take its answer may not.
          case ANSWERING -> writing;
        };
    if (close) {
      LOG.debug(
          "HTTP client {} idle while {}: closed",
          Addresses.text(ctx.channel().remoteAddress()),
          state);
      ctx.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) throws Exception {
    releaseBody();
    pending.forEach(ReferenceCountUtil::release);
    pending.clear();
    super.channelInactive(ctx);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    OutOfMemoryExit.check(cause);
    releaseBody();
    // What TLS cannot read comes as a DecoderException: the client's doing too.
    if (cause instanceof IOException || cause instanceof DecoderException) {
      LOG.debug(
          "HTTP client {}: {}", Addresses.text(ctx.channel().remoteAddress()), cause.toString());
    } else {
      LOG.error(
          "HTTP client {}: connection closed",
          Addresses.text(ctx.channel().remoteAddress()),
          cause);
    }
    ctx.close();
  }

  private void releaseBody() {
    room.release();
    if (body != null) {
      body.release();
      body = null;
    }
  }
}
