package io.holdfast.broker.cluster.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** The wall clock of one process, which can be put forward and back while it runs. */
final class SteppedClock {
  private static final String SOURCE = "/steppedclock.c";

  private final Path ahead;
  private final Path library;

  /**
   * A clock that is right.
   *
   * @param home where its file is made
   * @param library what {@link #build} made
   */
  SteppedClock(Path home, Path library) {
    this.ahead = home.resolve("clock");
    this.library = library;
    set(0);
  }

  /**
   * Compiles what a process is to load.
   *
   * @param into a directory
   * @return null when there is no C compiler here
   */
  static Path build(Path into) throws IOException {
    Path source = into.resolve("steppedclock.c");
    try (InputStream in = SteppedClock.class.getResourceAsStream(SOURCE)) {
      Files.copy(in, source);
    }
    Path library = into.resolve("steppedclock.so");
    String complaint =
        Shell.complaint("gcc", "-shared", "-fPIC", "-O", "-o", "" + library, "" + source, "-ldl");
    return complaint == null ? library : null;
  }

  /** What belongs into a process's environment, so that it goes by this clock. */
  Map<String, String> environment() {
    return Map.of("LD_PRELOAD", library.toString(), "FAULT_CLOCK", ahead.toString());
  }

  /** From now on it says so many seconds more than it is; negative for less. */
  void set(long seconds) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    bytes.putLong(0, seconds);
    try {
      // In place: the process has the file mapped.
      Files.write(ahead, bytes.array(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
