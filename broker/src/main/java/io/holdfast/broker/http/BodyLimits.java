package io.holdfast.broker.http;

import io.holdfast.broker.http.Router.BodyLimit;
import java.util.function.LongSupplier;

/** Body limits that do not depend on the query. */
final class BodyLimits {
  private BodyLimits() {}

  /**
   * Collects up to a limit, and refuses a longer Content-Length at once.
   *
   * @param maxBytes asked per request: options can change
   */
  static BodyLimit collect(LongSupplier maxBytes, HttpReply tooBig) {
    return new BodyLimit() {
      @Override
      public long declaredMaxBytes(String rawQuery) {
        return maxBytes.getAsLong();
      }

      @Override
      public long collectMaxBytes(String rawQuery, boolean chunked) {
        return maxBytes.getAsLong();
      }

      @Override
      public HttpReply tooBig() {
        return tooBig;
      }
    };
  }
}
