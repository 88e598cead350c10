package io.holdfast.broker.http;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * Makes Netty's response of an {@link HttpReply}: the headers of contract §5, always a
 * Content-Length.
 */
final class HttpReplyEncoder {
  private static final AsciiString NSQ_HEADER = AsciiString.cached("X-Nsq-Content-Type");
  private static final AsciiString NSQ_VALUE = AsciiString.cached("nsq; version=1.0");

  /** RFC 9110; the JDK's RFC 1123 format has days of one digit. */
  private static final DateTimeFormatter DATE_FORMAT =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  /** The Date header of one second. */
  private record DateText(long second, String text) {}

  /** Written by any event loop; who comes second writes the same. */
  private static volatile DateText dateText = new DateText(-1, "");

  private HttpReplyEncoder() {}

  /**
   * Encodes an answer.
   *
   * @param request what is answered: its version and wish to keep the connection matter
   * @param keepAlive whether the connection goes on
   */
  static FullHttpResponse encode(HttpReply reply, HttpRequest request, boolean keepAlive) {
    // The version of what could not be decoded is Netty's invention.
    boolean http10 =
        request.protocolVersion().equals(HttpVersion.HTTP_1_0)
            && request.decoderResult().isSuccess();
    FullHttpResponse response =
        new DefaultFullHttpResponse(
            http10 ? HttpVersion.HTTP_1_0 : HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(reply.status()),
            Unpooled.wrappedBuffer(reply.body()));
    HttpHeaders headers = response.headers();
    reply.headers().forEach(headers::set);
    if (reply.contentType() != null) {
      headers.set(HttpHeaderNames.CONTENT_TYPE, reply.contentType());
    }
    if (reply.nsqHeader()) {
      headers.set(NSQ_HEADER, NSQ_VALUE);
    }
    headers.set(HttpHeaderNames.DATE, date());
    headers.setInt(HttpHeaderNames.CONTENT_LENGTH, reply.body().length);
    if (!keepAlive) {
      headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    } else if (http10) {
      headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
    }
    return response;
  }

  private static String date() {
    long nowMs = System.currentTimeMillis();
    DateText cached = dateText;
    if (cached.second() != nowMs / 1000) {
      cached = new DateText(nowMs / 1000, DATE_FORMAT.format(Instant.ofEpochMilli(nowMs)));
      dateText = cached;
    }
    return cached.text();
  }
}
