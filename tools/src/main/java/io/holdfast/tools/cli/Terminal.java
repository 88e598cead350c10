package io.holdfast.tools.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where standard output and error go. */
public final class Terminal {
  private Terminal() {}

  /**
   * @return whether standard output is a terminal
   */
  public static boolean isOut() {
    return is(1);
  }

  /**
   * @return whether standard error is a terminal
   */
  public static boolean isErr() {
    return is(2);
  }

  /**
   * @return where to ask for a password; null when standard input and output are no terminal
   */
  public static Console console() {
    Console console = System.console();
    return isTerminal(console) ? console : null;
  }

  /** Java asks only about standard input and output together; Linux tells of each. */
  private static boolean is(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/")
          || target.startsWith("/dev/tty")
          || target.equals("/dev/console");
    } catch (IOException | UnsupportedOperationException notLinux) {
      return console() != null;
    }
  }

  /** From Java 22 on there always is a console, which then says itself whether it is a terminal. */
  private static boolean isTerminal(Console console) {
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true;
    } catch (ReflectiveOperationException e) {
      return false; // Not known: then nothing is redrawn.
    }
  }
}
