package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * A file system of a few megabytes, mounted on a directory; a test that may not mount is skipped.
 */
public final class SmallDisk implements AutoCloseable {
  private final Path dir;

  private SmallDisk(Path dir) {
    this.dir = dir;
  }

  /**
   * Mounts a tmpfs on an existing directory.
   *
   * @param megabytes its size
   */
  public static SmallDisk mount(Path dir, int megabytes) {
    return mount(dir, "size=" + megabytes + "m");
  }

  /** Mounts a tmpfs from which no program and no library may be run. */
  public static SmallDisk mountNoExec(Path dir) {
    return mount(dir, "noexec");
  }

  private static SmallDisk mount(Path dir, String options) {
    int exit = run("mount", "-t", "tmpfs", "-o", options, "holdfast", dir.toString());
    if (exit != 0) {
      System.out.println("SKIPPED: mount of a tmpfs is not permitted here (exit " + exit + ")");
      Assumptions.abort("mount of a tmpfs is not permitted here");
    }
    return new SmallDisk(dir);
  }

  /** Bytes that can still be written. */
  public long usableBytes() {
    try {
      return Files.getFileStore(dir).getUsableSpace();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        throw new AssertionError("hangs: " + String.join(" ", command));
      }
      return process.exitValue();
    } catch (IOException e) {
      return -1; // no such program
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    // Lazily: a process that was just killed can still hold a mapping for a moment.
    run("umount", "-l", dir.toString());
  }
}
