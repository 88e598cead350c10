package io.holdfast.broker.http;

import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.limits.InputBudget;
import io.holdfast.broker.limits.InputRoom;
import io.holdfast.broker.net.Addresses;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one request at a time of a head and the parts of its body, and hands it to the {@link
 * Responder}; or, where the head is enough to refuse it, the answer. All fields belong to the
 * connection's event loop.
 *
 * <pre>
 *   HEAD --> ROOM --room--> BODY --end--> DONE
 *     |                                    ^
 *     +--answered already--> DROP --end----+
 * </pre>
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close or write that fails ends in channelInactive
final class RequestReader {
  private static final Logger LOG = LoggerFactory.getLogger(RequestReader.class);

  /**
   * A refused request's body up to this size is read, so that the connection can go on. As Go does
   * it.
   */
  static final long MAX_DROPPED_BYTES = 256 * 1024;

  /** Claimed at first for a body of unknown length. */
  private static final long CHUNKED_BYTES = 64 * 1024;

  private enum State {
    /** Between requests. */
    HEAD,
    /** Reading nothing: other connections' bodies take all the room there is. */
    ROOM,
    /** Reading a body for a route, which may want none of it. */
    BODY,
    /** Reading a body nobody wants; {@link #reply} is the answer. */
    DROP,
    /** The responder has it. */
    DONE
  }

  private final ChannelHandlerContext ctx;
  private final Router router;
  private final IntSupplier tlsRequiredPort;
  private final RequestPace pace;
  private final Responder responder;

  /** For {@link #body}. */
  private final InputRoom room;

  private State state = State.HEAD;
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

  private long droppedBytes;
  private boolean ended;

  /**
   * @param tlsRequiredPort null, or for a plain listener that must refuse every request: the port
   *     of HTTPS
   * @param onRoom run when a body that waited for room may be read
   */
  RequestReader(
      ChannelHandlerContext ctx,
      Router router,
      IntSupplier tlsRequiredPort,
      InputBudget input,
      RequestPace pace,
      Responder responder,
      Runnable onRoom) {
    this.ctx = ctx;
    this.router = router;
    this.tlsRequiredPort = tlsRequiredPort;
    this.pace = pace;
    this.responder = responder;
    room =
        new InputRoom(
            input,
            ctx.executor(),
            () -> {
              collectBody();
              onRoom.run();
            },
            this::expired);
  }

  /** Whether nothing is to be read until there is room. */
  boolean isWaiting() {
    return state == State.ROOM;
  }

  /** Whether the request came to its end. */
  boolean isEnded() {
    return ended;
  }

  /** Bytes still to come of a body of known length, else 0. */
  long missingBytes() {
    return state == State.BODY && body != null && !isChunked ? bodyBytes - body.readableBytes() : 0;
  }

  /** Another request may come. */
  void next() {
    state = State.HEAD;
  }

  /**
   * The client sends no more: what is half there will never be whole.
   *
   * @return false when there is nothing half there
   */
  boolean cutShort() {
    if (state != State.BODY && state != State.DROP) {
      return false;
    }
    answerAndClose(state == State.DROP ? reply : HttpReply.error(500, "INTERNAL_ERROR"));
    return true;
  }

  /** Gives back body and room. */
  void release() {
    room.release();
    if (body != null) {
      body.release();
      body = null;
    }
  }

  // ---------------------------------------------------------------- head

  void head(HttpRequest request) {
    head = request;
    ended = false;
    droppedBytes = 0;
    responder.begin(request);
    target = request.decoderResult().isFailure() ? null : RequestTarget.parseOrNull(request.uri());
    String malformed = MalformedRequest.reasonOrNull(request, target);
    if (malformed != null) {
      refuse(malformed);
      return;
    }
    match =
        tlsRequiredPort != null
            ? router.refuse(ctx, request, target, HttpReply.tlsRequired(tlsRequiredPort.getAsInt()))
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
    if (reply == null) {
      claimRoom(declaredBytes);
    } else if (HttpUtil.is100ContinueExpected(request) || declaredBytes > MAX_DROPPED_BYTES) {
      // The client may have sent nothing yet or have too much to send: no use waiting for it.
      answerAndClose(reply);
    } else {
      state = State.DROP;
    }
  }

  /** Goes on when there is room for the body, or for the beginning of one of unknown length. */
  private void claimRoom(long declaredBytes) {
    isChunked = declaredBytes < 0;
    long bytes = isChunked ? Math.min(collectMaxBytes + 1, CHUNKED_BYTES) : declaredBytes;
    boolean isBodyless = isChunked && !HttpUtil.isTransferEncodingChunked(head);
    if (collectMaxBytes < 0 || isBodyless) {
      bytes = 0;
    }
    bodyBytes = (int) bytes;
    switch (room.claim(bytes)) {
      case GRANTED -> collectBody();
      case WAITING -> {
        state = State.ROOM;
        pace.requestRead();
      }
      case REFUSED -> {
        LOG.debug("HTTP {} refused: too many large bodies are being received", target.path());
        answerAndClose(HttpReply.error(HttpError.exiting()));
      }
    }
  }

  /** Others wait for room: a body that does not come is given up. */
  private boolean expired() {
    if (state != State.BODY) {
      return false;
    }
    LOG.debug("HTTP client {} is too slow: closed", Addresses.text(ctx.channel().remoteAddress()));
    ctx.close();
    return true;
  }

  private void collectBody() {
    state = State.BODY;
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
  private void refuse(String reason) {
    answerAndClose(HttpReply.plainText(Integer.parseInt(reason.substring(0, 3)), reason));
  }

  private void answerAndClose(HttpReply answer) {
    state = State.DONE;
    responder.answerAndClose(answer);
  }

  // ---------------------------------------------------------------- body

  void content(HttpContent content) {
    if (content.decoderResult().isFailure() && (state == State.BODY || state == State.DROP)) {
      refuse("400 Bad Request");
      return;
    }
    boolean last = content instanceof LastHttpContent;
    ended |= last;
    switch (state) {
      case BODY -> collect(content.content(), last);
      case DROP -> drop(content.content(), last);
      case HEAD, ROOM, DONE -> {
        // The rest of a request that was answered from its head.
      }
    }
  }

  private void drop(ByteBuf content, boolean last) {
    droppedBytes += content.readableBytes();
    if (last) {
      state = State.DONE;
      responder.answer(reply);
    } else if (droppedBytes > MAX_DROPPED_BYTES) {
      answerAndClose(reply);
    }
  }

  private void collect(ByteBuf content, boolean last) {
    boolean tooBig = false;
    if (body != null) {
      // One byte beyond the limit tells the handler that there was more.
      long roomBytes = collectMaxBytes + 1 - body.readableBytes();
      int bytes = (int) Math.min(content.readableBytes(), roomBytes);
      if (body.readableBytes() + bytes > bodyBytes && !growBody()) {
        LOG.debug("HTTP {} refused: no room for the rest of its body", target.path());
        answerAndClose(HttpReply.error(HttpError.exiting()));
        return;
      }
      body.writeBytes(content, bytes);
      room.received(body.readableBytes());
      tooBig = body.readableBytes() > collectMaxBytes;
      droppedBytes += content.readableBytes();
    }
    if (last) {
      dispatch(tooBig);
    } else if (droppedBytes > MAX_DROPPED_BYTES) {
      responder.closeAfterwards();
      dispatch(tooBig);
    }
  }

  /** Room for a body as large as is allowed; false when there is none now. */
  private boolean growBody() {
    if (!isChunked) {
      return true; // what the decoder takes for the announced length
    }
    if (!room.claimMore(collectMaxBytes + 1)) {
      return false;
    }
    bodyBytes = (int) collectMaxBytes + 1;
    body.capacity(ApiRequest.BODY_HEADROOM_BYTES + bodyBytes);
    return true;
  }

  private void dispatch(boolean tooBig) {
    state = State.DONE;
    ApiRequest request =
        new ApiRequest(
            head.method().name(),
            target.path(),
            match.pathParam(),
            match.route().parameters(),
            target.rawQuery(),
            body,
            tooBig,
            head.headers(),
            Peer.of(ctx));
    body = null; // released with the answer
    responder.dispatch(match.route().handler(), request);
  }
}
