package io.holdfast.broker.core;

import io.holdfast.broker.queue.TopicsInFile;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the metadata for many callers: one that waits while a write runs shares the next one with
 * all others that wait, so that a flood of new topics costs few writes. Own monitor.
 */
final class MetadataStore {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataStore.class);

  private final DataDir dataDir;
  private final DiskGuard diskGuard;
  private final TopicsInFile snapshot;
  private final Executor workers;
  private long requested;
  private long written;
  private boolean running;
  private boolean scheduled;

  /** Whether the next write is to be of the whole file. */
  private boolean isWholeWanted;

  /** Whether of the next write nobody knows which topics have changed. */
  private boolean isAllWanted;

  /** Topics that the next write is for. */
  private Set<String> changed = new LinkedHashSet<>();

  private IOException failure;

  /**
   * @param diskGuard gives up room on a full disk
   * @param snapshot what the file is to say now
   * @param workers for {@link #writeSoon}
   */
  MetadataStore(DataDir dataDir, DiskGuard diskGuard, TopicsInFile snapshot, Executor workers) {
    this.dataDir = dataDir;
    this.diskGuard = diskGuard;
    this.snapshot = snapshot;
    this.workers = workers;
  }

  /** Returns when a write that began after this call is on the disk, if there is a change. */
  void write() throws IOException {
    want(null);
    writeWanted();
  }

  /** As {@link #write()}, where only one topic and its channels may have changed. */
  void write(String topic) throws IOException {
    want(topic);
    writeWanted();
  }

  /** As {@link #write}, of the whole file, whatever has changed. */
  void writeWhole() throws IOException {
    synchronized (this) {
      isWholeWanted = true;
    }
    writeWanted();
  }

  /**
   * @param topic null when any may have changed
   */
  private synchronized void want(String topic) {
    if (topic == null) {
      isAllWanted = true;
    } else {
      changed.add(topic);
    }
  }

  private void writeWanted() throws IOException {
    long mine;
    boolean writesWhole;
    Set<String> writesOnly;
    synchronized (this) {
      mine = ++requested;
      awaitOthers(mine);
      if (written >= mine) {
        if (failure != null) {
          throw new IOException(Reasons.of(failure), failure);
        }
        return;
      }
      running = true;
      mine = requested;
      writesWhole = isWholeWanted;
      isWholeWanted = false;
      writesOnly = isAllWanted ? null : changed;
      isAllWanted = false;
      changed = new LinkedHashSet<>();
    }
    IOException error = new IOException("the metadata file was not written");
    try {
      writeFile(writesWhole, writesOnly);
      error = null;
    } catch (IOException e) {
      error = e;
    } finally {
      synchronized (this) {
        running = false;
        written = mine;
        failure = error;
        // What it was for is not written.
        isAllWanted |= error != null;
        notifyAll();
      }
    }
    if (error != null) {
      throw error;
    }
  }

  /** Returns when nobody writes, or when somebody has written for this request. Own monitor. */
  private synchronized void awaitOthers(long mine) {
    boolean interrupted = false;
    while (running && written < mine) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * @param only null for all topics
   */
  private void writeFile(boolean isWhole, Set<String> only) throws IOException {
    try {
      if (isWhole) {
        dataDir.writeMetadata(snapshot.all());
      } else if (only == null || !dataDir.updateMetadata(snapshot.of(only))) {
        dataDir.updateMetadata(snapshot.all());
      }
    } catch (IOException e) {
      // Deleting, which brings space back, begins with this file.
      if (!NoSpaceException.isCauseOf(e) || !diskGuard.giveUpSpare(e.getMessage())) {
        throw e;
      }
      dataDir.writeMetadata(snapshot.all());
    }
  }

  /** Whether the last write failed: the file is older than what it is to say. */
  synchronized boolean isBehind() {
    return failure != null && !running;
  }

  /** Has the file written by a worker, once for all requests until then. */
  void writeSoon() {
    writeSoon(null);
  }

  /**
   * As {@link #writeSoon()}, where only one topic and its channels may have changed.
   *
   * @param topic null when any may have
   */
  void writeSoon(String topic) {
    synchronized (this) {
      want(topic);
      if (scheduled) {
        return;
      }
      scheduled = true;
    }
    workers.execute(
        () -> {
          synchronized (this) {
            scheduled = false;
          }
          try {
            writeWanted();
          } catch (IOException e) {
            LOG.error("the metadata file cannot be written yet: {}", Reasons.of(e));
            LOG.debug("the metadata file", e);
          }
        });
  }
}
