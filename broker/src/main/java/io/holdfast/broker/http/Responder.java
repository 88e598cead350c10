package io.holdfast.broker.http;

import io.holdfast.broker.limits.OutputBudget;
import io.holdfast.broker.net.Addresses;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has one request at a time answered and writes the answer; then the connection goes on, or is
 * closed in such a way that the client reads the answer. All fields belong to the connection's
 * event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a close or write that fails ends in channelInactive
final class Responder {
  private static final Logger LOG = LoggerFactory.getLogger(Responder.class);

  private final ChannelHandlerContext ctx;
  private final HttpConnectionHandler connection;
  private final RequestPace pace;
  private final ReplyRoom room;
  private HttpRequest head;
  private long startNs;

  /** A handler is at work, or its answer is being written. */
  private boolean answering;

  /** The last answer is written; input is dropped until the client closes. */
  private boolean closing;

  private boolean keepAlive;

  /**
   * @param connection told when an answer is given and written
   */
  Responder(
      ChannelHandlerContext ctx,
      HttpConnectionHandler connection,
      RequestPace pace,
      OutputBudget output) {
    this.ctx = ctx;
    this.connection = connection;
    this.pace = pace;
    room = new ReplyRoom(output);
  }

  /** A request has begun: what comes next is the answer to it. */
  void begin(HttpRequest request) {
    head = request;
    startNs = System.nanoTime();
    keepAlive = HttpUtil.isKeepAlive(request);
  }

  boolean isAnswering() {
    return answering;
  }

  boolean isClosing() {
    return closing;
  }

  /** The connection is closed after this answer. */
  void closeAfterwards() {
    keepAlive = false;
  }

  /** Has a route's handler answer. The request's body is released with its answer. */
  void dispatch(RequestHandler handler, ApiRequest request) {
    answering = true;
    pace.requestRead();
    Consumer<HttpReply> sink = sink(request);
    try {
      handler.handle(request, sink);
    } catch (HttpError e) {
      sink.accept(HttpReply.error(e));
    } catch (RuntimeException e) {
      LOG.error("HTTP {} {} failed", request.method(), request.path(), e);
      sink.accept(HttpReply.error(500, "INTERNAL_ERROR"));
    }
  }

  /** Takes a handler's one answer from any thread; further ones are dropped. */
  private Consumer<HttpReply> sink(ApiRequest request) {
    AtomicBoolean given = new AtomicBoolean();
    return reply -> {
      if (!given.compareAndSet(false, true)) {
        return;
      }
      if (request.body() != null) {
        request.body().release();
      }
      if (ctx.executor().inEventLoop()) {
        answer(reply);
      } else {
        try {
          ctx.executor().execute(() -> answer(reply));
        } catch (RejectedExecutionException e) {
          // The broker stops and has closed the connection; what was asked for is done.
          LOG.debug("no connection left for the answer to {}", request.path(), e);
        }
      }
    };
  }

  void answerAndClose(HttpReply reply) {
    keepAlive = false;
    answer(reply);
  }

  void answer(HttpReply reply) {
    connection.answerGiven();
    logRequest(reply);
    answering = true;
    pace.requestRead();
    pace.answering();
    keepAlive &= !connection.isToBeClosed();
    ctx.writeAndFlush(HttpReplyEncoder.encode(room.admit(reply), head, keepAlive))
        .addListener(this::written);
  }

  private void written(Future<? super Void> write) {
    room.release();
    if (!write.isSuccess()) {
      LOG.debug(
          "HTTP answer to {} not written",
          Addresses.text(ctx.channel().remoteAddress()),
          write.cause());
      ctx.close();
    } else if (keepAlive && !connection.isToBeClosed()) {
      answering = false;
      pace.answered();
      connection.answered();
    } else if (connection.isInputOver()) {
      ctx.close();
    } else {
      // Closing while input is unread would reset the connection and take the answer from the
      // client.
      answering = false;
      closing = true;
      pace.requestRead();
      LingeringClose.start(ctx);
      connection.answered();
    }
  }

  private void logRequest(HttpReply reply) {
    if (LOG.isDebugEnabled()) {
      LOG.debug(
          "{} {} {} {}us",
          reply.status(),
          head.method(),
          head.uri(),
          (System.nanoTime() - startNs) / 1000);
    }
  }
}
