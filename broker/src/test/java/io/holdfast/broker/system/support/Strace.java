package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/** strace attached to a running broker. Used by one thread. */
public final class Strace implements AutoCloseable {
  private static final Pattern BEGUN =
      Pattern.compile("^(\\d+) +(\\w+)\\((.*?)( <unfinished \\.\\.\\.>|\\) += (-?\\d+).*)$");
  private static final Pattern RESUMED =
      Pattern.compile("^(\\d+) +<\\.\\.\\. (\\w+) resumed>.*\\) += (-?\\d+).*$");

  private final Process process;
  private final Path trace;
  private final Path messages;

  /**
   * A system call, in the order in which calls ended.
   *
   * @param args with paths and sockets behind the file descriptors
   */
  public record Call(String name, String args, long result) {}

  private Strace(Process process, Path trace, Path messages) {
    this.process = process;
    this.trace = trace;
    this.messages = messages;
  }

  /**
   * Attaches to every thread of a broker. The test is skipped, with the reason, where that is not
   * possible.
   *
   * @param options of strace, beside those for attaching and for the output
   */
  public static Strace attach(BrokerProcess broker, String... options) {
    try {
      Path trace = Files.createTempFile(broker.home(), "strace", ".txt");
      Path messages = Files.createTempFile(broker.home(), "strace", ".err");
      List<String> command = new ArrayList<>(List.of("strace", "-f", "-y", "-s", "80"));
      command.addAll(List.of(options));
      command.addAll(List.of("-o", trace.toString(), "-p", Long.toString(broker.pid())));
      Strace strace =
          new Strace(
              new ProcessBuilder(command).redirectError(messages.toFile()).start(),
              trace,
              messages);
      Awaitility.await("strace to attach")
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(20))
          .until(() -> !strace.process.isAlive() || strace.said("attached"));
      strace.require(strace.process.isAlive() && strace.said("attached"));
      return strace;
    } catch (IOException e) {
      return skip("strace is not there: " + e.getMessage());
    }
  }

  private void require(boolean attached) throws IOException {
    if (!attached) {
      skip("strace cannot attach: " + Files.readString(messages).strip());
    }
  }

  private static Strace skip(String why) {
    System.out.println("skipped, " + why);
    Assumptions.abort(why);
    return null;
  }

  private boolean said(String text) throws IOException {
    return Files.readString(messages).contains(text);
  }

  /** Everything so far, as strace wrote it. */
  public String text() {
    try {
      return Files.readString(trace, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The calls so far that have ended. */
  public List<Call> calls() {
    List<Call> calls = new ArrayList<>();
    Map<String, String> pending = new HashMap<>();
    for (String line : text().lines().toList()) {
      Matcher begun = BEGUN.matcher(line);
      Matcher resumed = RESUMED.matcher(line);
      if (resumed.matches()) {
        calls.add(
            new Call(
                resumed.group(2),
                pending.getOrDefault(resumed.group(1), ""),
                Long.parseLong(resumed.group(3))));
      } else if (begun.matches() && begun.group(5) == null) {
        pending.put(begun.group(1), begun.group(3));
        if (!begun.group(2).contains("sync")) {
          // Data leaves while a write runs: it counts from its begin.
          calls.add(new Call(begun.group(2), begun.group(3), 0));
        }
      } else if (begun.matches()) {
        calls.add(new Call(begun.group(2), begun.group(3), Long.parseLong(begun.group(5))));
      }
    }
    return calls;
  }

  /** Detaches; the broker goes on alone. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
