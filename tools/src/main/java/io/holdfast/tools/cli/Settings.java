package io.holdfast.tools.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * What a user has set once for all commands: environment variables {@code HOLDFAST_...}, and the
 * same names in lower case without that beginning in {@code holdfast.toml} of the user's
 * configuration directory. An option beats the environment, which beats the file. Immutable.
 */
public final class Settings {
  /** Nothing is set. */
  public static final Settings NONE = new Settings(Map.of());

  private static final String PREFIX = "HOLDFAST_";

  private final Map<String, Setting> values;

  /**
   * One of them.
   *
   * @param origin where it is set, for people
   */
  private record Setting(String value, String origin) {}

  private Settings(Map<String, Setting> values) {
    this.values = values;
  }

  /**
   * Reads what is set.
   *
   * @param environment the process' variables
   * @throws ToolException when there is a file that cannot be read
   */
  public static Settings load(Map<String, String> environment) {
    Map<String, Setting> values = new HashMap<>();
    Path file = file(environment);
    if (file != null && Files.exists(file)) {
      readFile(file, values);
    }
    environment.forEach(
        (name, value) -> {
          if (name.startsWith(PREFIX)) {
            values.put(
                name.substring(PREFIX.length()).toLowerCase(Locale.ROOT), new Setting(value, name));
          }
        });
    return new Settings(values);
  }

  /** {@code user.home} is what the user database says, which is not always where $HOME is. */
  private static Path file(Map<String, String> environment) {
    String xdg = environment.get("XDG_CONFIG_HOME");
    if (xdg != null && !xdg.isEmpty()) {
      return Path.of(xdg, "holdfast.toml");
    }
    String home = environment.get("HOME");
    return home == null || home.isEmpty() ? null : Path.of(home, ".config", "holdfast.toml");
  }

  private static void readFile(Path file, Map<String, Setting> to) {
    JsonNode toml;
    try {
      toml = new TomlMapper().readTree(file.toFile());
    } catch (IOException e) {
      String reason = ToolException.describe(e);
      throw ToolException.usage(reason.startsWith(file.toString()) ? reason : file + ": " + reason);
    }
    toml.properties()
        .forEach(
            entry ->
                to.put(
                    entry.getKey(),
                    new Setting(text(entry.getValue()), file + ": " + entry.getKey())));
  }

  /** A list as an option has it, with commas. */
  private static String text(JsonNode value) {
    if (!value.isArray()) {
      return value.asText();
    }
    List<String> parts = new ArrayList<>();
    value.forEach(part -> parts.add(part.asText()));
    return String.join(",", parts);
  }

  /**
   * A setting.
   *
   * @param name as in the file, such as {@code http_address}
   * @return null when it is not set, or to nothing
   */
  public String get(String name) {
    Setting setting = values.get(name);
    return setting == null || setting.value().isEmpty() ? null : setting.value();
  }

  /**
   * A setting that is true or false.
   *
   * @return null when it is not set
   * @throws ToolException when it is something else
   */
  public Boolean flag(String name) {
    String text = get(name);
    if (text == null) {
      return null;
    }
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true", "1" -> true;
      case "false", "0" -> false;
      default -> throw fault(name, "'" + text + "' is neither true nor false");
    };
  }

  /**
   * A setting of several, with commas between them.
   *
   * @param parse throws {@link IllegalArgumentException}, with a reason, for what is none
   * @return empty when it is not set
   * @throws ToolException when one is none
   */
  public <T> List<T> list(String name, Function<String, T> parse) {
    String text = get(name);
    List<T> parsed = new ArrayList<>();
    for (String part : text == null ? new String[0] : text.split(",")) {
      try {
        parsed.add(parse.apply(part.strip()));
      } catch (IllegalArgumentException e) {
        throw fault(name, e.getMessage());
      }
    }
    return parsed;
  }

  private ToolException fault(String name, String reason) {
    return ToolException.usage(values.get(name).origin() + ": " + reason);
  }
}
