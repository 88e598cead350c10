package io.holdfast.broker.http;

import io.holdfast.broker.http.Router.BodyLimit;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishLimits;
import io.holdfast.broker.queue.PublishListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * /pub and /mpub. Publishing to a topic that exists stays on the event loop; creating one goes to a
 * worker. Stateless.
 */
final class PubHandler {
  private static final Logger LOG = LoggerFactory.getLogger(PubHandler.class);

  private static final Map<String, Boolean> BOOLEANS =
      Map.of("true", true, "1", true, "false", false, "0", false);

  private final Limits limits;
  private final Topics topics;
  private final LongConsumer publishNs;

  /**
   * The options that bound a publish.
   *
   * @param maxMsgSize bytes
   * @param maxBodySize bytes
   * @param maxReqTimeoutMs longest deferral
   */
  record Limits(LongSupplier maxMsgSize, LongSupplier maxBodySize, LongSupplier maxReqTimeoutMs) {}

  /** Where to publish. */
  interface Topics {
    /** Returns the topic, null if there is none; does not block. */
    Target existing(String name);

    /** The topic, created if need be; completed by a worker. Does not block. */
    CompletableFuture<Target> getOrCreate(String name);
  }

  /** A topic to publish to. */
  interface Target {
    /**
     * As {@link io.holdfast.broker.queue.Topic#putMessages}; the caller keeps its reference to the
     * section.
     */
    boolean putMessages(ByteBuf section, int count, long deferMs, PublishListener listener)
        throws BrokerException;
  }

  /**
   * @param publishNs told how many ns each publish took that was answered OK
   */
  PubHandler(Limits limits, Topics topics, LongConsumer publishNs) {
    this.limits = limits;
    this.topics = topics;
    this.publishNs = publishNs;
  }

  /** Returns what /pub takes as body. */
  BodyLimit pubBodyLimit() {
    return BodyLimits.collect(limits.maxMsgSize(), HttpReply.error(413, "MSG_TOO_BIG"));
  }

  /** Returns what /mpub takes as body. */
  BodyLimit mpubBodyLimit() {
    HttpReply tooBig = HttpReply.error(413, "BODY_TOO_BIG");
    BodyLimit text = BodyLimits.collect(limits.maxBodySize(), tooBig);
    BodyLimit binaryChunked =
        BodyLimits.collect(
            // nsqd bounds a chunked one by count and size only, which comes to a terabyte.
            () -> Math.max(limits.maxBodySize().getAsLong(), PublishLimits.MIN_CHUNKED_BYTES),
            tooBig);
    return new BodyLimit() {
      @Override
      public long declaredMaxBytes(String rawQuery) {
        return text.declaredMaxBytes(rawQuery);
      }

      @Override
      public long collectMaxBytes(String rawQuery, boolean chunked) {
        boolean large = chunked && isBinary(rawQuery);
        return (large ? binaryChunked : text).collectMaxBytes(rawQuery, chunked);
      }

      @Override
      public HttpReply tooBig() {
        return tooBig;
      }
    };
  }

  /** POST /pub. */
  void pub(ApiRequest request, Consumer<HttpReply> reply) throws HttpError {
    if (request.bodyTooBig()) {
      throw HttpError.tooLarge("MSG_TOO_BIG");
    }
    ByteBuf body = request.body();
    if (!body.isReadable()) {
      throw HttpError.badRequest("MSG_EMPTY");
    }
    QueryParams params = request.params();
    withTopic(
        request,
        params,
        (target, answer) -> {
          long deferMs = deferMs(params);
          int size = body.readableBytes();
          int start = body.readerIndex() - ApiRequest.BODY_HEADROOM_BYTES;
          body.setInt(start, size).readerIndex(start);
          publish(target, body, 1, deferMs, answer);
        },
        reply);
  }

  /** POST /mpub. */
  void mpub(ApiRequest request, Consumer<HttpReply> reply) throws HttpError {
    QueryParams params = request.params();
    boolean binary = isBinary(params);
    withTopic(
        request,
        params,
        (target, answer) -> {
          long maxMsgSize = limits.maxMsgSize().getAsLong();
          long maxBodySize = limits.maxBodySize().getAsLong();
          ByteBuf body = request.body();
          MpubBody messages =
              binary
                  ? MpubBody.ofBinary(body, request.bodyTooBig(), maxMsgSize, maxBodySize)
                  : MpubBody.ofText(body, PooledByteBufAllocator.DEFAULT, maxMsgSize, maxBodySize);
          try {
            if (messages.count() == 0) {
              answer.accept(HttpReply.text("OK"));
            } else {
              publish(target, messages.section(), messages.count(), 0, answer);
            }
          } finally {
            messages.section().release();
          }
        },
        reply);
  }

  private interface Publish {
    void to(Target target, Consumer<HttpReply> reply) throws HttpError;
  }

  /**
   * Finds or makes the topic, which comes before the message is looked at (contract §4, Creation).
   */
  private void withTopic(
      ApiRequest request, QueryParams params, Publish publish, Consumer<HttpReply> reply)
      throws HttpError {
    String name = AdminHandler.requireTopicName(params);
    Target target = topics.existing(name);
    if (target != null) {
      publish.to(target, reply);
      return;
    }
    topics
        .getOrCreate(name)
        .whenComplete(
            (created, failure) ->
                Workers.runHere(
                    request,
                    () -> {
                      if (failure != null) {
                        BrokerException e = BrokerException.of(failure);
                        LOG.debug("HTTP {} {}: {}", request.path(), name, e.getMessage());
                        throw HttpError.failed(e);
                      }
                      publish.to(created, reply);
                    },
                    reply));
  }

  private void publish(
      Target target, ByteBuf section, int count, long deferMs, Consumer<HttpReply> reply)
      throws HttpError {
    long startNs = System.nanoTime();
    PublishListener listener =
        new PublishListener() {
          @Override
          public void onDurable() {
            publishNs.accept(System.nanoTime() - startNs);
            reply.accept(HttpReply.text("OK"));
          }

          @Override
          public void onFailed(String error) {
            LOG.debug("HTTP publish failed: {}", error);
            reply.accept(HttpReply.error(HttpError.exiting()));
          }

          @Override
          public void onRefused(String error) {
            reply.accept(HttpReply.error(503, error));
          }

          @Override
          public void onUnknown(String error) {
            reply.accept(HttpReply.error(503, error));
          }
        };
    boolean durable;
    try {
      durable = target.putMessages(section, count, deferMs, listener);
    } catch (BrokerException e) {
      LOG.debug("HTTP publish failed: {}", e.getMessage());
      throw HttpError.failed(e);
    }
    if (durable) {
      listener.onDurable();
    }
  }

  private long deferMs(QueryParams params) throws HttpError {
    String defer = params.get("defer");
    if (defer == null) {
      return 0;
    }
    if (!defer.matches("[+-]?[0-9]+")) {
      throw HttpError.badRequest("INVALID_DEFER");
    }
    long deferMs;
    try {
      deferMs = Long.parseLong(defer);
    } catch (NumberFormatException e) { // beyond 64 bits
      throw HttpError.badRequest("INVALID_DEFER");
    }
    if (deferMs < 0 || deferMs > limits.maxReqTimeoutMs().getAsLong()) {
      throw HttpError.badRequest("INVALID_DEFER");
    }
    return deferMs;
  }

  private static boolean isBinary(String rawQuery) {
    try {
      return isBinary(QueryParams.parse(rawQuery));
    } catch (HttpError e) {
      return false; // the handler will answer it
    }
  }

  private static boolean isBinary(QueryParams params) {
    String binary = params.get("binary");
    return binary != null && BOOLEANS.getOrDefault(binary, true);
  }
}
