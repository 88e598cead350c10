package io.holdfast.broker.http;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.HttpAccess.Verdict;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Audit.Change;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** /login and /logout: the console's sessions. Stateless. */
final class LoginHandler {
  static final int MAX_FORM_BYTES = 4096;

  private final HttpAccess access;
  private final Audit audit;

  LoginHandler(HttpAccess access, Audit audit) {
    this.access = access;
    this.audit = audit;
  }

  /** GET /login. */
  HttpReply page(ApiRequest request) {
    return ConsolePage.login(200, "");
  }

  /** POST /login: a form of {@code username} and {@code password}. */
  void login(ApiRequest request, Consumer<HttpReply> reply) throws HttpError {
    if (request.bodyTooBig()) {
      throw HttpError.tooLarge("BODY_TOO_BIG");
    }
    QueryParams form = QueryParams.parse(request.body().toString(StandardCharsets.US_ASCII));
    String name = form.getOrEmpty("username");
    access.beginSession(
        name,
        form.getOrEmpty("password"),
        request.peer().address(),
        (token, verdict) -> {
          Change change = Change.of(name, request.peer().text(), "login");
          if (verdict == Verdict.ALLOWED) {
            audit.ok(change);
            reply.accept(
                HttpReply.redirect(303, "/", false)
                    .with("Set-Cookie", cookie(token, request.peer().isTls())));
          } else {
            audit.refused(change);
            reply.accept(
                verdict == Verdict.TOO_MANY
                    ? HttpReply.error(429, "TOO_MANY_REQUESTS")
                    : ConsolePage.login(401, "Name or password is wrong."));
          }
        });
  }

  /** POST /logout. */
  HttpReply logout(ApiRequest request) {
    String token = Guarded.session(request);
    if (token != null) {
      String user = access.sessionUser(token);
      if (user != null) {
        audit.ok(Change.of(user, request.peer().text(), "logout"));
      }
      access.endSession(token);
    }
    return HttpReply.redirect(303, "/login", false)
        .with("Set-Cookie", cookie("", request.peer().isTls()) + "; Max-Age=0");
  }

  private static String cookie(String token, boolean isTls) {
    return HttpAccess.COOKIE
        + "="
        + token
        + "; Path=/; HttpOnly; SameSite=Strict"
        + (isTls ? "; Secure" : "");
  }
}
