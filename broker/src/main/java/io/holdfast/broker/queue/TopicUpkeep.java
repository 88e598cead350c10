package io.holdfast.broker.queue;

import java.io.IOException;

/**
 * Looks after the files of a topic, and keeps them open and in their place for those who read them.
 * Housekeeping thread where it is not said otherwise.
 */
interface TopicUpkeep {
  /**
   * Reads or closes files.
   *
   * @param <T> what comes of it
   * @param <E> how it fails but for the disk
   */
  interface FileWork<T, E extends Exception> {
    /** Does it. */
    T run() throws IOException, E;
  }

  /** Does what is to be done by now. */
  void housekeep(long nowNs) throws IOException;

  /**
   * Does something while no file is removed or closed, and no message relocated. Takes its time.
   * Any thread.
   */
  <T, E extends Exception> T keepingFiles(FileWork<T, E> work) throws IOException, E;

  /** Whether the disk has no room for what brings space back: ledgers are behind. Any thread. */
  boolean needsRoom();

  /** Bytes that journal and ledgers take on disk. Any thread. */
  long diskBytes();

  /**
   * Closes the files until they are needed again, because descriptors are short.
   *
   * @param used also of a topic that was used since housekeeping last came by
   */
  void closeCold(boolean used);

  /** See {@link io.holdfast.storage.journal.Journal#giveBackHoles}. Any thread; slow. */
  void giveBackHoles() throws IOException;
}
