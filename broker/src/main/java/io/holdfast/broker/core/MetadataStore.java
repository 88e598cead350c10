package io.holdfast.broker.core;

import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.Metadata;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
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
  private final Supplier<Metadata> snapshot;
  private final Executor workers;
  private long requested;
  private long written;
  private boolean running;
  private boolean scheduled;

  /** Whether the next write is to be of the whole file. */
  private boolean isWholeWanted;

  private IOException failure;

  /**
   * @param diskGuard gives up room on a full disk
   * @param snapshot what the file is to say now
   * @param workers for {@link #writeSoon}
   */
  MetadataStore(
      DataDir dataDir, DiskGuard diskGuard, Supplier<Metadata> snapshot, Executor workers) {
    this.dataDir = dataDir;
    this.diskGuard = diskGuard;
    this.snapshot = snapshot;
    this.workers = workers;
  }

  /** Returns when a write that began after this call is on the disk, if there is a change. */
  void write() throws IOException {
    write(false);
  }

  /** As {@link #write}, of the whole file, whatever has changed. */
  void writeWhole() throws IOException {
    write(true);
  }

  private void write(boolean isWhole) throws IOException {
    long mine;
    boolean writesWhole;
    synchronized (this) {
      mine = ++requested;
      isWholeWanted |= isWhole;
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
    }
    IOException error = new IOException("the metadata file was not written");
    try {
      writeFile(writesWhole);
      error = null;
    } catch (IOException e) {
      error = e;
    } finally {
      synchronized (this) {
        running = false;
        written = mine;
        failure = error;
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

  private void writeFile(boolean isWhole) throws IOException {
    try {
      if (isWhole) {
        dataDir.writeMetadata(snapshot.get());
      } else {
        dataDir.updateMetadata(snapshot.get());
      }
    } catch (IOException e) {
      // Deleting, which brings space back, begins with this file.
      if (!NoSpaceException.isCauseOf(e) || !diskGuard.giveUpSpare(e.getMessage())) {
        throw e;
      }
      dataDir.writeMetadata(snapshot.get());
    }
  }

  /** Whether the last write failed: the file is older than what it is to say. */
  synchronized boolean isBehind() {
    return failure != null && !running;
  }

  /** Has the file written by a worker, once for all requests until then. */
  void writeSoon() {
    synchronized (this) {
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
            write();
          } catch (IOException e) {
            LOG.error("the metadata file cannot be written yet: {}", Reasons.of(e));
            LOG.debug("the metadata file", e);
          }
        });
  }
}
