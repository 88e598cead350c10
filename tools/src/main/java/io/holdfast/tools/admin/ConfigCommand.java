package io.holdfast.tools.admin;

import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Version;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code admin config}: reads and changes options of a running broker. */
@Command(
    name = "config",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Options of the running broker: get, set.",
    synopsisSubcommandLabel = "COMMAND")
final class ConfigCommand implements Runnable {
  @ParentCommand private AdminCommand admin;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing COMMAND");
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Prints an option's value as the broker gives it.")
  int get(@Parameters(paramLabel = "KEY") String key) throws IOException {
    print(admin.api().text(path(key)));
    return ExitCode.OK;
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = "Changes an option; the broker says which can be (log_level and nsqlookupds).")
  int set(@Parameters(paramLabel = "KEY") String key, @Parameters(paramLabel = "VALUE") String to)
      throws IOException {
    print(admin.api().send("PUT", path(key), to.getBytes(StandardCharsets.UTF_8)));
    return ExitCode.OK;
  }

  private static String path(String key) {
    return "/config/" + URLEncoder.encode(key, StandardCharsets.UTF_8);
  }

  private void print(String value) {
    PrintStream out = admin.context().out();
    out.println(value);
  }
}
