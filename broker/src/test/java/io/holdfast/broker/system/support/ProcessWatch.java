package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What the operating system and the JVM say of a process that runs: Linux, JDK tools. */
public final class ProcessWatch {
  private final long pid;

  ProcessWatch(long pid) {
    this.pid = pid;
  }

  private Path proc(String name) {
    return Path.of("/proc", Long.toString(pid), name);
  }

  /** What its file descriptors point to. */
  public List<String> openFiles() {
    List<String> targets = new ArrayList<>();
    try (DirectoryStream<Path> fds = Files.newDirectoryStream(proc("fd"))) {
      for (Path fd : fds) {
        try {
          targets.add(Files.readSymbolicLink(fd).toString());
        } catch (NoSuchFileException e) {
          continue; // closed meanwhile
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return targets;
  }

  /** The mapped files, one entry for each mapping. */
  public List<String> mappedFiles() {
    final int nameColumn = 6;
    try {
      return Files.readAllLines(proc("maps"), StandardCharsets.ISO_8859_1).stream()
          .map(line -> line.split(" +", nameColumn))
          .filter(columns -> columns.length == nameColumn && columns[5].startsWith("/"))
          .map(columns -> columns[5])
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Threads, the JVM's own ones included. */
  public int threads() {
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(proc("task"))) {
      int count = 0;
      for (Path task : tasks) {
        count += task == null ? 0 : 1;
      }
      return count;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Live objects of exactly this class, after a full collection. */
  public long instances(String className) {
    for (String line : jcmd("GC.class_histogram").split("\n")) {
      String[] columns = line.strip().split(" +");
      if (columns.length >= 4 && columns[3].equals(className)) {
        return Long.parseLong(columns[1]);
      }
    }
    return 0;
  }

  /** The stacks of all threads, and the deadlocks among them. */
  public String threadDump() {
    return jcmd("Thread.print");
  }

  private String jcmd(String command) {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    try {
      Path out = Files.createTempFile("holdfast-jcmd", ".txt");
      try {
        Process process =
            new ProcessBuilder(jcmd.toString(), Long.toString(pid), command)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("jcmd " + command + " does not end");
        }
        return Files.readString(out, StandardCharsets.ISO_8859_1);
      } finally {
        Files.deleteIfExists(out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
