package io.holdfast.storage.files;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import jnr.ffi.LastError;
import jnr.ffi.Runtime;
import net.openhft.posix.PosixAPI;

/**
 * The lock that nsqd takes on its data path: {@code flock(2)} on the directory itself. Java's own
 * file locks are of another kind, which nsqd does not see. Held until closed or the process ends.
 */
public final class DirectoryLock implements Closeable {
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int CLOSE_ON_EXEC = 02000000;

  /** errno EWOULDBLOCK. */
  private static final int HELD = 11;

  private int fd;

  private DirectoryLock(int fd) {
    this.fd = fd;
  }

  /**
   * Locks a directory.
   *
   * @return null when another process has it
   * @throws IOException when it cannot be opened
   */
  public static DirectoryLock tryLock(Path dir) throws IOException {
    ChronicleSetup.silence();
    ChronicleSetup.requireNativeCalls();
    CLibrary.Calls libC = CLibrary.calls();
    int fd = libC.open(CLibrary.path(dir), CLOSE_ON_EXEC);
    if (fd < 0) {
      throw new IOException(
          "cannot open " + dir + ": " + PosixAPI.posix().strerror(PosixAPI.posix().lastError()));
    }
    Runtime runtime = Runtime.getRuntime(libC);
    // The first call loads classes, and with that changes the error number it is asked for.
    LastError.getLastError(runtime);
    if (libC.flock(fd, LOCK_EX | LOCK_NB) != 0) {
      int error = LastError.getLastError(runtime);
      PosixAPI.posix().close(fd);
      if (error == HELD) {
        return null;
      }
      throw new IOException(
          "cannot lock the directory " + dir + ": " + PosixAPI.posix().strerror(error));
    }
    return new DirectoryLock(fd);
  }

  @Override
  public void close() {
    if (fd >= 0) {
      PosixAPI.posix().close(fd);
      fd = -1;
    }
  }
}
