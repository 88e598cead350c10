package io.holdfast.tools.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.tools.cli.ToolException;
import java.util.List;
import java.util.Set;

/** Turns {@code field=value} of a command line into the JSON that sets a policy. Stateless. */
final class PolicyFieldsText {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Fields whose value is text whatever it looks like; a topic may be named 1. */
  private static final Set<String> TEXT =
      Set.of("dead_letter", "expired", "requeue_backoff", "when_full");

  private PolicyFieldsText() {}

  /**
   * The JSON object.
   *
   * @param fields {@code field=value} each; the value {@code null} unsets
   * @throws ToolException about usage when one is something else, or there twice
   */
  static byte[] json(List<String> fields) {
    ObjectNode change = JSON.createObjectNode();
    for (String field : fields) {
      int equals = field.indexOf('=');
      if (equals < 1) {
        throw ToolException.usage("'" + field + "' is not field=value");
      }
      String name = field.substring(0, equals);
      if (change.has(name)) {
        throw ToolException.usage("'" + name + "' is given twice");
      }
      change.set(name, value(name, field.substring(equals + 1)));
    }
    try {
      return JSON.writeValueAsBytes(change);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree can be written", e);
    }
  }

  /** Numbers, true, false and null as such; all else is text, and the broker judges it. */
  private static JsonNode value(String name, String text) {
    if (text.equals("null")) {
      return JSON.nullNode();
    }
    if (!TEXT.contains(name) && text.matches("true|false|-?[0-9]+(\\.[0-9]+)?")) {
      try {
        return JSON.readTree(text);
      } catch (JsonProcessingException e) {
        return JSON.getNodeFactory().textNode(text); // such as 007
      }
    }
    return JSON.getNodeFactory().textNode(text);
  }
}
