package io.holdfast.storage.inspect;

import java.nio.file.Path;

/**
 * Something in a data directory that is not as it should be.
 *
 * @param file the file, or the directory for what has no file
 * @param offset byte offset in the file; -1 when the whole file is meant
 * @param harmless whether nothing acknowledged is lost: what a kill -9 may leave behind
 * @param what what is wrong, without file and offset
 * @param consequence what the broker does about it at its next start
 */
public record Defect(Path file, long offset, boolean harmless, String what, String consequence) {
  /** File and, where there is one, offset. */
  public String place() {
    return offset < 0 ? file.toString() : file + ":" + offset;
  }

  /** Told of defects as they are found. */
  public interface Listener {
    /** Somebody who does not care: the broker would only log it, too. */
    Listener NONE = defect -> {};

    void defect(Defect defect);
  }
}
