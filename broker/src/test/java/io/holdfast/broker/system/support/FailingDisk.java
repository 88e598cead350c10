package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/**
 * A disk that cannot read some of its blocks, which a test chooses while it is in use: a file
 * system in user space that hands all the rest on to a directory. Needs gcc, libfuse3 with its
 * headers, {@code /dev/fuse} and the right to mount, or the test is skipped. Used by one thread.
 */
public final class FailingDisk implements AutoCloseable {
  /** What cannot be read at a time. */
  public static final int BLOCK_BYTES = 4096;

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Path mountPoint;
  private final Path list;
  private final Process server;
  private final List<String> lines = new ArrayList<>();

  private FailingDisk(Path mountPoint, Path list, Process server) {
    this.mountPoint = mountPoint;
    this.list = list;
    this.server = server;
  }

  /**
   * Mounts a disk without content and without fault.
   *
   * @param mountPoint an empty directory
   * @param work where program and content go
   */
  public static FailingDisk mount(Path mountPoint, Path work) throws IOException {
    Path source = work.resolve("failingdisk.c");
    try (InputStream in = FailingDisk.class.getResourceAsStream("/failingdisk.c")) {
      Files.copy(in, source);
    }
    Path program = work.resolve("failingdisk");
    run(work, "gcc -O -o %s %s -lfuse3 -lpthread".formatted(program, source));
    Path behind = Files.createDirectory(work.resolve("behind"));
    Path list = work.resolve("unreadable.txt");
    Path log = work.resolve("failingdisk.log");
    Process server =
        new ProcessBuilder("" + program, "" + behind, "" + list, "" + mountPoint, "-f")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    FailingDisk disk = new FailingDisk(mountPoint, list, server);
    try {
      Awaitility.await("the mount of a disk in user space")
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(20))
          .until(() -> !server.isAlive() || disk.isMounted());
      if (!server.isAlive()) {
        skip(Files.readString(log));
      }
      return disk;
    } catch (RuntimeException | Error e) {
      disk.close();
      throw e;
    }
  }

  private boolean isMounted() throws IOException {
    return Files.readString(Path.of("/proc/mounts")).contains(" " + mountPoint + " fuse");
  }

  private static void skip(String why) {
    String reason = "no disk with faults can be had here: " + why.strip();
    System.out.println("SKIPPED: " + reason);
    Assumptions.abort(reason);
  }

  private static void run(Path work, String script) throws IOException {
    Path log = work.resolve("gcc.log");
    Process process =
        new ProcessBuilder("sh", "-c", script)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      if (!process.waitFor(2, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError("hangs: " + script);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    if (process.exitValue() != 0) {
      skip(Files.readString(log));
    }
  }

  /**
   * From now on the blocks at these offsets of a file cannot be read, also not from memory: the
   * kernel has to ask the disk again, for mapped pages as well.
   */
  public void breakBlocks(Path file, long... offsets) {
    for (long offset : offsets) {
      lines.add(mountPoint.relativize(file) + " " + offset / BLOCK_BYTES * BLOCK_BYTES);
    }
    publish();
  }

  private void publish() {
    try {
      Path next = list.resolveSibling("next.txt");
      Files.writeString(next, String.join("\n", lines) + "\n", StandardCharsets.UTF_8);
      Files.move(next, list, StandardCopyOption.ATOMIC_MOVE);
      long ns = Files.getLastModifiedTime(list).to(TimeUnit.NANOSECONDS);
      Path seen = list.resolveSibling(list.getFileName() + ".seen");
      Awaitility.await("the disk has seen what it cannot read")
          .atMost(PATIENCE)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(10))
          .until(() -> Files.exists(seen) && Files.readString(seen).strip().equals("" + ns));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      // Lazily: a process that was just killed can still hold a mapping for a moment.
      new ProcessBuilder("umount", "-l", mountPoint.toString()).start().waitFor();
      if (!server.waitFor(1, TimeUnit.SECONDS)) {
        server.destroyForcibly().waitFor();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
