package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** When and where a suite ran. Stateless. */
public final class Environment {
  private static final Logger log = LoggerFactory.getLogger(Environment.class);

  private Environment() {}

  /**
   * @param commit what was measured; null when unknown
   * @param work where the data was
   * @return facts by name, in the order in which to print them
   */
  public static Map<String, String> facts(String commit, Path work) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put(
        "date",
        DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC)
            .format(Instant.now()));
    facts.put("commit", commit == null ? "unknown" : commit);
    facts.put("cpu", cpuModel(lines(Path.of("/proc/cpuinfo"))));
    facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    facts.put("memory", memory(lines(Path.of("/proc/meminfo"))));
    facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    facts.put("JDK", Runtime.version() + " (" + System.getProperty("java.vm.name") + ")");
    facts.put("file system", fileSystem(work));
    return facts;
  }

  static String cpuModel(List<String> cpuinfo) {
    return cpuinfo.stream()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }

  static String memory(List<String> meminfo) {
    long kb = ProcFs.status(meminfo, "MemTotal");
    return kb == 0 ? "unknown" : String.format(Locale.ROOT, "%.1f GiB", kb / 1024.0 / 1024);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      log.debug("{}", file, e);
      return List.of(); // The fact is then unknown.
    }
  }

  private static String fileSystem(Path work) {
    try {
      return Files.getFileStore(work).type();
    } catch (IOException e) {
      log.debug("{}", work, e);
      return "unknown";
    }
  }

  /**
   * The commit checked out in a directory.
   *
   * @return its short hash, with "+" when files differ from it; null when git does not know
   */
  static String commit(Path dir) {
    try {
      String hash = output(dir, "git", "rev-parse", "--short=10", "HEAD");
      String changes = output(dir, "git", "status", "--porcelain", "--untracked-files=no");
      return hash + (changes.isEmpty() ? "" : "+");
    } catch (ToolException e) {
      log.debug("no commit", e);
      return null;
    }
  }

  /**
   * What a short command prints.
   *
   * @throws ToolException with its last words when it fails or is not there
   */
  static String output(Path dir, String... command) {
    try {
      Process process =
          new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String text =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw new ToolException(String.join(" ", command) + ": " + text.replace('\n', ' '));
      }
      return text;
    } catch (IOException e) {
      throw new ToolException(ToolException.describe(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ToolException("interrupted", e);
    }
  }
}
