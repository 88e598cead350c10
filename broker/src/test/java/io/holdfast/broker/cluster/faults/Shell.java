package io.holdfast.broker.cluster.faults;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Runs programs of the system. */
final class Shell {
  private static final int TIMEOUT_S = 30;

  private Shell() {}

  /**
   * Runs a program to its end.
   *
   * @return null when it ended with 0, else what it said
   */
  static String complaint(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return "hangs";
      }
      return process.exitValue() == 0 ? null : "exit " + process.exitValue() + ": " + said;
    } catch (IOException e) {
      return "not there: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /** Runs a program that has to work. */
  static void run(String... command) {
    String complaint = complaint(command);
    if (complaint != null) {
      throw new IllegalStateException(String.join(" ", command) + ": " + complaint);
    }
  }
}
