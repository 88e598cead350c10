package io.holdfast.broker.access;

import io.holdfast.broker.access.Users.User;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Who has logged in by the console's page. In memory only: they end with the broker, after twelve
 * hours, and with the user's line in the file. Thread-safe.
 */
final class Sessions {
  private static final long LIFE_NS = 12L * 3600 * 1_000_000_000L;
  private static final int MAX_SESSIONS = 10_000;
  private static final int TOKEN_BYTES = 32;

  private final LongSupplier nanoClock;
  private final SecureRandom random = new SecureRandom();

  /** By token, oldest first; guarded by itself. */
  private final Map<String, Session> sessions = new LinkedHashMap<>();

  private record Session(User<Role> user, long sinceNs) {}

  Sessions(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** Begins one; returns its token. */
  String begin(User<Role> user) {
    byte[] bytes = new byte[TOKEN_BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    synchronized (sessions) {
      sessions.put(token, new Session(user, nanoClock.getAsLong()));
      if (sessions.size() > MAX_SESSIONS) {
        sessions.remove(sessions.keySet().iterator().next());
      }
    }
    return token;
  }

  /**
   * Whose session it is.
   *
   * @param users those of now: who is gone or changed has no session any more
   * @return null for nobody's
   */
  User<Role> user(String token, Users<Role> users) {
    synchronized (sessions) {
      Session session = sessions.get(token);
      if (session == null) {
        return null;
      }
      boolean isOver = nanoClock.getAsLong() - session.sinceNs() >= LIFE_NS;
      if (isOver || !session.user().equals(users.named(session.user().name()))) {
        sessions.remove(token);
        return null;
      }
      return session.user();
    }
  }

  void end(String token) {
    synchronized (sessions) {
      sessions.remove(token);
    }
  }
}
