package io.holdfast.broker.http;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.TooLongHttpHeaderException;

/**
 * Headers of a request, of limited number: each takes far more memory than the four bytes that are
 * enough to send one. One more than allowed counts as headers that are too long. Not thread-safe.
 */
final class BoundedHttpHeaders extends DefaultHttpHeaders {
  static final int MAX_HEADERS = 128;

  static final HttpHeadersFactory FACTORY =
      new HttpHeadersFactory() {
        @Override
        public HttpHeaders newHeaders() {
          return new BoundedHttpHeaders();
        }

        @Override
        public HttpHeaders newEmptyHeaders() {
          return new BoundedHttpHeaders();
        }
      };

  private int added;

  @Override
  public HttpHeaders add(String name, Object value) {
    count();
    return super.add(name, value);
  }

  @Override
  public HttpHeaders add(CharSequence name, Object value) {
    count();
    return super.add(name, value);
  }

  private void count() {
    if (added++ >= MAX_HEADERS) {
      throw new TooLongHttpHeaderException("more than " + MAX_HEADERS + " headers");
    }
  }
}
