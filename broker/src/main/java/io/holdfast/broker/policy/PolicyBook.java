package io.holdfast.broker.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.config.PolicyTable;
import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import io.holdfast.broker.policy.PolicyFields.Kind;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The policies of a broker: knows the configuration's, and what of them, of what was set by hand
 * and of the defaults is in force. Thread-safe.
 */
public final class PolicyBook implements Policies {
  private static final Logger LOG = LoggerFactory.getLogger(PolicyBook.class);
  private static final int MAX_REASON = 240;

  private final PolicyFields fields;
  private volatile List<PolicyEntry> entries;

  /**
   * A field's value in force.
   *
   * @param value a number, a boolean or text, as JSON has it
   * @param from {@code hand}, {@code config} or {@code default}
   */
  public record Shown(Object value, String from) {}

  /** A field's value in force, as it is held. */
  private record InForce(PolicyField field, Object value, String from) {}

  /**
   * @param options with the configuration's policies
   * @throws BadPolicyException for the first bad one
   */
  public PolicyBook(Options options) throws BadPolicyException {
    fields = new PolicyFields(options);
    entries = read(options.policies());
  }

  /** Fails where the policies of what was parsed are bad. */
  public static Parsed checked(Parsed parsed) {
    if (parsed instanceof Parsed.Run run) {
      try {
        new PolicyBook(run.options());
      } catch (BadPolicyException e) {
        return Parsed.Fail.of(e.getMessage());
      }
    }
    return parsed;
  }

  private List<PolicyEntry> read(List<PolicyTable> tables) throws BadPolicyException {
    List<PolicyEntry> read = new ArrayList<>();
    for (PolicyTable table : tables) {
      read.add(PolicyEntry.read(table, fields));
    }
    return List.copyOf(read);
  }

  /**
   * Checks other policies of the configuration; changes nothing.
   *
   * @throws BadPolicyException for the first bad one
   */
  public void verify(List<PolicyTable> tables) throws BadPolicyException {
    read(tables);
  }

  /**
   * Replaces the configuration's. Topics and channels hear of it from the caller.
   *
   * @return whether anything changed
   * @throws BadPolicyException for the first bad one; nothing is replaced then
   */
  public boolean replace(List<PolicyTable> tables) throws BadPolicyException {
    List<PolicyEntry> fresh = read(tables);
    boolean changed = !fresh.equals(entries);
    entries = fresh;
    return changed;
  }

  // ---------------------------------------------------------------- what is in force

  @Override
  public ChannelPolicy ofChannel(String topic, String channel, Map<String, String> byHand) {
    Map<String, InForce> inForce = channelInForce(topic, channel, byHand);
    return new ChannelPolicy(
        (int) number(inForce, "max_attempts"),
        (String) inForce.get("dead_letter").value(),
        (int) number(inForce, "max_dead"),
        FieldType.toMs(number(inForce, "message_ttl")),
        Expired.valueOf(word(inForce, "expired")),
        (Boolean) inForce.get("ordered").value(),
        isSet(inForce, "msg_timeout") ? FieldType.toMs(number(inForce, "msg_timeout")) : 0,
        (int) number(inForce, "max_in_flight"),
        (Backoff) inForce.get("requeue_backoff").value());
  }

  @Override
  public TopicPolicy ofTopic(String topic, Map<String, String> byHand) {
    Map<String, InForce> inForce = topicInForce(topic, byHand);
    return new TopicPolicy(
        isSet(inForce, "retain_for")
            ? FieldType.toMs(number(inForce, "retain_for"))
            : TopicPolicy.DEFAULT.retainForMs(),
        number(inForce, "retain_bytes"),
        number(inForce, "max_depth"),
        number(inForce, "max_bytes"),
        WhenFull.valueOf(word(inForce, "when_full")));
  }

  private static long number(Map<String, InForce> inForce, String name) {
    return (Long) inForce.get(name).value();
  }

  private static String word(Map<String, InForce> inForce, String name) {
    return ((String) inForce.get(name).value()).toUpperCase(Locale.ROOT);
  }

  private static boolean isSet(Map<String, InForce> inForce, String name) {
    return !inForce.get(name).from().equals("default");
  }

  /** The policy of a channel for people: every field, in order. */
  public Map<String, Shown> shownChannel(String topic, String channel, Map<String, String> byHand) {
    return shown(channelInForce(topic, channel, byHand));
  }

  /** The policy of a topic for people: every field, in order. */
  public Map<String, Shown> shownTopic(String topic, Map<String, String> byHand) {
    return shown(topicInForce(topic, byHand));
  }

  private static Map<String, Shown> shown(Map<String, InForce> inForce) {
    Map<String, Shown> shown = new LinkedHashMap<>();
    inForce.forEach(
        (name, field) ->
            shown.put(name, new Shown(field.field().type().shown(field.value()), field.from())));
    return shown;
  }

  private Map<String, InForce> topicInForce(String topic, Map<String, String> byHand) {
    return inForce(Kind.TOPIC, entry -> entry.isForTopic(topic), byHand);
  }

  private Map<String, InForce> channelInForce(
      String topic, String channel, Map<String, String> byHand) {
    Map<String, InForce> inForce =
        inForce(Kind.CHANNEL, entry -> entry.isForChannel(topic, channel), byHand);
    // A pattern is for the channels of the dead letters' own topic, too.
    inForce.computeIfPresent(
        "dead_letter",
        (name, field) ->
            field.value().equals(topic) && !isWord(topic)
                ? new InForce(field.field(), ChannelPolicy.KEEP, field.from())
                : field);
    return inForce;
  }

  private Map<String, InForce> inForce(
      Kind kind, Predicate<PolicyEntry> isMeant, Map<String, String> byHand) {
    Map<String, Object> configured =
        entries.stream().filter(isMeant).findFirst().map(PolicyEntry::values).orElse(Map.of());
    Map<String, InForce> inForce = new LinkedHashMap<>();
    for (PolicyField field : fields.of(kind)) {
      Optional<Object> hand =
          Optional.ofNullable(byHand.get(field.name())).flatMap(text -> read(field, text));
      Object config = configured.get(field.name());
      inForce.put(
          field.name(),
          hand.map(value -> new InForce(field, value, "hand"))
              .orElseGet(
                  () ->
                      config == null
                          ? new InForce(field, field.unset(), "default")
                          : new InForce(field, config, "config")));
    }
    return inForce;
  }

  /** What was accepted once may not be any more: options that bound it have changed. */
  private static Optional<Object> read(PolicyField field, String text) {
    Optional<Object> value = field.type().parse(text);
    if (value.isEmpty()) {
      LOG.warn(
          "policy: {} {}, set by hand, is not used: accepted is {}",
          field.name(),
          PolicyField.clip(text),
          field.type().accepted());
    }
    return value;
  }

  // ---------------------------------------------------------------- setting by hand

  /**
   * What is set by hand at a channel after a change.
   *
   * @param byHand before it: field to value as text
   * @param change an object of field to value, {@code null} to unset; else null
   * @throws BadPolicyException {@code FIELD: REASON}, on one line of bounded length
   */
  public Map<String, String> changedChannel(
      String topic, Map<String, String> byHand, JsonNode change) throws BadPolicyException {
    JsonNode deadLetter = change == null ? null : change.get("dead_letter");
    Map<String, String> changed = changed(Kind.CHANNEL, byHand, change);
    if (topic.equals(changed.get("dead_letter")) && !isWord(topic) && deadLetter != null) {
      throw refused(fields.find(Kind.CHANNEL, "dead_letter"), deadLetter);
    }
    return changed;
  }

  private static boolean isWord(String deadLetter) {
    return deadLetter.equals(ChannelPolicy.KEEP) || deadLetter.equals(ChannelPolicy.DROP);
  }

  /** What is set by hand at a topic after a change; as {@link #changedChannel}. */
  public Map<String, String> changedTopic(Map<String, String> byHand, JsonNode change)
      throws BadPolicyException {
    return changed(Kind.TOPIC, byHand, change);
  }

  private Map<String, String> changed(Kind kind, Map<String, String> byHand, JsonNode change)
      throws BadPolicyException {
    if (change == null || !change.isObject()) {
      throw new BadPolicyException("body: not a JSON object");
    }
    Map<String, String> changed = new TreeMap<>(byHand);
    for (Map.Entry<String, JsonNode> given : change.properties()) {
      PolicyField field = fields.find(kind, given.getKey());
      if (field == null) {
        throw new BadPolicyException(
            oneLine(
                PolicyField.clip(given.getKey())
                    + ": unknown, "
                    + fields.instead(kind, given.getKey(), List.of())));
      }
      if (given.getValue().isNull()) {
        changed.remove(field.name());
        continue;
      }
      Object value = PolicyFields.readOrNull(field, given.getValue());
      if (value == null) {
        throw refused(field, given.getValue());
      }
      changed.put(field.name(), field.type().text(value));
    }
    return changed;
  }

  private static BadPolicyException refused(PolicyField field, JsonNode value) {
    return new BadPolicyException(
        oneLine(
            field.name()
                + ": "
                + PolicyField.clip(value.toString())
                + ", accepted is "
                + field.type().accepted()));
  }

  private static String oneLine(String reason) {
    return reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON - 3) + "...";
  }
}
