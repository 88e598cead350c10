package io.holdfast.storage.redo;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.FilePart;
import java.io.IOException;
import java.util.List;

/** A log of which a {@link RedoLog} can have a copy until it is forced itself. */
public interface Redoable extends SyncThread.Syncable {
  /** Takes copies of a log's bytes. */
  interface Copier {
    /**
     * Copies parts of a log's files as they are now.
     *
     * @throws IOException when they cannot be read, or there is no room for the copy
     */
    void copy(ExcerptLog log, List<FilePart> parts) throws IOException;
  }

  /** What was copied, and who waits for it. One of the two methods is called, once. */
  interface Copied {
    /** It is on disk: tells those who wait. */
    void durable();

    /** It may not be: they go on waiting for a force. */
    void putBack();
  }

  /**
   * Has all that is on no disk yet copied, and takes over who waits for it. While it runs no force
   * of the log does: one that fails leaves files of which nobody knows what can be read in them.
   *
   * @return null when nobody waits, or the log is to be forced: it has too much, or could not be
   *     forced the last time
   * @throws IOException what the copier does; nothing has changed then
   */
  Copied copy(Copier by) throws IOException;
}
