package io.holdfast.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolContext;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** README.md names the commands and options that there are, and each has a help. */
class ReadmeTest {
  private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]*[a-z]");

  /** Options of other programs in the examples. */
  private static final Set<String> OTHERS =
      Set.of("--data-path", "--tcp-address", "--http-address", "--mem-queue-size");

  private final CommandLine tools =
      Main.commandLine(
          new ToolContext(
              InputStream.nullInputStream(),
              System.out,
              System.err,
              new StopSignal(),
              false,
              Settings.NONE));

  private static String readme() throws IOException {
    return Files.readString(Path.of("README.md"));
  }

  private static Stream<CommandSpec> all(CommandSpec spec) {
    return Stream.concat(
        Stream.of(spec),
        spec.subcommands().values().stream().flatMap(sub -> all(sub.getCommandSpec())));
  }

  @Test
  void hasARowForEveryCommand() throws IOException {
    String text = readme();
    for (String name : tools.getSubcommands().keySet()) {
      assertTrue(text.contains("\n| [" + name + "]("), name);
    }
  }

  @Test
  void everyCommandExplainsItself() {
    all(tools.getCommandSpec())
        .forEach(spec -> assertTrue(spec.optionsMap().containsKey("--help"), spec.qualifiedName()));
  }

  /** In the section of a command: options of it, or of another one that the section names. */
  @Test
  void namesOnlyOptionsThatThereAre() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (String section : readme().split("\n## ")) {
      String title = section.lines().findFirst().orElseThrow().strip();
      Set<String> known = new TreeSet<>(OTHERS);
      tools.getSubcommands().values().stream()
          .filter(command -> section.matches("(?s).*\\b" + command.getCommandName() + "\\b.*"))
          .flatMap(command -> all(command.getCommandSpec()))
          .forEach(spec -> known.addAll(spec.optionsMap().keySet()));
      Set<String> named =
          OPTION.matcher(section).results().map(MatchResult::group).collect(Collectors.toSet());
      named.removeAll(known);
      named.forEach(option -> wrong.add(option + " in " + title));
    }
    assertEquals(List.of(), wrong);
  }
}
