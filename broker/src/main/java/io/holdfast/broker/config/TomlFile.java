package io.holdfast.broker.config;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads the TOML file of {@code --config}. Unknown keys fail: a durable broker must not guess. */
final class TomlFile {
  /** No real file comes near; keeps {@code --config=/dev/zero} from filling memory. */
  private static final int MAX_BYTES = 1 << 20;

  private static final Pattern TABLE = Pattern.compile("[ \\t]*\\[");
  private static final Pattern KEY =
      Pattern.compile("[ \\t]*((?:[A-Za-z0-9_.-]+|\"[^\"]*\"|'[^']*')(?:[ \\t.]*))=");

  /** All that stands at the top of a file. */
  private static final List<String> KEYS =
      Stream.concat(OptionTable.tomlKeys().stream(), Stream.of(PolicyTables.KEY)).toList();

  private static final TomlMapper MAPPER = new TomlMapper();

  private final String name;
  private final String text;

  private TomlFile(String name, String text) {
    this.name = name;
    this.text = text;
  }

  /**
   * Sets what the file holds, except what a flag has set already.
   *
   * @param name path as the user wrote it
   * @throws BadOptionException for a file that cannot be read, or its first bad line
   */
  static void load(String name, OptionsBuilder builder) throws BadOptionException {
    TomlFile file = new TomlFile(name, read(name));
    for (Map.Entry<String, JsonNode> entry : file.parse().properties()) {
      if (entry.getKey().equals(PolicyTables.KEY)) {
        builder.policies(new PolicyTables(name, file.text).read(entry.getValue()));
      } else {
        file.set(entry.getKey(), entry.getValue(), builder);
      }
    }
  }

  private static String read(String name) throws BadOptionException {
    File file = new File(name);
    if (!file.exists()) {
      throw bad("config file " + GoValues.quote(name) + " does not exist");
    }
    if (file.isDirectory()) {
      throw bad("config file " + GoValues.quote(name) + " is a directory: accepted is a TOML file");
    }
    try (InputStream in = new FileInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw bad(
            "config file "
                + GoValues.quote(name)
                + " is too big: accepted is up to "
                + MAX_BYTES
                + " bytes");
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith("\ufeff") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw bad("config file " + GoValues.quote(name) + " is not UTF-8 text");
    } catch (IOException e) {
      throw bad("config file " + GoValues.quote(name) + " cannot be read: " + e.getMessage());
    }
  }

  private JsonNode parse() throws BadOptionException {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      if ("Duplicate key".equals(e.getOriginalMessage())) {
        throw bad(duplicateKey(at == null ? Integer.MAX_VALUE : at.getLineNr()));
      }
      String place = at == null || at.getLineNr() < 1 ? name : name + ":" + at.getLineNr();
      throw bad(place + ": not valid TOML: " + e.getOriginalMessage());
    } catch (RuntimeException e) {
      // Jackson lets some causes through as they are, e.g. numbers beyond its limits.
      throw bad(name + ": not valid TOML: " + e);
    }
  }

  /** Names the key that a line no later than this gives again; the parser only says that one is. */
  private String duplicateKey(int lastLine) {
    Map<String, Integer> firstLines = new HashMap<>();
    String[] lines = text.split("\n", -1);
    String prefix = "";
    for (int i = 0; i < Math.min(lastLine, lines.length); i++) {
      Matcher table = TABLE.matcher(lines[i]);
      if (table.lookingAt()) {
        // Each [[table]] has keys of its own.
        prefix = lines[i].strip() + (lines[i].contains("[[") ? i : "");
      }
      Matcher assigned = KEY.matcher(lines[i]);
      if (assigned.lookingAt()) {
        String key = assigned.group(1).replaceAll("[\"'\\s]", "");
        Integer first = firstLines.putIfAbsent(prefix + key, i + 1);
        if (first != null) {
          return name
              + ":"
              + (i + 1)
              + ": not valid TOML: "
              + key
              + " is given twice, first in line "
              + first;
        }
      }
    }
    return name + ": not valid TOML: a key is given twice";
  }

  private void set(String key, JsonNode node, OptionsBuilder builder) throws BadOptionException {
    String place = place(key);
    OptionSpec spec = OptionTable.byTomlKey(key).orElse(null);
    if (spec == null) {
      throw bad(place + ": " + unknownKey(key, KEYS));
    }
    Origin origin = Origin.file(place);
    Object value =
        spec.type()
            .parseToml(exact(key, node))
            .filter(read -> spec.type().inBounds(spec.used(read)))
            .orElseThrow(
                () ->
                    bad(
                        origin.complaint(spec, shown(exact(key, node)))
                            + ": accepted is "
                            + spec.accepted()));
    if (builder.origin(spec).kind() != Origin.Kind.FLAG) {
      builder.set(spec, value, origin);
    }
  }

  /**
   * What is said of a key that is not known.
   *
   * @param known what may have been meant
   */
  static String unknownKey(String key, Collection<String> known) {
    return "unknown key "
        + GoValues.quote(key)
        + Suggestion.closest(key, known)
            .or(() -> OptionTable.byFlag(key.replace('_', '-')).map(OptionSpec::tomlKey))
            .map(meant -> ": did you mean " + meant + "?")
            .orElse(": conf/holdfast.toml lists the accepted ones");
  }

  /**
   * jackson-dataformat-toml 2.21.8 drops the leading digits of decimal integers with 19 digits (it
   * reads 9223372036854775807 as 6854775807). A misread limit must not pass for what the user
   * wrote.
   */
  private JsonNode exact(String key, JsonNode node) {
    return exact(key, node, text);
  }

  /**
   * As {@link #exact(String, JsonNode)}.
   *
   * @param text where the key stands
   */
  static JsonNode exact(String key, JsonNode node, String text) {
    if (!node.isIntegralNumber()) {
      return node;
    }
    Pattern literal =
        Pattern.compile(
            "^[ \\t]*[\"']?" + Pattern.quote(key) + "[\"']?[ \\t]*=[ \\t]*([+-]?[0-9_]{19,})",
            Pattern.MULTILINE);
    Matcher matcher = literal.matcher(text);
    OptionalLong number =
        matcher.find()
            ? GoValues.parseDecimalInt(matcher.group(1).replace("_", ""))
            : OptionalLong.empty();
    return number.isPresent() ? LongNode.valueOf(number.getAsLong()) : node;
  }

  private static String shown(JsonNode node) {
    return GoValues.quote(node.isValueNode() ? node.asText() : node.toString());
  }

  /**
   * The file and, where the key stands plainly at the start of a line or in a table's head, the
   * line.
   */
  private String place(String key) {
    Pattern start =
        Pattern.compile("[ \\t]*\\[{0,2}[ \\t]*[\"']?" + Pattern.quote(key) + "(?![\\w-]).*");
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (start.matcher(lines[i]).lookingAt()) {
        return name + ":" + (i + 1);
      }
    }
    return name;
  }

  private static BadOptionException bad(String message) {
    return new BadOptionException(BadOptionException.BAD_REST, message);
  }
}
