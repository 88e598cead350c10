package io.holdfast.broker.auth;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What somebody may do: a list of topics, channels of them, and permissions (contract §1.7).
 * Immutable.
 *
 * <p>Regular expressions are RE2, as in nsqd: linear in time, so that an auth server's pattern
 * cannot stall an event loop.
 */
public final class Authorizations {
  private static final int PATTERN_BYTES = 2048;
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private final List<Authorization> list;

  private record Authorization(Pattern topic, List<Pattern> channels, Set<Permission> permissions) {
    boolean allows(String topicName, String channelName, Permission permission) {
      return permissions.contains(permission)
          && topic.matcher(topicName).find()
          && channels.stream().anyMatch(channel -> channel.matcher(channelName).find());
    }
  }

  private Authorizations(List<Authorization> list) {
    this.list = List.copyOf(list);
  }

  /**
   * Reads the list of an auth server's answer.
   *
   * @throws IllegalArgumentException for a wrong type, an unknown permission or a bad regular
   *     expression
   */
  static Authorizations of(Iterable<JsonNode> entries) {
    List<Authorization> list = new ArrayList<>();
    for (JsonNode entry : entries) {
      if (!entry.isObject()) {
        throw new IllegalArgumentException("authorization is not a JSON object");
      }
      List<Pattern> channels = new ArrayList<>();
      for (JsonNode channel : AuthJson.list(entry, "channels")) {
        channels.add(regex("channel", AuthJson.textOf(channel, "channels")));
      }
      Set<Permission> permissions = EnumSet.noneOf(Permission.class);
      for (JsonNode permission : AuthJson.list(entry, "permissions")) {
        permissions.add(Permission.parse(AuthJson.textOf(permission, "permissions")));
      }
      list.add(
          new Authorization(regex("topic", AuthJson.text(entry, "topic")), channels, permissions));
    }
    return new Authorizations(list);
  }

  /**
   * Reads the list as it stands in a users file: there nothing may be left out, since a topic that
   * is not there would be every topic.
   *
   * @throws IllegalArgumentException with the reason, for people
   */
  public static Authorizations parse(String json) {
    JsonNode entries;
    try {
      entries = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the authorizations are no JSON: "
              + e.getOriginalMessage().lines().findFirst().orElse("nothing"),
          e);
    }
    if (entries == null || !entries.isArray()) {
      throw new IllegalArgumentException("the authorizations are no JSON list");
    }
    for (JsonNode entry : entries) {
      for (String name : List.of("topic", "channels", "permissions")) {
        if (entry.isObject() && AuthJson.field(entry, name) == null) {
          throw new IllegalArgumentException("an authorization without " + name);
        }
      }
    }
    return of(entries);
  }

  /** Length of the list. */
  int count() {
    return list.size();
  }

  /** What it takes of the heap, estimated, in bytes. */
  long heapBytes() {
    long patterns = 0;
    for (Authorization authorization : list) {
      patterns += 1L + authorization.channels.size();
    }
    return patterns * PATTERN_BYTES;
  }

  /** Whether any entry allows it; as {@link AuthState#isAllowed}. */
  boolean allow(String topic, String channel, Permission permission) {
    for (Authorization authorization : list) {
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
}
