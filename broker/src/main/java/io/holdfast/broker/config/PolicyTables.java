package io.holdfast.broker.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Finds the {@code [[policy]]} tables of a file, and the line of each key in them. */
final class PolicyTables {
  /** The key of their list. */
  static final String KEY = "policy";

  private static final Pattern HEAD =
      Pattern.compile("[ \\t]*\\[\\[[ \\t]*[\"']?policy[\"']?[ \\t]*\\]\\].*");
  private static final Pattern ANY_HEAD = Pattern.compile("[ \\t]*\\[.*");
  private static final Pattern ASSIGNED =
      Pattern.compile("[ \\t]*\\[?[ \\t]*[\"']?policy[\"']?[ \\t]*[\\]=.].*");

  private final String file;
  private final String[] lines;

  /** Lines of the heads, counted from 0. */
  private final List<Integer> heads = new ArrayList<>();

  /**
   * @param file its name
   * @param text what it holds
   */
  PolicyTables(String file, String text) {
    this.file = file;
    lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (HEAD.matcher(lines[i].stripTrailing()).matches()) {
        heads.add(i);
      }
    }
  }

  /**
   * Reads them.
   *
   * @param node what the file's key {@code policy} holds
   * @throws BadOptionException if that is no list of tables
   */
  List<PolicyTable> read(JsonNode node) throws BadOptionException {
    if (!node.isArray()) {
      throw bad(
          node.isObject()
              ? ": policy is one table: write [[policy]] above each policy"
              : ": policy " + shown(node) + ": accepted is [[policy]] above each policy");
    }
    List<PolicyTable> tables = new ArrayList<>();
    for (JsonNode table : node) {
      if (!table.isObject()) {
        throw bad(": policy " + shown(table) + ": accepted is [[policy]] above each policy");
      }
      tables.add(table(tables.size(), table));
    }
    return tables;
  }

  private PolicyTable table(int index, JsonNode table) {
    int from = index < heads.size() ? heads.get(index) : -1;
    Map<String, PolicyTable.Field> fields = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : table.properties()) {
      int line = from < 0 ? -1 : lineOf(field.getKey(), from);
      JsonNode value =
          line < 0
              ? field.getValue()
              : TomlFile.exact(field.getKey(), field.getValue(), lines[line]);
      fields.put(field.getKey(), new PolicyTable.Field(place(line < 0 ? from : line), value));
    }
    return new PolicyTable(place(from), fields);
  }

  /** The line below a head that gives a key, -1 if none does plainly. */
  private int lineOf(String key, int head) {
    Pattern start = Pattern.compile("[ \\t]*[\"']?" + Pattern.quote(key) + "[\"']?[ \\t]*[.=].*");
    for (int i = head + 1; i < lines.length && !ANY_HEAD.matcher(lines[i]).lookingAt(); i++) {
      if (start.matcher(lines[i]).lookingAt()) {
        return i;
      }
    }
    return -1;
  }

  private String place(int line) {
    return line < 0 ? firstPlace() : file + ":" + (line + 1);
  }

  private String firstPlace() {
    for (int i = 0; i < lines.length; i++) {
      if (ASSIGNED.matcher(lines[i]).lookingAt()) {
        return file + ":" + (i + 1);
      }
    }
    return file;
  }

  private static String shown(JsonNode node) {
    return GoValues.quote(node.isValueNode() ? node.asText() : node.toString());
  }

  private BadOptionException bad(String what) {
    return new BadOptionException(BadOptionException.BAD_REST, firstPlace() + what);
  }
}
