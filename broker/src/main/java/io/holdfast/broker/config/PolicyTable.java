package io.holdfast.broker.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One {@code [[policy]]} of the file as it stands there; what its keys mean is not known here.
 *
 * @param place file and line of its head
 * @param fields by key, in the order of the file
 */
public record PolicyTable(String place, Map<String, Field> fields) {
  public PolicyTable {
    fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
  }

  /**
   * A line of it.
   *
   * @param place file and line
   * @param value in the file's own type
   */
  public record Field(String place, JsonNode value) {
    /** The value for a message: quoted, clipped, on one line. */
    public String quoted() {
      return GoValues.quote(value.isValueNode() ? value.asText() : value.toString());
    }
  }
}
