package io.holdfast.broker.auth;

import io.holdfast.broker.access.PasswordCheck;
import io.holdfast.broker.access.PasswordCheck.Outcome;
import io.holdfast.broker.access.Users;
import io.holdfast.broker.access.Users.User;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The broker's own answer to AUTH, by a users file (auth-users-file): a secret is {@code
 * name:password} or a token. Whom the file does not know may be known to an auth server.
 */
public final class UsersAuthority extends Authority {
  /** So soon a change of the file is noticed; looking costs next to nothing. */
  private static final long TTL_NS = 1_000_000_000L;

  private final Supplier<Users<Authorizations>> users;
  private final PasswordCheck passwords;
  private final Authority next;

  /**
   * @param users the file's, as they are now
   * @param next asked about whom the file does not know; null for nobody
   * @param nanoClock monotonic
   */
  public UsersAuthority(
      Supplier<Users<Authorizations>> users,
      PasswordCheck passwords,
      Authority next,
      LongSupplier nanoClock) {
    super(nanoClock);
    this.users = users;
    this.passwords = passwords;
    this.next = next;
  }

  @Override
  CompletableFuture<AuthState> query(AuthRequest request) {
    byte[] secret = request.secret();
    Users<Authorizations> now = users.get();
    User<Authorizations> holder = now.holding(secret);
    if (holder != null) {
      return CompletableFuture.completedFuture(state(holder));
    }
    int colon = colon(secret);
    String name = new String(secret, 0, Math.max(0, colon), StandardCharsets.UTF_8);
    User<Authorizations> user = now.named(name);
    if (user == null && next != null) {
      return next.query(request);
    }
    CompletableFuture<AuthState> answer = new CompletableFuture<>();
    if (colon < 0) {
      passwords.wrongToken(request.remoteIp(), outcome -> refuse(answer, outcome));
      return answer;
    }
    byte[] password = Arrays.copyOfRange(secret, colon + 1, secret.length);
    passwords.check(
        user,
        name,
        password,
        request.remoteIp(),
        outcome -> {
          if (outcome == Outcome.RIGHT) {
            answer.complete(state(user));
          } else {
            refuse(answer, outcome);
          }
        });
    return answer;
  }

  private static int colon(byte[] secret) {
    for (int i = 0; i < secret.length; i++) {
      if (secret[i] == ':') {
        return i;
      }
    }
    return -1;
  }

  private static void refuse(CompletableFuture<AuthState> answer, Outcome outcome) {
    answer.completeExceptionally(
        new AuthException(
            outcome == Outcome.TOO_MANY
                ? "too many log-ins of this address wait"
                : "wrong name, password or token"));
  }

  @Override
  AuthState renewNow(AuthState before) {
    if (before.user() == null) {
      return null;
    }
    User<Authorizations> now = users.get().named(before.user().name());
    return now != null && now.hasSecretOf(before.user()) ? state(now) : null;
  }

  private AuthState state(User<Authorizations> user) {
    return AuthState.of(user, nowNs() + TTL_NS);
  }
}
