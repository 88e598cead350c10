package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import io.holdfast.tools.ToolException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a user has set once for all commands: environment variables {@code HOLDFAST_...}, and the
 * same names in lower case without that beginning in {@code holdfast.toml} of the user's
 * configuration directory. An option beats the environment, which beats the file. Immutable.
 */
public final class Settings {
  /** Nothing is set. */
  public static final Settings NONE = new Settings(Map.of());

  private static final String PREFIX = "HOLDFAST_";

  private final Map<String, String> values;

  private Settings(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Reads what is set.
   *
   * @param environment the process' variables
   * @throws ToolException when there is a file that cannot be read
   */
  public static Settings load(Map<String, String> environment) {
    Map<String, String> values = new HashMap<>();
    Path file = file(environment);
    if (file != null && Files.exists(file)) {
      readFile(file, values);
    }
    environment.forEach(
        (name, value) -> {
          if (name.startsWith(PREFIX)) {
            values.put(name.substring(PREFIX.length()).toLowerCase(Locale.ROOT), value);
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

  private static void readFile(Path file, Map<String, String> to) {
    JsonNode toml;
    try {
      toml = new TomlMapper().readTree(file.toFile());
    } catch (IOException e) {
      String reason = ToolException.describe(e);
      throw ToolException.usage(reason.startsWith(file.toString()) ? reason : file + ": " + reason);
    }
    toml.fields().forEachRemaining(entry -> to.put(entry.getKey(), entry.getValue().asText()));
  }

  /**
   * A setting.
   *
   * @param name as in the file, such as {@code http_address}
   * @return null when it is not set
   */
  public String get(String name) {
    return values.get(name);
  }
}
