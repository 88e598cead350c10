package io.holdfast.broker.auth;

import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection's secret and what it allows (contract §1.7).
 *
 * <p>Called from the connection's event loop, one call at a time: the protocol processes no further
 * command until the future of the last is complete. Futures complete on the authority's threads (or
 * are complete already); the protocol goes back to its event loop before acting on them.
 */
public final class AuthSession {
  /** What became of a check, in the terms of the error texts of contract §1.7. */
  public enum Verdict {
    /** Go on. */
    ALLOWED,
    /** {@code E_AUTH_FIRST AUTH required before {CMD}}. */
    AUTH_FIRST,
    /** The TTL had passed and no auth server answered usably: {@code E_AUTH_FAILED AUTH failed}. */
    AUTH_FAILED,
    /** {@code E_UNAUTHORIZED AUTH failed for {CMD} on {q topic} {q channel}}. */
    UNAUTHORIZED
  }

  private static final Logger LOG = LoggerFactory.getLogger(AuthSession.class);

  private final Authority authority;
  private final LongSupplier nanoClock;

  /** Null before a successful AUTH. Written by the executor, read by the event loop. */
  private volatile Authenticated authenticated;

  private record Authenticated(AuthRequest request, AuthState state) {}

  AuthSession(Authority authority, LongSupplier nanoClock) {
    this.authority = authority;
    this.nanoClock = nanoClock;
  }

  /**
   * The last usable answer; null before a successful AUTH. For /stats and {@code AUTH already set}.
   */
  public AuthState state() {
    Authenticated now = authenticated;
    return now == null ? null : now.state();
  }

  /**
   * The AUTH command.
   *
   * @param secret the body
   * @param remoteIp address without port; empty on a unix socket
   * @param tls whether the connection was upgraded to TLS
   * @param commonName CN of the client's certificate, or empty
   * @return the answer; its {@link AuthState#permissionCount} may be 0, to be answered with {@code
   *     E_UNAUTHORIZED AUTH no authorizations found}. Fails with {@link AuthException}, to be
   *     answered with {@code E_AUTH_FAILED AUTH failed}; logged here
   */
  public CompletableFuture<AuthState> authenticate(
      byte[] secret, String remoteIp, boolean tls, String commonName) {
    AuthRequest request = new AuthRequest(secret, remoteIp, tls, commonName);
    return taken(request, authority.query(request));
  }

  /**
   * Whether the command may go on; asks again when the TTL has passed.
   *
   * @param channel empty for publishing
   * @return never a failure
   */
  public CompletableFuture<Verdict> check(String topic, String channel, Permission permission) {
    Authenticated now = authenticated;
    if (now == null) {
      return CompletableFuture.completedFuture(Verdict.AUTH_FIRST);
    }
    if (!now.state().isExpired(nanoClock.getAsLong())) {
      return CompletableFuture.completedFuture(judge(now.state(), topic, channel, permission));
    }
    return taken(now.request(), authority.renew(now.request(), now.state()))
        .handle(
            (state, failure) ->
                failure != null ? Verdict.AUTH_FAILED : judge(state, topic, channel, permission));
  }

  /** Whether {@link #recheck} is due; never with an auth server, as with nsqd. */
  public boolean isRecheckDue() {
    Authenticated now = authenticated;
    return now != null
        && now.state().user() != null
        && now.state().isExpired(nanoClock.getAsLong());
  }

  /** Whether a user of the broker's own file still may subscribe where they have. */
  public Verdict recheck(String topic, String channel) {
    Authenticated before = authenticated;
    AuthState now = authority.renewNow(before.state());
    if (now == null) {
      return Verdict.AUTH_FAILED;
    }
    authenticated = new Authenticated(before.request(), now);
    return judge(now, topic, channel, Permission.SUBSCRIBE);
  }

  private CompletableFuture<AuthState> taken(
      AuthRequest request, CompletableFuture<AuthState> answer) {
    return answer.whenComplete(
        (state, failure) -> {
          if (failure != null) {
            Throwable cause = failure.getCause() == null ? failure : failure.getCause();
            LOG.error("AUTH: {}: {}", request, cause.getMessage());
          } else if (state.permissionCount() > 0 || authenticated != null) {
            authenticated = new Authenticated(request, state);
          }
        });
  }

  private static Verdict judge(
      AuthState state, String topic, String channel, Permission permission) {
    return state.isAllowed(topic, channel, permission) ? Verdict.ALLOWED : Verdict.UNAUTHORIZED;
  }
}
