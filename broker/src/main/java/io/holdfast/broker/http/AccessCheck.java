package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAsk;
import io.holdfast.broker.access.RequestGuard;
import io.holdfast.broker.limits.SeldomLog;
import io.holdfast.broker.net.Addresses;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.ssl.SslHandler;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks {@link RequestGuard} about each request, and answers for it. Thread-safe. */
final class AccessCheck {
  private static final Logger LOG = LoggerFactory.getLogger(AccessCheck.class);

  private final RequestGuard guard;
  private final SeldomLog refused = new SeldomLog();

  AccessCheck(RequestGuard guard) {
    this.guard = guard;
  }

  /** The answer to a request that is refused, null for one that may go on. */
  HttpReply refusalOrNull(ChannelHandlerContext ctx, HttpRequest request, RequestTarget target) {
    HttpHeaders headers = request.headers();
    List<String> hosts = headers.getAll(HttpHeaderNames.HOST);
    if (!target.authority().isEmpty()) {
      hosts = new ArrayList<>(hosts);
      hosts.add(target.authority());
    }
    String reason =
        guard.refusalOrNull(
            new HttpAsk(
                request.method().name(),
                target.path(),
                ctx.pipeline().get(SslHandler.class) == null ? "http" : "https",
                hosts,
                headers.getAll(HttpHeaderNames.ORIGIN),
                headers.getAll("Sec-Fetch-Site"),
                headers.contains("X-Forwarded-For") || headers.contains("Forwarded"),
                ctx.channel().remoteAddress()));
    if (reason == null) {
      return null;
    }
    if (refused.isDue()) {
      LOG.warn(
          "HTTP: refused {} {} of {}: {}; others like it are not logged for a minute",
          request.method(),
          target.path(),
          Addresses.text(ctx.channel().remoteAddress()),
          reason);
    }
    return HttpReply.error(403, "FORBIDDEN");
  }
}
