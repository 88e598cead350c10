package io.holdfast.broker.policy;

import io.holdfast.broker.config.GoValues;
import io.holdfast.broker.config.PolicyTable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * One {@code [[policy]]} of the configuration, read and checked.
 *
 * @param topic pattern of names, {@code *} for any characters
 * @param channel likewise; null for a policy of topics
 * @param values by field, those given alone
 */
record PolicyEntry(String topic, String channel, Map<String, Object> values) {
  private static final String TOPIC = "topic";
  private static final String CHANNEL = "channel";
  private static final List<String> KEYS = List.of(TOPIC, CHANNEL);
  private static final Pattern PATTERN = Pattern.compile("[.a-zA-Z0-9_*-]+(#ephemeral)?");
  private static final int MAX_PATTERN_LENGTH = 128;

  /**
   * Reads one.
   *
   * @throws BadPolicyException that names file, line and value
   */
  static PolicyEntry read(PolicyTable table, PolicyFields fields) throws BadPolicyException {
    String topic = pattern(table, TOPIC);
    String channel = pattern(table, CHANNEL);
    if (topic == null) {
      throw new BadPolicyException(table.place() + ": policy: topic is missing");
    }
    PolicyFields.Kind kind = channel == null ? PolicyFields.Kind.TOPIC : PolicyFields.Kind.CHANNEL;
    Map<String, Object> values = new LinkedHashMap<>();
    for (Map.Entry<String, PolicyTable.Field> given : table.fields().entrySet()) {
      String name = given.getKey();
      if (KEYS.contains(name)) {
        continue;
      }
      PolicyField field = fields.find(kind, name);
      if (field == null) {
        throw new BadPolicyException(
            given.getValue().place()
                + ": policy: unknown key "
                + GoValues.quote(name)
                + ": "
                + fields.instead(kind, name, KEYS));
      }
      Object value = PolicyFields.readOrNull(field, given.getValue().value());
      if (value == null) {
        throw bad(given.getValue(), name, field.type().accepted());
      }
      values.put(name, value);
    }
    return new PolicyEntry(topic, channel, values);
  }

  private static String pattern(PolicyTable table, String key) throws BadPolicyException {
    PolicyTable.Field given = table.fields().get(key);
    if (given == null) {
      return null;
    }
    String pattern = given.value().textValue();
    if (pattern == null
        || pattern.length() > MAX_PATTERN_LENGTH
        || !PATTERN.matcher(pattern).matches()) {
      throw bad(given, key, "a " + key + "'s name, in which * is for any characters");
    }
    return pattern;
  }

  private static BadPolicyException bad(PolicyTable.Field given, String name, String accepted) {
    return new BadPolicyException(
        given.place() + ": policy: " + name + " " + given.quoted() + ": accepted is " + accepted);
  }

  /** Whether this is for a topic. */
  boolean isForTopic(String name) {
    return channel == null && matches(topic, name);
  }

  /** Whether this is for a channel. */
  boolean isForChannel(String topicName, String name) {
    return channel != null && matches(topic, topicName) && matches(channel, name);
  }

  /** Whether a pattern is for the whole of a name; in time that is bounded by their product. */
  static boolean matches(String pattern, String name) {
    int at = 0;
    int star = -1;
    int starAt = 0;
    int i = 0;
    while (i < name.length()) {
      if (at < pattern.length() && pattern.charAt(at) == '*') {
        star = at++;
        starAt = i;
      } else if (at < pattern.length() && pattern.charAt(at) == name.charAt(i)) {
        at++;
        i++;
      } else if (star >= 0) {
        at = star + 1;
        i = ++starAt;
      } else {
        return false;
      }
    }
    while (at < pattern.length() && pattern.charAt(at) == '*') {
      at++;
    }
    return at == pattern.length();
  }
}
