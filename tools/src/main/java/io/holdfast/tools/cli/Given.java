package io.holdfast.tools.cli;

import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** What was given on a command line, and what of it makes no sense together. */
public final class Given {
  private Given() {}

  /**
   * Refuses options that would do nothing: whoever gave them expects something.
   *
   * @param spec the command's
   * @param when why, such as {@code without --lookupd}
   * @param options long names
   * @throws ToolException about usage when one of them was given
   */
  public static void refuse(CommandSpec spec, String when, String... options) {
    CommandLine.ParseResult given = spec.commandLine().getParseResult();
    for (String option : options) {
      if (given.hasMatchedOption(option)) {
        throw ToolException.usage(option + " has no effect " + when);
      }
    }
  }

  /**
   * @param value of an enum
   * @return how it is written on a command line
   */
  public static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
