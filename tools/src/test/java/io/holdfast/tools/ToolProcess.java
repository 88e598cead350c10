package io.holdfast.tools;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The packaged tools as processes, for what only a process can show. */
public final class ToolProcess implements AutoCloseable {
  /** How the shell starts them: {@code $TOOLS command ...}. */
  private static final String TOOLS =
      Path.of(System.getProperty("java.home"), "bin", "java")
          + " -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "
          + Path.of("target", "holdfast-tools.jar").toAbsolutePath();

  private final Path out;
  private final Path err;
  private final Process process;

  private ToolProcess(Path dir, String script) throws IOException {
    out = Files.createTempFile(dir, "out", ".txt");
    err = Files.createTempFile(dir, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder("env", "--default-signal=INT", "bash", "-c", script);
    builder.environment().put("TOOLS", TOOLS);
    process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
  }

  /**
   * Starts a script of bash.
   *
   * @param dir where its output goes
   * @param script with {@code $TOOLS} for the command; {@code exec} makes it the process itself
   */
  public static ToolProcess start(Path dir, String script) throws IOException {
    return new ToolProcess(dir, script);
  }

  /** Waits for the exit code; fails after two minutes. */
  public int code() throws InterruptedException {
    if (!process.waitFor(2, TimeUnit.MINUTES)) {
      throw new AssertionError("does not end");
    }
    return process.exitValue();
  }

  /** Sends a signal, such as INT. */
  public void signal(String name) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  /** What the script printed to standard output so far. */
  public String out() {
    return read(out);
  }

  /** What it printed to standard error so far. */
  public String err() {
    return read(err);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Kills what is left. */
  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
