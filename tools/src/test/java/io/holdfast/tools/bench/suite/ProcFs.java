package io.holdfast.tools.bench.suite;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;

/** What Linux's {@code /proc} says of processes and of the machine. Stateless. */
public final class ProcFs {
  /** Ticks per second of all times in /proc: USER_HZ, part of the kernel's interface. */
  private static final double TICKS_PER_SECOND = 100;

  private static final Path PROC = Path.of("/proc");
  private static final String LISTEN = "0A";

  private ProcFs() {}

  /**
   * @return CPU time of a process so far, all its threads, user and system, s
   * @throws IOException when there is no such process
   */
  public static double cpuSeconds(long pid) throws IOException {
    return cpuTicks(Files.readString(of(pid).resolve("stat"))) / TICKS_PER_SECOND;
  }

  /** The fields utime and stime; the command in field two may hold blanks and parentheses. */
  static long cpuTicks(String stat) {
    List<String> fields = fields(stat.substring(stat.lastIndexOf(')') + 1));
    return Long.parseLong(fields.get(11)) + Long.parseLong(fields.get(12));
  }

  /**
   * @param key such as {@code VmRSS} or {@code Threads}
   * @return its number (kB where it has a unit); 0 when it is not there
   * @throws IOException when there is no such process
   */
  static long status(long pid, String key) throws IOException {
    return status(Files.readAllLines(of(pid).resolve("status")), key);
  }

  static long status(List<String> lines, String key) {
    return lines.stream()
        .filter(line -> line.startsWith(key + ":"))
        .map(line -> Long.parseLong(fields(line).get(1)))
        .findFirst()
        .orElse(0L);
  }

  /**
   * Lets {@code VmHWM} begin anew.
   *
   * @throws IOException when the kernel does not allow it
   */
  static void resetPeak(long pid) throws IOException {
    Files.write(of(pid).resolve("clear_refs"), "5".getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * @return CPU time that all processors together have been busy since boot, s
   */
  public static double machineBusySeconds() throws IOException {
    List<String> lines = Files.readAllLines(PROC.resolve("stat"));
    return busyTicks(lines.get(0)) / TICKS_PER_SECOND;
  }

  /** All of the first line of /proc/stat but idle, iowait, and what guests have in user already. */
  static long busyTicks(String cpuLine) {
    List<String> fields = fields(cpuLine);
    long busy = 0;
    for (int i = 1; i < Math.min(fields.size(), 9); i++) {
      if (i != 4 && i != 5) {
        busy += Long.parseLong(fields.get(i));
      }
    }
    return busy;
  }

  /**
   * How many files this process may open.
   *
   * @return {@link Long#MAX_VALUE} for no limit
   */
  static long openFilesLimit() throws IOException {
    return openFilesLimit(Files.readAllLines(PROC.resolve("self/limits")));
  }

  static long openFilesLimit(List<String> lines) {
    for (String line : lines) {
      if (line.startsWith("Max open files")) {
        String soft = fields(line).get(3);
        return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
      }
    }
    return Long.MAX_VALUE;
  }

  /**
   * The process that listens on a port, among a few.
   *
   * @return empty when none of them does
   */
  public static OptionalLong listener(int port, List<Long> pids) throws IOException {
    Set<String> sockets = new HashSet<>();
    for (String table : List.of("net/tcp", "net/tcp6")) {
      Path file = PROC.resolve(table);
      if (Files.isReadable(file)) {
        sockets.addAll(listening(Files.readAllLines(file), port));
      }
    }
    for (long pid : pids) {
      if (holdsAny(pid, sockets)) {
        return OptionalLong.of(pid);
      }
    }
    return OptionalLong.empty();
  }

  /** The sockets that listen on a port, as the links in /proc/PID/fd name them. */
  static Set<String> listening(List<String> table, int port) {
    String suffix = String.format(Locale.ROOT, ":%04X", port);
    Set<String> sockets = new HashSet<>();
    for (String line : table.subList(1, table.size())) {
      List<String> fields = fields(line);
      if (fields.get(3).equals(LISTEN) && fields.get(1).endsWith(suffix)) {
        sockets.add("socket:[" + fields.get(9) + "]");
      }
    }
    return sockets;
  }

  private static boolean holdsAny(long pid, Set<String> sockets) {
    try (DirectoryStream<Path> fds = Files.newDirectoryStream(of(pid).resolve("fd"))) {
      for (Path fd : fds) {
        if (sockets.contains(target(fd))) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return false; // It has ended, or is not ours: not the one either way.
    }
  }

  private static String target(Path fd) {
    try {
      return Files.readSymbolicLink(fd).toString();
    } catch (IOException e) {
      return ""; // Closed meanwhile.
    }
  }

  private static Path of(long pid) {
    return PROC.resolve(Long.toString(pid));
  }

  private static List<String> fields(String line) {
    return List.of(line.strip().split("\\s+"));
  }
}
