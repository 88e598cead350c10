package io.holdfast.tools;

import io.holdfast.tools.cli.CheckedOutput;
import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolContext;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Runs a command in this process, as {@link Main#main} would. */
public final class ToolRun {
  /** Ends the command, as Ctrl-C would. */
  public final StopSignal stop = new StopSignal();

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final CompletableFuture<Integer> code;

  private ToolRun(
      InputStream in, OutputStream to, boolean terminal, Settings settings, String... args) {
    ToolContext context =
        new ToolContext(
            in,
            CheckedOutput.over(to == null ? out : to),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            stop,
            terminal,
            settings);
    code =
        CompletableFuture.supplyAsync(
            () -> Main.run(context, args),
            work -> {
              Thread thread = new Thread(work, "tool");
              thread.setDaemon(true);
              thread.start();
            });
  }

  /** Starts a command with this text as standard input. */
  public static ToolRun start(String input, String... args) {
    return start(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), args);
  }

  /** Starts a command with this standard input. */
  public static ToolRun start(InputStream input, String... args) {
    return new ToolRun(input, null, false, Settings.NONE, args);
  }

  /** Starts a command that thinks its output is a terminal. */
  public static ToolRun onTerminal(String... args) {
    return new ToolRun(InputStream.nullInputStream(), null, true, Settings.NONE, args);
  }

  /** Starts a command of a user with these environment variables. */
  public static ToolRun as(Map<String, String> environment, String input, String... args) {
    return new ToolRun(
        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
        null,
        false,
        Settings.load(environment),
        args);
  }

  /** Starts a command whose output goes here. */
  public static ToolRun writingTo(OutputStream to, String... args) {
    return new ToolRun(InputStream.nullInputStream(), to, false, Settings.NONE, args);
  }

  /** Waits for the exit code. */
  public int code() throws Exception {
    return code.get(2, java.util.concurrent.TimeUnit.MINUTES);
  }

  /** What it printed to standard output so far. */
  public String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  /** What it printed to standard error so far. */
  public String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
