package io.holdfast.storage.files;

import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Says in one line for people why something failed; many exceptions have no such text. */
public final class Reasons {
  private Reasons() {}

  /**
   * The reason, never empty and never just a file's or host's name.
   *
   * @param failure any exception
   */
  public static String of(Throwable failure) {
    String message = failure.getMessage();
    if (failure instanceof UnresolvedAddressException) {
      return "no such host";
    }
    if (failure instanceof UnknownHostException) {
      return "no such host" + (message == null ? "" : ": " + message);
    }
    if (failure instanceof FileSystemException file && file.getReason() == null) {
      return message + ": " + reason(file);
    }
    if (message == null || message.isBlank()) {
      Throwable cause = failure.getCause();
      return cause == null || cause == failure ? failure.getClass().getSimpleName() : of(cause);
    }
    return message.lines().findFirst().orElse(message).strip();
  }

  private static String reason(FileSystemException failure) {
    if (failure instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "file exists";
    }
    return failure instanceof NotDirectoryException
        ? "not a directory"
        : failure.getClass().getSimpleName();
  }
}
