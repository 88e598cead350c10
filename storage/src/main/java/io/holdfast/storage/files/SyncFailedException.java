package io.holdfast.storage.files;

import java.io.IOException;

/**
 * Forcing files to the disk failed: nothing more is promised as durable until it works again.
 * {@link SyncThread#error} tells as long as that lasts.
 */
public final class SyncFailedException extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * @param what the file or directory
   * @param cause what the disk said
   */
  public SyncFailedException(String what, IOException cause) {
    super("sync failed: " + what + ": " + cause.getMessage(), cause);
  }
}
