package io.holdfast.broker.cluster.faults;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A node's disk: an ext4 in a file, mounted at the node's data path. It can be filled, and can go
 * as a disk goes at a power cut: what was not forced is not there afterwards, and until it is
 * mounted again every access fails. Used by one thread.
 */
final class FaultDisk implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int UNMOUNT_TRIES = 100;

  /** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: not even the file system's own journal. */
  private static final String SHUTDOWN =
      "import fcntl,os,struct,sys;"
          + "fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587D,struct.pack('I',2))";

  private final Path at;
  private final Path image;
  private final boolean canGo;
  private final Thread closing = new Thread(this::remove);

  private FaultDisk(Path at, Path image) {
    this.at = at;
    this.image = image;
    canGo = Shell.complaint("python3", "-c", "import fcntl") == null;
  }

  /**
   * Makes and mounts one.
   *
   * @param at an empty directory
   * @param image the file to be made
   * @return null when this process may not mount
   */
  static FaultDisk mounted(Path at, Path image, int megabytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength((long) megabytes << 20);
    }
    FaultDisk disk = new FaultDisk(at, image);
    if (Shell.complaint("mkfs.ext4", "-q", "-F", "-m", "0", image.toString()) == null
        && disk.mount() == null) {
      Runtime.getRuntime().addShutdownHook(disk.closing);
      return disk;
    }
    Files.delete(image);
    return null;
  }

  private String mount() {
    return Shell.complaint("mount", "-o", "loop,discard", image.toString(), at.toString());
  }

  /** Whether {@link #go} works here. */
  boolean canGo() {
    return canGo;
  }

  /** Leaves only so many bytes. */
  void fill(long leaveBytes) {
    try (RandomAccessFile ballast = new RandomAccessFile(ballast().toFile(), "rw")) {
      FileStore disk = Files.getFileStore(at);
      byte[] zeros = new byte[BUFFER_BYTES];
      ballast.seek(ballast.length());
      while (disk.getUsableSpace() > leaveBytes + BUFFER_BYTES) {
        ballast.write(zeros);
      }
    } catch (IOException e) {
      // Full it is; the broker took what was left.
      return;
    }
  }

  private Path ballast() {
    return at.resolve("ballast");
  }

  /** What {@link #fill} did is over. */
  void free() {
    try {
      Files.deleteIfExists(ballast());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From now on every access fails, and what was not forced is lost. */
  void go() {
    Shell.run("python3", "-c", SHUTDOWN, at.toString());
  }

  /** Back after {@link #go}; nobody has a file of it open. */
  void come() {
    unmount();
    String complaint = mount();
    if (complaint != null) {
      throw new IllegalStateException(at + ": " + complaint);
    }
  }

  private void unmount() {
    String complaint = "";
    // The kernel closes the files of a process that was killed a moment later.
    for (int i = 0; i < UNMOUNT_TRIES && complaint != null; i++) {
      complaint = Shell.complaint("umount", at.toString());
    }
    if (complaint != null) {
      throw new IllegalStateException(at + ": " + complaint);
    }
  }

  private void remove() {
    Shell.complaint("umount", "-l", at.toString());
    image.toFile().delete();
  }

  @Override
  public void close() {
    Runtime.getRuntime().removeShutdownHook(closing);
    remove();
  }
}
