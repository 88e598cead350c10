package io.holdfast.storage.topic;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Takes out of {@code meta.json} what has not the shape that it should have, so that the rest can
 * be used: somebody may have edited it. Stateless.
 */
final class MetadataShape {
  /** Ids of messages are (base + ordinal) x 1024 + node, in 63 bits. */
  private static final long MAX_ID_BASE = 1L << 52;

  private static final int MAX_NODE_ID = 1023;

  private MetadataShape() {}

  /**
   * Removes what is wrong.
   *
   * @param setAside receives what was removed, as text for people
   */
  static void clean(ObjectNode root, List<String> setAside) {
    keep(root, "", "next_id_base", node -> isLong(node, 0, MAX_ID_BASE), setAside);
    keep(root, "", "number", node -> isLong(node, 0, Long.MAX_VALUE), setAside);
    entries(root, "topics", "", setAside);
    for (JsonNode topic : root.path("topics")) {
      String where = "topic " + topic.get("name").asText() + ": ";
      ObjectNode entry = (ObjectNode) topic;
      if (!keep(entry, where, "id_base", node -> isLong(node, 0, MAX_ID_BASE), setAside)) {
        entry.put("id_base", Metadata.newIdBase(0, System.currentTimeMillis()));
      }
      if (!keep(entry, where, "handed_over", node -> isLong(node, -1, MAX_ID_BASE), setAside)) {
        entry.put("handed_over", -1);
      }
      keep(entry, where, "paused", JsonNode::isBoolean, setAside);
      keep(entry, where, "skipped_to", node -> isLong(node, 0, MAX_ID_BASE), setAside);
      keep(entry, where, "node_id", node -> isLong(node, 0, MAX_NODE_ID), setAside);
      keep(entry, where, "skipped", MetadataShape::areRanges, setAside);
      keep(entry, where, "policy", MetadataShape::isPolicy, setAside);
      entries(entry, "channels", where, setAside);
      for (JsonNode channel : entry.path("channels")) {
        String channelName = where + "channel " + channel.get("name").asText() + ": ";
        keep((ObjectNode) channel, channelName, "paused", JsonNode::isBoolean, setAside);
        keep((ObjectNode) channel, channelName, "policy", MetadataShape::isPolicy, setAside);
      }
    }
  }

  /** Leaves of a list what has a name of its own. */
  private static void entries(
      ObjectNode parent, String field, String where, List<String> setAside) {
    if (!keep(parent, where, field, JsonNode::isArray, setAside)
        || !(parent.get(field) instanceof ArrayNode list)) {
      return;
    }
    Set<String> names = new HashSet<>();
    for (Iterator<JsonNode> all = list.elements(); all.hasNext(); ) {
      JsonNode entry = all.next();
      JsonNode name = entry.path("name");
      if (!entry.isObject() || !name.isTextual() || name.asText().isEmpty()) {
        setAside.add(where + field + " has an entry " + brief(entry));
        all.remove();
      } else if (!names.add(name.asText())) {
        setAside.add(where + field + " has " + name.asText() + " twice");
        all.remove();
      }
    }
  }

  /** Removes a field that is not as it should be; false when it did. One that is absent is fine. */
  private static boolean keep(
      ObjectNode of, String where, String field, Predicate<JsonNode> good, List<String> setAside) {
    JsonNode value = of.get(field);
    if (value == null || good.test(value)) {
      return true;
    }
    of.remove(field);
    if (value.isNull()) {
      return true;
    }
    setAside.add(where + field + " is " + brief(value));
    return false;
  }

  private static boolean isLong(JsonNode value, long min, long max) {
    return value.canConvertToLong()
        && value.isIntegralNumber()
        && value.asLong() >= min
        && value.asLong() <= max;
  }

  private static boolean areRanges(JsonNode value) {
    if (!value.isArray()) {
      return false;
    }
    for (JsonNode range : value) {
      JsonNode from = range.path("from");
      if (!isLong(from, 0, MAX_ID_BASE) || !isLong(range.path("to"), from.asLong(), MAX_ID_BASE)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isPolicy(JsonNode value) {
    boolean good = value.isObject();
    for (JsonNode each : value) {
      good &= each.isTextual();
    }
    return good;
  }

  private static String brief(JsonNode value) {
    final int most = 60;
    String text = value.toString();
    return text.length() <= most ? text : text.substring(0, most) + "...";
  }
}
