package io.holdfast.broker.http;

import java.util.function.Consumer;

/** What a route does. */
interface RequestHandler {
  /**
   * Answers a request. Called on the connection's event loop and must not block.
   *
   * @param reply takes the answer, exactly once, now or later, from any thread
   * @throws HttpError to answer with an error; then {@code reply} must not be used
   */
  void handle(ApiRequest request, Consumer<HttpReply> reply) throws HttpError;

  /** A handler that answers at once. */
  interface Immediate {
    /** Answers a request without blocking. */
    HttpReply handle(ApiRequest request) throws HttpError;
  }

  /** A handler that waits for disks, locks or peers. */
  interface Blocking {
    /**
     * Answers a request, on a worker.
     *
     * @throws Exception any but {@link HttpError} is logged and answered as 500
     */
    HttpReply handle(ApiRequest request) throws Exception;
  }

  /** Makes a route's handler of one that answers at once. */
  static RequestHandler immediate(Immediate handler) {
    return (request, reply) -> reply.accept(handler.handle(request));
  }
}
