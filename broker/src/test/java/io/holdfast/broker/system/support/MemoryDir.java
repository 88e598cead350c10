package io.holdfast.broker.system.support;

import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A scratch directory in memory where the machine has room for it, for tests in which neither the
 * disk's speed nor a power cut is of interest.
 *
 * @param path deleted at the end
 */
public record MemoryDir(Path path) implements AutoCloseable {
  private static final Path SHM = Path.of("/dev/shm");
  private static final long MIN_BYTES = 256 << 20;

  /** A new directory. */
  public static MemoryDir create() throws IOException {
    boolean inMemory =
        Files.isWritable(SHM) && Files.getFileStore(SHM).getUsableSpace() > MIN_BYTES;
    return new MemoryDir(
        inMemory
            ? Files.createTempDirectory(SHM, "holdfast-test")
            : Files.createTempDirectory("holdfast-test"));
  }

  @Override
  public void close() throws IOException {
    DurableFiles.deleteTree(path);
  }
}
