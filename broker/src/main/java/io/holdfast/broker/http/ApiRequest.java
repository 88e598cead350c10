package io.holdfast.broker.http;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.Set;

/**
 * A request whose body is complete, or as complete as its limit allows.
 *
 * @param method upper case
 * @param path decoded, without query
 * @param pathParam value of the route's variable part, null if the route has none
 * @param parameters names that the route knows, null for any
 * @param rawQuery what follows the first {@code ?}, empty if nothing does
 * @param body for routes that collect it, else null. Its {@link #BODY_HEADROOM_BYTES} bytes before
 *     the reader index may be written, so that a single message becomes a section without a copy.
 *     Valid until the reply is given; the connection releases it.
 * @param bodyTooBig whether the body went on beyond the route's limit; then it has at least one
 *     byte more than the limit
 * @param headers as received
 * @param peer who sent it
 * @param caller who asks, once that is known; else null
 */
record ApiRequest(
    String method,
    String path,
    String pathParam,
    Set<String> parameters,
    String rawQuery,
    ByteBuf body,
    boolean bodyTooBig,
    HttpHeaders headers,
    Peer peer,
    Caller caller) {
  /** Room before the body for an int32 length. */
  static final int BODY_HEADROOM_BYTES = 4;

  /** One of which is not known yet who asks. */
  ApiRequest(
      String method,
      String path,
      String pathParam,
      Set<String> parameters,
      String rawQuery,
      ByteBuf body,
      boolean bodyTooBig,
      HttpHeaders headers,
      Peer peer) {
    this(method, path, pathParam, parameters, rawQuery, body, bodyTooBig, headers, peer, null);
  }

  /** The same, of somebody. */
  ApiRequest by(Caller who) {
    return new ApiRequest(
        method, path, pathParam, parameters, rawQuery, body, bodyTooBig, headers, peer, who);
  }

  /** One without headers, of nobody, with any parameters. */
  ApiRequest(
      String method,
      String path,
      String pathParam,
      String rawQuery,
      ByteBuf body,
      boolean bodyTooBig) {
    this(
        method,
        path,
        pathParam,
        null,
        rawQuery,
        body,
        bodyTooBig,
        EmptyHttpHeaders.INSTANCE,
        Peer.NONE);
  }

  /** Returns the first value of a header, null for none. */
  String header(CharSequence name) {
    return headers.get(name);
  }

  /** Returns the parsed query; 400 {@code INVALID_REQUEST} if it cannot be parsed. */
  QueryParams params() throws HttpError {
    return QueryParams.parse(rawQuery, parameters);
  }
}
