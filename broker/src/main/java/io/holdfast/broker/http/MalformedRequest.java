package io.holdfast.broker.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What makes a request no proper one. */
final class MalformedRequest {
  private static final Logger LOG = LoggerFactory.getLogger(MalformedRequest.class);

  private MalformedRequest() {}

  /**
   * Returns what is wrong with the request, status first; null if nothing.
   *
   * @param target its target, null if that cannot be read
   */
  static String reasonOrNull(HttpRequest request, RequestTarget target) {
    if (request.decoderResult().isFailure()) {
      Throwable cause = request.decoderResult().cause();
      LOG.debug("HTTP request refused: {}", cause.toString());
      boolean tooLong =
          cause instanceof TooLongHttpLineException || cause instanceof TooLongHttpHeaderException;
      return tooLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
    }
    if (target == null
        || (target.path().equals("*") && !request.method().name().equals("OPTIONS"))) {
      return "400 Bad Request";
    }
    if (request.protocolVersion().majorVersion() > 1) {
      return "505 HTTP Version Not Supported: unsupported protocol version";
    }
    for (String coding : request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING)) {
      if (!coding.strip().equalsIgnoreCase("chunked")) {
        // It would be stored as it came: compressed.
        return "501 Not Implemented: unsupported transfer encoding";
      }
    }
    if (request.headers().getAll(HttpHeaderNames.HOST).size() > 1) {
      return "400 Bad Request: too many Host headers";
    }
    if (request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) >= 0) {
      if (!request.headers().contains(HttpHeaderNames.HOST)) {
        return "400 Bad Request: missing required Host header";
      }
      String expect = request.headers().get(HttpHeaderNames.EXPECT);
      if (expect != null && !HttpUtil.is100ContinueExpected(request)) {
        return "417 Expectation Failed";
      }
    }
    return null;
  }
}
