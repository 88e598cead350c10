package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Loads options in tests, with a data path that exists. */
final class Loading {
  private Loading() {}

  static Options run(String... args) {
    return assertInstanceOf(
            Parsed.Run.class, OptionsLoader.parse(args), () -> String.join(" ", args))
        .options();
  }

  static Parsed.Fail fail(String... args) {
    return assertInstanceOf(
        Parsed.Fail.class, OptionsLoader.parse(args), () -> String.join(" ", args));
  }

  /** Parses flags after a file with this text. */
  static Parsed file(Path dir, String toml, String... flags) {
    Path file = dir.resolve("nsqd.cfg");
    try {
      Files.writeString(file, toml);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> args = new ArrayList<>(List.of("--config=" + file));
    args.addAll(List.of(flags));
    return OptionsLoader.parse(args.toArray(String[]::new));
  }
}
