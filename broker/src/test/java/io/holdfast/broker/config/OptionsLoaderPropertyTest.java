package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Whatever the user writes, the answer is a {@link Parsed}: one line at most, never an exception.
 */
class OptionsLoaderPropertyTest {
  private static Path file;

  @BeforeContainer
  static void createFile() throws IOException {
    file = Files.createTempFile("holdfast-fuzz", ".toml");
  }

  @AfterContainer
  static void deleteFile() throws IOException {
    Files.deleteIfExists(file);
  }

  @Provide
  Arbitrary<String> values() {
    return Arbitraries.oneOf(
        Arbitraries.strings().ofMaxLength(12),
        Arbitraries.strings().withChars("0123456789.,:-+_ xXhmsKiMB[]/\0\n\"'#=").ofMaxLength(24),
        Arbitraries.longs().map(String::valueOf),
        Arbitraries.of("true", "", "1h30m", "64KiB", "a:1", "0.99", "tls1.2", "9".repeat(400)));
  }

  @Provide
  Arbitrary<List<String>> arguments() {
    Arbitrary<String> flag =
        Arbitraries.of(OptionTable.all()).map(OptionSpec::flag).filter(f -> !f.isEmpty());
    Arbitrary<String> argument =
        Arbitraries.oneOf(
            Combinators.combine(Arbitraries.of("-", "--", "---", ""), flag, values())
                .as((dash, name, value) -> dash + name + "=" + value),
            flag.map(name -> "--" + name),
            values());
    return argument.list().ofMaxSize(6);
  }

  @Provide
  Arbitrary<String> files() {
    Arbitrary<String> key =
        Arbitraries.oneOf(Arbitraries.of(OptionTable.all()).map(OptionSpec::tomlKey), values());
    Arbitrary<String> value =
        Arbitraries.oneOf(
            values(),
            values().map(v -> "\"" + v + "\""),
            values().map(v -> "[" + v + "]"),
            Arbitraries.of(
                "1979-05-27", "07:32:99", "nan", "inf", "{a=1}", "[[", "'''", "1e999999999"));
    return Combinators.combine(key, value)
        .as((k, v) -> k + " = " + v)
        .list()
        .ofMaxSize(4)
        .map(lines -> String.join("\n", lines));
  }

  @Property
  void shouldAnswerAnyArguments(@ForAll("arguments") List<String> arguments) {
    check(OptionsLoader.parse(arguments.toArray(String[]::new)));
  }

  @Property
  void shouldAnswerAnyFile(@ForAll("files") String text) throws IOException {
    Files.writeString(file, text.replaceAll("[\\ud800-\\udfff]", "?"));
    check(OptionsLoader.parse("--config=" + file));
  }

  @Property
  void shouldAnswerAnyBytesAsFile(@ForAll byte[] bytes) throws IOException {
    Files.write(file, bytes);
    check(OptionsLoader.parse("--config=" + file));
  }

  private static void check(Parsed parsed) {
    if (parsed instanceof Parsed.Fail fail) {
      assertTrue(fail.exitCode() == 1 || fail.exitCode() == 2);
      assertFalse(fail.message().chars().anyMatch(c -> c == '\n' || c == '\r'), fail.message());
      assertTrue(fail.message().length() < 1000, fail.message());
    } else if (parsed instanceof Parsed.Run run) {
      // What was accepted can be used.
      assertFalse(run.options().describe().isEmpty());
      assertTrue(run.options().ineffective().size() < 100);
      assertTrue(run.options().dataPath().toFile().isDirectory());
    }
  }
}
