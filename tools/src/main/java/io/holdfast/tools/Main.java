package io.holdfast.tools;

import io.holdfast.storage.files.AsciiLocale;
import io.holdfast.tools.admin.AdminCommand;
import io.holdfast.tools.admin.PasswordCommand;
import io.holdfast.tools.bench.BenchCommand;
import io.holdfast.tools.bench.BenchModes;
import io.holdfast.tools.cli.CheckedOutput;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.Terminal;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.cli.Version;
import io.holdfast.tools.cli.Visible;
import io.holdfast.tools.cluster.ClusterCommand;
import io.holdfast.tools.cluster.DemoCommand;
import io.holdfast.tools.data.DumpCommand;
import io.holdfast.tools.data.ExportCommand;
import io.holdfast.tools.data.SummaryCommand;
import io.holdfast.tools.data.VerifyCommand;
import io.holdfast.tools.nsqd.ImportCommand;
import io.holdfast.tools.pub.PubCommand;
import io.holdfast.tools.stat.StatCommand;
import io.holdfast.tools.tail.TailCommand;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Entry point of {@code holdfast-tools.jar}: finds the command, turns every failure into one line
 * and an exit code. A new command is one line in {@code subcommands}; its class may have a
 * constructor that takes a {@link ToolContext}, and throws {@link ToolException} (or an {@link
 * IOException}) to fail.
 */
@Command(
    name = Version.NAME,
    description = "Tools for Holdfast and any other broker that speaks NSQ's protocol.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  echo hello | ${ROOT-COMMAND-NAME} pub --topic greetings",
      "  ${ROOT-COMMAND-NAME} tail --topic greetings",
      "  ${ROOT-COMMAND-NAME} stat",
      "  ${ROOT-COMMAND-NAME} bench both --seconds 5",
      "  ${ROOT-COMMAND-NAME} summary data",
      "",
      "Each command explains itself: ${ROOT-COMMAND-NAME} COMMAND --help.",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C."
    },
    subcommands = {
      PubCommand.class,
      TailCommand.class,
      StatCommand.class,
      AdminCommand.class,
      ClusterCommand.class,
      DemoCommand.class,
      PasswordCommand.class,
      BenchCommand.class,
      DumpCommand.class,
      SummaryCommand.class,
      VerifyCommand.class,
      ImportCommand.class,
      ExportCommand.class,
      GenerateCompletion.class,
    })
public final class Main implements Runnable {
  /** Commands whose exit code 0 says more than that all was shown. */
  private static final Set<String> JUDGING = Set.of("verify", "import", "export");

  private static final Logger log = LoggerFactory.getLogger(Main.class);

  /** Longest time a command may take to wind up after Ctrl-C. */
  private static final Duration WIND_UP = Duration.ofSeconds(5);

  @Spec private CommandSpec spec;

  /** Without a command there is nothing to do; says which there are. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "missing COMMAND");
  }

  /**
   * Runs one command and exits the process.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    // First of all: digits and letters in names and numbers are the same everywhere.
    Locale.setDefault(Locale.ROOT);
    StopSignal stop = new StopSignal();
    Thread hook = new Thread(() -> windUp(stop), "stop");
    Runtime.getRuntime().addShutdownHook(hook);
    PrintStream out = CheckedOutput.over(new FileOutputStream(FileDescriptor.out));
    PrintStream err =
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    boolean terminal = Terminal.isOut();
    int code;
    try {
      Settings settings = Settings.load(System.getenv());
      code =
          run(
              new ToolContext(
                  new FileInputStream(FileDescriptor.in), out, err, stop, terminal, settings),
              args);
    } catch (ToolException e) {
      err.println(Version.NAME + ": " + e.getMessage());
      code = e.exitCode();
    }
    stop.finished();
    System.exit(code);
  }

  /**
   * Runs one command in this process.
   *
   * @param context streams and stop request of the command
   * @param args the command line
   * @return the exit code
   */
  public static int run(ToolContext context, String... args) {
    CommandLine line = commandLine(context);
    StringWriter help = new StringWriter(); // Picocli would print the stack of a failed write.
    line.setOut(new PrintWriter(help));
    int code = line.execute(args);
    try {
      context.out().print(help);
      context.out().flush();
      return code;
    } catch (CheckedOutput.Failure e) {
      if (e.readerLeft()) {
        return code;
      }
      context.err().println(Version.NAME + ": " + e.getMessage());
      return Math.max(code, ExitCode.FAILURE);
    }
  }

  /** All commands, and what becomes of their failures. */
  static CommandLine commandLine(ToolContext context) {
    CommandLine line = new CommandLine(new Main(), new ContextFactory(context));
    CommandLine bench = line.getSubcommands().get("bench");
    for (BenchModes modes : ServiceLoader.load(BenchModes.class)) {
      modes.commands(context).forEach(bench::addSubcommand);
    }
    line.setErr(new PrintWriter(context.err(), true, StandardCharsets.UTF_8));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setAbbreviatedOptionsAllowed(false);
    line.setUsageHelpAutoWidth(true);
    complete(line);
    line.setParameterExceptionHandler(
        (e, unused) -> {
          String name = e.getCommandLine().getCommandSpec().qualifiedName();
          String message = e.getMessage().lines().findFirst().orElse("wrong usage");
          context
              .err()
              .println(
                  name
                      + ": "
                      + Visible.text(message)
                      + " (see: "
                      + name
                      + " --help)"
                      + AsciiLocale.cure(message));
          return ExitCode.USAGE;
        });
    line.setExecutionExceptionHandler(
        (e, failed, unused) -> {
          log.debug("failed", e);
          if (e instanceof CheckedOutput.Failure output) { // The last flush fails with the same.
            boolean cut = output.readerLeft() && JUDGING.contains(failed.getCommandName());
            return cut ? ExitCode.PIPE : ExitCode.OK;
          }
          context.out().flush();
          String name = failed.getCommandSpec().qualifiedName();
          String reason = failureLine(e);
          context.err().println(name + ": " + Visible.text(reason) + AsciiLocale.cure(reason));
          return e instanceof ToolException own ? own.exitCode() : ExitCode.FAILURE;
        });
    return line;
  }

  /**
   * Gives a command, and all below it, --help and --version, and leaves the lines of its footer:
   * they are commands to copy, which must not be broken. Commands that are methods have their
   * --help by annotation: picocli passes a method its options by position.
   */
  private static void complete(CommandLine line) {
    line.getCommandSpec().mixinStandardHelpOptions(true).versionProvider(new Version());
    line.getHelpSectionMap()
        .put(
            UsageMessageSpec.SECTION_KEY_FOOTER,
            help -> {
              String[] footer = help.commandSpec().usageMessage().footer();
              return footer.length == 0
                  ? ""
                  : String.format(Locale.ROOT, String.join("%n", footer)) + "\n";
            });
    line.getSubcommands().values().forEach(Main::complete);
  }

  private static String failureLine(Exception e) {
    if (e instanceof UncheckedIOException) {
      return ToolException.describe(e.getCause());
    }
    if (e instanceof InterruptedException || e instanceof InterruptedIOException) {
      return "interrupted";
    }
    if (e instanceof ToolException || e instanceof IOException) {
      return ToolException.describe(e);
    }
    return "internal error: " + e;
  }

  private static void windUp(StopSignal stop) {
    stop.stop();
    try {
      if (!stop.awaitFinished(WIND_UP)) {
        log.warn("the command did not end within {} s after the request", WIND_UP.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Makes commands, handing the context to those that ask for it. */
  private record ContextFactory(ToolContext context) implements CommandLine.IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
      for (Constructor<?> constructor : type.getDeclaredConstructors()) {
        Class<?>[] parameters = constructor.getParameterTypes();
        if (parameters.length == 1 && parameters[0] == ToolContext.class) {
          constructor.setAccessible(true); // Nested commands are not public.
          return type.cast(constructor.newInstance(context));
        }
      }
      return CommandLine.defaultFactory().create(type);
    }
  }
}
