package io.holdfast.broker.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.net.WellFormed;
import java.util.List;
import java.util.Map;

/** Reads fields as Go would: keys in any case, null as absent. Stateless. */
final class AuthJson {
  private AuthJson() {}

  /** Null when absent or null; an exact key wins over one in another case, as in Go. */
  static JsonNode field(JsonNode object, String name) {
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

  static Iterable<JsonNode> list(JsonNode object, String name) {
    JsonNode value = field(object, name);
    if (value != null && !value.isArray()) {
      throw new IllegalArgumentException(name + " is not a list");
    }
    return value == null ? List.of() : value;
  }

  static String text(JsonNode object, String name) {
    JsonNode value = field(object, name);
    return value == null ? "" : textOf(value, name);
  }

  static String textOf(JsonNode value, String name) {
    if (!value.isTextual()) {
      throw new IllegalArgumentException(name + " is not a string");
    }
    return WellFormed.of(value.textValue());
  }
}
