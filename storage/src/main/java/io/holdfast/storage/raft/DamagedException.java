package io.holdfast.storage.raft;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What a group has promised cannot be read any more: it must not go on, vote or answer from what is
 * left. Not thrown for what is only out of reach (permissions, descriptors), nor for what is not
 * there at all ({@link java.nio.file.NoSuchFileException}).
 */
public final class DamagedException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path file;
  private final long offset;

  /**
   * @param what is damaged: "log", "vote", "snapshot"
   * @param offset in the file, bytes
   * @param defect what is wrong there, for people
   */
  public DamagedException(String what, Path file, long offset, String defect) {
    super(what + " damaged: " + file + ":" + offset + ": " + defect);
    this.file = file;
    this.offset = offset;
  }

  /** The file, which may be gone; null after a serialization. */
  public Path file() {
    return file;
  }

  /** Where in it, bytes from its beginning. */
  public long offset() {
    return offset;
  }
}
