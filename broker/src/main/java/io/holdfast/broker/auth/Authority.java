package io.holdfast.broker.auth;

import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/** Who says what a secret may do. Never blocks; safe for use by any thread. */
public abstract class Authority {
  private final LongSupplier nanoClock;

  /**
   * @param nanoClock monotonic, usually {@link System#nanoTime}; for the TTL
   */
  Authority(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  final long nowNs() {
    return nanoClock.getAsLong();
  }

  /** A connection's own view of this authority, before any AUTH. */
  public final AuthSession newSession() {
    return new AuthSession(this, nanoClock);
  }

  /** Fails with {@link AuthException} alone, never with anything else. */
  abstract CompletableFuture<AuthState> query(AuthRequest request);

  /** As {@link #query}, for somebody who was let in before. */
  CompletableFuture<AuthState> renew(AuthRequest request, AuthState before) {
    AuthState now = renewNow(before);
    return now == null ? query(request) : CompletableFuture.completedFuture(now);
  }

  /**
   * What somebody who was let in before may do now, where that is known without asking.
   *
   * @return null when the secret has to be looked at again
   */
  AuthState renewNow(AuthState before) {
    return null;
  }
}
