package io.holdfast.broker.access;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.access.Users.User;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Decides whether a request may do what its route does: by its credentials, else by what anonymous
 * ones may. Credentials that are there count: wrong ones are refused also where none would do.
 * Without a users file there are none to be checked. Thread-safe.
 */
public final class HttpAccess implements AutoCloseable {
  /** Who asks when no credentials are given. */
  public static final String ANONYMOUS = "anonymous";

  /** The cookie of a session. */
  public static final String COOKIE = "holdfast_session";

  private static final String BASIC = "basic ";
  private static final String BEARER = "bearer ";

  private final Supplier<Users<Role>> users;
  private final Role anonymous;
  private final PasswordCheck passwords;
  private final Sessions sessions;

  /** What became of a request. */
  public enum Verdict {
    ALLOWED,
    /** Not enough, and no or wrong credentials. */
    UNAUTHORIZED,
    /** Not enough, with good credentials. */
    FORBIDDEN,
    /** Too many log-ins of one address wait. */
    TOO_MANY
  }

  /**
   * The answer.
   *
   * @param user who asks; {@link #ANONYMOUS} without good credentials
   * @param role what the user may
   */
  public record Decision(Verdict verdict, String user, Role role) {}

  /**
   * What a request shows.
   *
   * @param authorization the header, null for none
   * @param session the cookie's value, null for none
   * @param address of the peer, without port
   */
  public record Shown(String authorization, String session, String address) {}

  /**
   * @param users null without a users file
   * @param anonymous what who shows nothing may
   * @param nanoClock monotonic
   */
  public HttpAccess(Supplier<Users<Role>> users, Role anonymous, LongSupplier nanoClock) {
    this.users = users;
    this.anonymous = anonymous;
    passwords = new PasswordCheck(nanoClock);
    sessions = new Sessions(nanoClock);
  }

  /** Whether everybody may everything, so that nothing needs to be asked. */
  public boolean isOpen() {
    return users == null && anonymous == Role.ADMIN;
  }

  /**
   * Decides on a request.
   *
   * @param then told once, by this thread or another
   */
  public void decide(Right right, Shown shown, Consumer<Decision> then) {
    if (right == Right.OPEN || users == null) {
      then.accept(decision(anonymous, ANONYMOUS, false, right));
      return;
    }
    if (shown.authorization() != null) {
      byHeader(right, shown, then);
      return;
    }
    User<Role> user = shown.session() == null ? null : sessions.user(shown.session(), users.get());
    then.accept(
        user == null
            ? decision(anonymous, ANONYMOUS, false, right)
            : decision(user.rights(), user.name(), true, right));
  }

  private static Decision decision(Role role, String name, boolean known, Right right) {
    if (role.may(right)) {
      return new Decision(Verdict.ALLOWED, name, role);
    }
    return new Decision(known ? Verdict.FORBIDDEN : Verdict.UNAUTHORIZED, name, role);
  }

  private void byHeader(Right right, Shown shown, Consumer<Decision> then) {
    String header = shown.authorization().strip();
    if (header.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      byte[] token = header.substring(BEARER.length()).strip().getBytes(StandardCharsets.UTF_8);
      User<Role> user = users.get().holding(token);
      if (user != null) {
        then.accept(decision(user.rights(), user.name(), true, right));
      } else {
        passwords.wrongToken(shown.address(), outcome -> then.accept(refused(outcome)));
      }
      return;
    }
    String[] pair = basic(header);
    if (pair == null) {
      passwords.wrongToken(shown.address(), outcome -> then.accept(refused(outcome)));
      return;
    }
    logIn(
        pair[0],
        pair[1],
        shown.address(),
        (user, outcome) ->
            then.accept(
                user == null
                    ? refused(outcome)
                    : decision(user.rights(), user.name(), true, right)));
  }

  private static Decision refused(PasswordCheck.Outcome outcome) {
    return new Decision(
        outcome == PasswordCheck.Outcome.TOO_MANY ? Verdict.TOO_MANY : Verdict.UNAUTHORIZED,
        ANONYMOUS,
        Role.NONE);
  }

  /** Name and password of the header; null when it is none of ours. */
  private static String[] basic(String header) {
    if (!header.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
      return null;
    }
    try {
      byte[] pair = Base64.getDecoder().decode(header.substring(BASIC.length()).strip());
      String text = new String(pair, StandardCharsets.UTF_8);
      int colon = text.indexOf(':');
      return colon < 0 ? null : new String[] {text.substring(0, colon), text.substring(colon + 1)};
    } catch (IllegalArgumentException e) {
      return null; // refused as any wrong one
    }
  }

  private interface LoggedIn {
    void as(User<Role> user, PasswordCheck.Outcome outcome);
  }

  private void logIn(String name, String password, String address, LoggedIn then) {
    User<Role> user = users == null ? null : users.get().named(name);
    passwords.check(
        user,
        name,
        password.getBytes(StandardCharsets.UTF_8),
        address,
        outcome -> then.as(outcome == PasswordCheck.Outcome.RIGHT ? user : null, outcome));
  }

  /** What a log-in has led to. */
  public interface Session {
    /**
     * Told once.
     *
     * @param token of the session, null when there is none
     * @param verdict allowed, unauthorized or too many
     */
    void begun(String token, Verdict verdict);
  }

  /** Logs somebody in by name and password; {@code then} is told by this thread or another. */
  public void beginSession(String name, String password, String address, Session then) {
    logIn(
        name,
        password,
        address,
        (user, outcome) -> {
          if (user == null) {
            then.begun(null, refused(outcome).verdict());
          } else {
            then.begun(sessions.begin(user), Verdict.ALLOWED);
          }
        });
  }

  /** Whose session it is, null for nobody's. */
  public String sessionUser(String token) {
    User<Role> user = users == null ? null : sessions.user(token, users.get());
    return user == null ? null : user.name();
  }

  /** Ends a session; one that is not there is ended already. */
  public void endSession(String token) {
    sessions.end(token);
  }

  @Override
  public void close() {
    passwords.close();
  }
}
