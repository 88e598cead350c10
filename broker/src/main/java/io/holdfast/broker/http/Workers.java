package io.holdfast.broker.http;

import io.holdfast.broker.queue.SharedLogException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs blocking handlers off the event loop and sees to it that each gets an answer. Thread-safe.
 */
final class Workers {
  private static final Logger LOG = LoggerFactory.getLogger(Workers.class);

  private final Executor executor;

  /**
   * @param executor bounded; may reject when full or closed
   */
  Workers(Executor executor) {
    this.executor = executor;
  }

  /** Makes a route's handler of one that blocks, or has much to say. */
  RequestHandler blocking(RequestHandler.Blocking handler) {
    return (request, reply) ->
        run(request, () -> Gzip.ifLarge(request, handler.handle(request)), reply);
  }

  /**
   * Runs {@code job} on a worker and passes its answer on.
   *
   * @param request only for the log
   * @throws HttpError 503 if there is no worker: the broker is stopping or overloaded
   */
  void run(ApiRequest request, Job job, Consumer<HttpReply> reply) throws HttpError {
    try {
      executor.execute(() -> reply.accept(answer(request, job)));
    } catch (RejectedExecutionException e) {
      throw refused(request);
    }
  }

  /**
   * As {@link #run}, for work that passes its answer on itself, perhaps after it has returned. If
   * it throws there is an answer for that.
   */
  void runLater(ApiRequest request, LaterJob job, Consumer<HttpReply> reply) throws HttpError {
    try {
      executor.execute(() -> runHere(request, job, reply));
    } catch (RejectedExecutionException e) {
      throw refused(request);
    }
  }

  /** As {@link #runLater}, on the thread that calls. */
  static void runHere(ApiRequest request, LaterJob job, Consumer<HttpReply> reply) {
    HttpReply failure =
        answer(
            request,
            () -> {
              job.run();
              return null;
            });
    if (failure != null) {
      reply.accept(failure);
    }
  }

  private static HttpError refused(ApiRequest request) {
    LOG.warn("HTTP {} {} refused: no worker free", request.method(), request.path());
    return HttpError.exiting();
  }

  private static HttpReply answer(ApiRequest request, Job job) {
    try {
      return job.run();
    } catch (HttpError e) {
      return HttpReply.error(e);
    } catch (SharedLogException e) {
      return HttpReply.error(HttpError.failed(e));
    } catch (Exception | LinkageError | StackOverflowError e) {
      LOG.error("HTTP {} {} failed", request.method(), request.path(), e);
      return HttpReply.error(500, "INTERNAL_ERROR");
    }
  }

  /** Work that ends in an answer. */
  interface Job {
    /** Returns the answer; see {@link RequestHandler.Blocking}. */
    HttpReply run() throws Exception;
  }

  /** Work that passes its answer on. */
  interface LaterJob {
    /** See {@link RequestHandler.Blocking}. */
    void run() throws Exception;
  }
}
