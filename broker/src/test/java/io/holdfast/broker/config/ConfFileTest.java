package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** conf/holdfast.toml documents every option and tells the truth about the defaults. */
class ConfFileTest {
  private static final Path CONF = Path.of("..", "conf", "holdfast.toml");
  private static final Pattern COMMENTED = Pattern.compile("# ([a-z0-9_]+ = .*)");

  @TempDir Path dir;

  @Test
  void shouldHoldEveryOptionOnceAndNoOther() throws IOException {
    List<String> keys =
        Files.readAllLines(CONF).stream()
            .filter(line -> line.matches("(# )?[a-z0-9_]+ = .*"))
            .map(line -> line.replaceFirst("^# ", "").replaceFirst(" = .*", ""))
            .sorted()
            .toList();
    assertEquals(OptionTable.tomlKeys().stream().sorted().toList(), keys);
  }

  @Test
  void shouldShowTheDefaultsInItsComments() throws IOException {
    String uncommented =
        Files.readAllLines(CONF).stream()
            .map(line -> COMMENTED.matcher(line).replaceFirst("$1"))
            .collect(Collectors.joining("\n"));
    // The two that differ on purpose: the id is computed, the data path is the file's one active
    // line.
    Parsed parsed =
        Loading.file(dir, uncommented, "--data-path=", "--node-id=" + Options.defaults().nodeId());
    assertEquals(
        Options.defaults(), assertInstanceOf(Parsed.Run.class, parsed, parsed::toString).options());
  }

  @Test
  void shouldActivateOnlyTheDataPath() throws IOException {
    List<String> active =
        Files.readAllLines(CONF).stream().filter(l -> !l.isBlank() && !l.startsWith("#")).toList();
    assertEquals(List.of("data_path = \"data\""), active);
    assertTrue(Files.isDirectory(Path.of("..", "data")), "data/ must be in the repository");
  }
}
