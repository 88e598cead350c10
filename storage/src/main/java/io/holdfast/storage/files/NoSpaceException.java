package io.holdfast.storage.files;

import java.io.IOException;
import java.nio.file.FileSystemException;

/**
 * The disk has no room, or the user no quota: nothing is broken, and it passes when space is back.
 */
public final class NoSpaceException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param what cannot be written, with the system's reason
   */
  public NoSpaceException(String what) {
    super(what);
  }

  /** Whether this is why something failed, whoever threw it: the JDK has only a text for it. */
  public static boolean isCauseOf(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String text =
          cause instanceof FileSystemException named ? named.getReason() : cause.getMessage();
      if (cause instanceof NoSpaceException
          || (text != null
              && (text.contains("No space left") || text.contains("quota exceeded")))) {
        return true;
      }
    }
    return false;
  }
}
