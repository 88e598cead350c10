package io.holdfast.broker.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.holdfast.broker.net.WellFormed;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What an auth server answered for one secret (contract §1.7). Immutable.
 *
 * <p>Regular expressions are RE2, as in nsqd: linear in time, so that an auth server's pattern
 * cannot stall an event loop.
 */
public final class AuthState {
  private static final int PATTERN_BYTES = 2048;

  private final String identity;
  private final String identityUrl;
  private final long expiresAtNs;
  private final List<Authorization> authorizations;

  private record Authorization(Pattern topic, List<Pattern> channels, Set<Permission> permissions) {
    boolean allows(String topicName, String channelName, Permission permission) {
      return permissions.contains(permission)
          && topic.matcher(topicName).find()
          && channels.stream().anyMatch(channel -> channel.matcher(channelName).find());
    }
  }

  private AuthState(
      String identity, String identityUrl, long expiresAtNs, List<Authorization> authorizations) {
    this.identity = identity;
    this.identityUrl = identityUrl;
    this.expiresAtNs = expiresAtNs;
    this.authorizations = List.copyOf(authorizations);
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
    List<Authorization> authorizations = new ArrayList<>();
    for (JsonNode entry : list(json, "authorizations")) {
      if (!entry.isObject()) {
        throw new IllegalArgumentException("authorization is not a JSON object");
      }
      List<Pattern> channels = new ArrayList<>();
      for (JsonNode channel : list(entry, "channels")) {
        channels.add(regex("channel", textOf(channel, "channels")));
      }
      Set<Permission> permissions = EnumSet.noneOf(Permission.class);
      for (JsonNode permission : list(entry, "permissions")) {
        permissions.add(Permission.parse(textOf(permission, "permissions")));
      }
      authorizations.add(
          new Authorization(regex("topic", text(entry, "topic")), channels, permissions));
    }
    JsonNode ttl = field(json, "ttl");
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
        text(json, "identity"), text(json, "identity_url"), nowNs + ttlNs, authorizations);
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
    return authorizations.size();
  }

  /** What it takes of the heap, estimated, in bytes. */
  public long heapBytes() {
    long patterns = 0;
    for (Authorization authorization : authorizations) {
      patterns += 1L + authorization.channels.size();
    }
    return 2L * (identity.length() + identityUrl.length()) + patterns * PATTERN_BYTES;
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
    for (Authorization authorization : authorizations) {
      if (authorization.allows(topic, channel, permission)) {
        return true;
      }
    }
    return false;
  }

  private static Pattern regex(String what, String text) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("unable to compile " + what + " " + text, e);
    }
  }

  /** Null when absent or null; an exact key wins over one in another case, as in Go. */
  private static JsonNode field(JsonNode object, String name) {
    JsonNode found = object.get(name);
    if (found == null) {
      for (Map.Entry<String, JsonNode> entry : object.properties()) {
        if (entry.getKey().equalsIgnoreCase(name)) {
          found = entry.getValue();
        }
      }
    }
    return found == null || found.isNull() ? null : found;
  }

  private static Iterable<JsonNode> list(JsonNode object, String name) {
    JsonNode value = field(object, name);
    if (value != null && !value.isArray()) {
      throw new IllegalArgumentException(name + " is not a list");
    }
    return value == null ? List.of() : value;
  }

  private static String text(JsonNode object, String name) {
    JsonNode value = field(object, name);
    return value == null ? "" : textOf(value, name);
  }

  private static String textOf(JsonNode value, String name) {
    if (!value.isTextual()) {
      throw new IllegalArgumentException(name + " is not a string");
    }
    return WellFormed.of(value.textValue());
  }
}
