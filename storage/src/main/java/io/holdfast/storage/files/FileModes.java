package io.holdfast.storage.files;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/**
 * Keeps what a process writes to its own user: by the process's file mode mask, since Chronicle and
 * the JVM make files of their own. Thread-safe.
 */
public final class FileModes {
  /** Nothing for group and others. */
  private static final int OWNER_ONLY = 077;

  private static final int ALL = 0777;

  @GuardedBy("FileModes.class")
  private static Integer former;

  private FileModes() {}

  /**
   * From now on new files of this process have mode 0600 and new directories 0700, whatever the
   * mask was. Before anything is written; a second call changes nothing.
   *
   * @throws IllegalStateException when native calls are not available
   */
  public static synchronized void ownerOnly() {
    if (former == null) {
      ChronicleSetup.silence();
      ChronicleSetup.requireNativeCalls();
      former = CLibrary.calls().umask(OWNER_ONLY);
    }
  }

  /** The mode bits that a file for everybody would have by the mask that the process came with. */
  public static synchronized int byFormerMask() {
    return former == null ? ALL : ALL & ~former;
  }
}
