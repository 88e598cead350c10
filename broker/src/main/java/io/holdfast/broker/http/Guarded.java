package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.HttpAccess.Decision;
import io.holdfast.broker.access.HttpAccess.Shown;
import io.holdfast.broker.access.Role;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Audit.Change;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.cookie.Cookie;
import io.netty.handler.codec.http.cookie.ServerCookieDecoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands before the handlers: who may not is answered here, whatever the topic, and what changes
 * something goes into the audit trail. Stateless.
 */
final class Guarded {
  private static final Logger LOG = LoggerFactory.getLogger(Guarded.class);
  private static final String CONFIG = "/config/";
  private static final String POLICY = "/policy";
  private static final int MAX_VALUE_BYTES = 1024;

  private final HttpAccess access;
  private final Audit audit;

  Guarded(HttpAccess access, Audit audit) {
    this.access = access;
    this.audit = audit;
  }

  /** The handler for who has the right, with everybody else answered. */
  RequestHandler handler(Right right, RequestHandler handler) {
    if (right == Right.OPEN) {
      return handler;
    }
    return (request, reply) -> {
      if (access.isOpen()) {
        allowed(right, by(right, HttpAccess.ANONYMOUS, Role.ADMIN, request), handler, reply);
      } else {
        access.decide(
            right,
            shown(request),
            decision -> onLoop(request, () -> decided(right, decision, handler, request, reply)));
      }
    };
  }

  /** What a request shows of who sends it. */
  static Shown shown(ApiRequest request) {
    return new Shown(
        request.header(HttpHeaderNames.AUTHORIZATION), session(request), request.peer().address());
  }

  /** The session's token, null for none. */
  static String session(ApiRequest request) {
    for (String header : request.headers().getAll(HttpHeaderNames.COOKIE)) {
      for (Cookie cookie : ServerCookieDecoder.LAX.decode(header)) {
        if (cookie.name().equals(HttpAccess.COOKIE)) {
          return cookie.value();
        }
      }
    }
    return null;
  }

  private static void onLoop(ApiRequest request, Runnable task) {
    try {
      request.peer().loop().execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("no event loop left to answer {}: the broker stops", request.path(), e);
    }
  }

  private void decided(
      Right right,
      Decision decision,
      RequestHandler handler,
      ApiRequest request,
      Consumer<HttpReply> reply) {
    try {
      switch (decision.verdict()) {
        case ALLOWED ->
            allowed(right, by(right, decision.user(), decision.role(), request), handler, reply);
        case FORBIDDEN ->
            refused(right, decision, request, HttpReply.error(403, "FORBIDDEN"), reply);
        case TOO_MANY -> reply.accept(HttpReply.error(429, "TOO_MANY_REQUESTS"));
        case UNAUTHORIZED ->
            refused(
                right,
                decision,
                request,
                isPage(request)
                    ? HttpReply.redirect(303, "/login", false)
                    : HttpReply.unauthorized(),
                reply);
      }
    } catch (HttpError e) {
      reply.accept(HttpReply.error(e));
    } catch (RuntimeException e) {
      LOG.error("HTTP {} {} failed", request.method(), request.path(), e);
      reply.accept(HttpReply.error(500, "INTERNAL_ERROR"));
    }
  }

  /** Puts into the audit trail what was refused for how it came, whoever asked for it. */
  void foreign(Router.Route route, ApiRequest request) {
    if (route.right() != Right.PUBLISH && !request.method().equals("GET")) {
      String session = session(request);
      String user = session == null ? null : access.sessionUser(session);
      audit.refused(
          change(
              Caller.here(user == null ? HttpAccess.ANONYMOUS : user, Role.NONE, request),
              request));
    }
  }

  private void refused(
      Right right,
      Decision decision,
      ApiRequest request,
      HttpReply answer,
      Consumer<HttpReply> reply) {
    if (isChange(right, request)) {
      audit.refused(change(Caller.here(decision.user(), decision.role(), request), request));
    }
    reply.accept(answer);
  }

  /** Nobody asks whose a publish is. */
  private static ApiRequest by(Right right, String user, Role role, ApiRequest request) {
    return right == Right.PUBLISH ? request : request.by(Caller.here(user, role, request));
  }

  /** Has a request handled whose caller may ask for it; a change goes into the audit trail. */
  void allowed(Right right, ApiRequest request, RequestHandler handler, Consumer<HttpReply> reply)
      throws HttpError {
    if (!isChange(right, request)) {
      handler.handle(request, reply);
      return;
    }
    Change change = change(request.caller(), request);
    try {
      handler.handle(
          request,
          answer -> {
            if (answer.status() < 400) {
              audit.ok(change);
            } else {
              audit.failed(change, answer.code());
            }
            reply.accept(answer);
          });
    } catch (HttpError e) {
      audit.failed(change, e.getMessage());
      throw e;
    }
  }

  private static boolean isChange(Right right, ApiRequest request) {
    return right == Right.ADMIN && !request.method().equals("GET");
  }

  private static boolean isPage(ApiRequest request) {
    return request.method().equals("GET") && Accepts.html(request);
  }

  private static Change change(Caller caller, ApiRequest request) {
    Change change = change(caller.user(), caller.remote(), request);
    return caller.node() == null ? change : change.at(caller.node(), caller.role());
  }

  private static Change change(String user, String remote, ApiRequest request) {
    if (request.path().startsWith(CONFIG)) {
      return new Change(user, remote, "config.set", null, null, request.pathParam(), body(request));
    }
    String topic = null;
    String channel = null;
    try {
      QueryParams params = QueryParams.parse(request.rawQuery()); // whatever the route knows
      topic = params.get("topic");
      channel = params.get("channel");
    } catch (HttpError e) {
      LOG.debug("{}: no topic for the audit trail", request.path(), e);
    }
    String action = request.path().substring(1).replace('/', '.');
    String value = request.path().endsWith(POLICY) ? body(request) : null;
    return new Change(user, remote, action, topic, channel, null, value);
  }

  private static String body(ApiRequest request) {
    if (request.body() == null) {
      return null; // refused before it was read
    }
    int bytes = Math.min(MAX_VALUE_BYTES, request.body().readableBytes());
    return request.body().toString(request.body().readerIndex(), bytes, StandardCharsets.UTF_8);
  }
}
