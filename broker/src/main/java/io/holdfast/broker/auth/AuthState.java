package io.holdfast.broker.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.access.Users.User;
import java.util.concurrent.TimeUnit;

/** What an authority answered for one secret (contract §1.7). Immutable. */
public final class AuthState {
  /** Of an answer whose authorizations are shared with others. */
  private static final long SHARED_BYTES = 64;

  private final String identity;
  private final String identityUrl;
  private final long expiresAtNs;
  private final Authorizations authorizations;

  /** Null for an auth server's answer. */
  private final User<Authorizations> user;

  private AuthState(
      String identity,
      String identityUrl,
      long expiresAtNs,
      Authorizations authorizations,
      User<Authorizations> user) {
    this.identity = identity;
    this.identityUrl = identityUrl;
    this.expiresAtNs = expiresAtNs;
    this.authorizations = authorizations;
    this.user = user;
  }

  /** What a user of the broker's own file may do. */
  static AuthState of(User<Authorizations> user, long expiresAtNs) {
    return new AuthState(user.name(), "", expiresAtNs, user.rights(), user);
  }

  /**
   * Reads an auth server's answer.
   *
   * @param json the answer; keys in any case, unknown ones ignored, null as absent
   * @param nowNs monotonic clock at the query, in ns; the TTL counts from here
   * @throws IllegalArgumentException for a wrong type, a TTL below 1 s, an unknown permission or a
   *     bad regular expression
   */
  static AuthState parse(JsonNode json, long nowNs) {
    if (!json.isObject()) {
      throw new IllegalArgumentException("answer is not a JSON object");
    }
    Authorizations authorizations = Authorizations.of(AuthJson.list(json, "authorizations"));
    JsonNode ttl = AuthJson.field(json, "ttl");
    if (ttl == null || !ttl.canConvertToExactIntegral() || !ttl.canConvertToLong()) {
      throw new IllegalArgumentException("ttl is not an integer");
    }
    long ttlSeconds = ttl.longValue();
    if (ttlSeconds <= 0) {
      throw new IllegalArgumentException("invalid TTL " + ttlSeconds + " (must be >0)");
    }
    // A century is forever, and keeps the sum within a long.
    long ttlNs = TimeUnit.SECONDS.toNanos(Math.min(ttlSeconds, TimeUnit.DAYS.toSeconds(36_500)));
    return new AuthState(
        AuthJson.text(json, "identity"),
        AuthJson.text(json, "identity_url"),
        nowNs + ttlNs,
        authorizations,
        null);
  }

  /** The user of the broker's own file, null for an auth server's answer. */
  User<Authorizations> user() {
    return user;
  }

  /** Who the secret belongs to; may be empty. */
  public String identity() {
    return identity;
  }

  /** A page about them; may be empty. */
  public String identityUrl() {
    return identityUrl;
  }

  /** Length of the list; 0 is answered with {@code AUTH no authorizations found}. */
  public int permissionCount() {
    return authorizations.count();
  }

  /** What it takes of the heap, estimated, in bytes. */
  public long heapBytes() {
    return user != null
        ? SHARED_BYTES
        : 2L * (identity.length() + identityUrl.length()) + authorizations.heapBytes();
  }

  /** Whether the TTL has passed at {@code nowNs} of the monotonic clock, in ns. */
  public boolean isExpired(long nowNs) {
    return nowNs - expiresAtNs >= 0;
  }

  /**
   * Whether any entry allows it. Expressions are searched for, not matched against the whole name.
   *
   * @param channel empty for publishing: some channel expression must then match the empty string
   */
  public boolean isAllowed(String topic, String channel, Permission permission) {
    return authorizations.allow(topic, channel, permission);
  }
}
