package io.holdfast.broker.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.Suggestion;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Every field that policies have, in the order in which they are shown. Immutable. */
final class PolicyFields {
  private static final long SECOND_NS = TimeUnit.SECONDS.toNanos(1);
  private static final int MAX_ATTEMPTS = 65_535;
  private static final int MAX_DEAD = 1_000_000;

  /** A valid topic name that is not ephemeral; the queue's names say the same. */
  private static final Pattern DURABLE_TOPIC = Pattern.compile("[.a-zA-Z0-9_-]{1,64}");

  /** Whose fields. */
  enum Kind {
    CHANNEL,
    TOPIC;

    Kind other() {
      return this == CHANNEL ? TOPIC : CHANNEL;
    }

    String text() {
      return this == CHANNEL ? "channel" : "topic";
    }
  }

  private final Map<Kind, Map<String, PolicyField>> fields;

  /**
   * @param options bounds of some, and what others are where they are not set
   */
  PolicyFields(Options options) {
    fields = Map.of(Kind.CHANNEL, channelFields(options), Kind.TOPIC, topicFields(options));
  }

  private static Map<String, PolicyField> channelFields(Options options) {
    long maxReqTimeoutNs = TimeUnit.MILLISECONDS.toNanos(options.maxReqTimeoutMs());
    long msgTimeoutNs = TimeUnit.MILLISECONDS.toNanos(options.msgTimeoutMs());
    long maxMsgTimeoutNs = TimeUnit.MILLISECONDS.toNanos(options.maxMsgTimeoutMs());
    ChannelPolicy unset = ChannelPolicy.DEFAULT;
    return index(
        field("max_attempts", FieldType.count(0, MAX_ATTEMPTS), (long) unset.maxAttempts()),
        field(
            "dead_letter",
            FieldType.text(
                "keep, drop, or a topic that is neither #ephemeral nor the channel's own",
                name -> DURABLE_TOPIC.matcher(name).matches()),
            unset.deadLetter()),
        field("max_dead", FieldType.count(1, MAX_DEAD), (long) unset.maxDead()),
        field("message_ttl", FieldType.duration(0, Long.MAX_VALUE), unset.messageTtlMs()),
        field("expired", FieldType.words("drop", "dead"), "drop"),
        field("ordered", FieldType.bool(), unset.ordered()),
        field("msg_timeout", FieldType.duration(SECOND_NS, maxMsgTimeoutNs), msgTimeoutNs),
        field("max_in_flight", FieldType.count(0, Integer.MAX_VALUE), (long) unset.maxInFlight()),
        field("requeue_backoff", FieldType.backoff(maxReqTimeoutNs), unset.requeueBackoff()));
  }

  private static Map<String, PolicyField> topicFields(Options options) {
    long retentionNs = TimeUnit.MILLISECONDS.toNanos(options.retentionMs());
    TopicPolicy unset = TopicPolicy.DEFAULT;
    return index(
        field("retain_for", FieldType.duration(0, Long.MAX_VALUE), retentionNs),
        field("retain_bytes", FieldType.size(), unset.retainBytes()),
        field("max_depth", FieldType.count(0, Long.MAX_VALUE), unset.maxDepth()),
        field("max_bytes", FieldType.size(), unset.maxBytes()),
        field("when_full", FieldType.words("reject", "drop_oldest"), "reject"));
  }

  private static PolicyField field(String name, FieldType type, Object unset) {
    return new PolicyField(name, type, unset);
  }

  private static Map<String, PolicyField> index(PolicyField... all) {
    Map<String, PolicyField> byName = new LinkedHashMap<>();
    for (PolicyField field : all) {
      byName.put(field.name(), field);
    }
    return byName;
  }

  Collection<PolicyField> of(Kind kind) {
    return fields.get(kind).values();
  }

  /** The field of this name, null if there is none. */
  PolicyField find(Kind kind, String name) {
    return fields.get(kind).get(name);
  }

  /** What to write instead of a name that is no field; follows the words that say so. */
  String instead(Kind kind, String name, Collection<String> alsoKnown) {
    if (fields.get(kind.other()).containsKey(name)) {
      return "it is a field of " + kind.other().text() + "s";
    }
    List<String> known =
        Stream.concat(fields.get(kind).keySet().stream(), alsoKnown.stream()).toList();
    return Suggestion.closest(name, known)
        .map(closest -> "did you mean " + closest + "?")
        .orElseGet(() -> "accepted are " + String.join(", ", known));
  }

  /**
   * Reads a field's value in JSON or TOML.
   *
   * @return null if it is not accepted
   */
  static Object readOrNull(PolicyField field, JsonNode value) {
    return field.type().read(value).orElse(null);
  }
}
