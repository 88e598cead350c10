package io.holdfast.broker.core;

import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the metadata file for many callers: one that waits while a write runs shares the next one
 * with all others that wait, so that a flood of new topics costs few writes. Own monitor.
 */
final class MetadataWriter {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataWriter.class);

  /** Takes the snapshot and writes it. */
  interface Write {
    void run() throws IOException;
  }

  private final Write write;
  private long requested;
  private long written;
  private boolean running;
  private boolean scheduled;
  private IOException failure;

  MetadataWriter(Write write) {
    this.write = write;
  }

  /** Returns when a write that began after this call is on the disk. */
  void write() throws IOException {
    long mine;
    synchronized (this) {
      mine = ++requested;
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
      if (written >= mine) {
        if (failure != null) {
          throw new IOException(Reasons.of(failure), failure);
        }
        return;
      }
      running = true;
      mine = requested;
    }
    IOException error = new IOException("the metadata file was not written");
    try {
      write.run();
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

  /** Whether the last write failed: the file is older than what it is to say. */
  synchronized boolean isBehind() {
    return failure != null && !running;
  }

  /** Has the file written by an executor, once for all requests until then. */
  void writeSoon(Executor executor) {
    synchronized (this) {
      if (scheduled) {
        return;
      }
      scheduled = true;
    }
    executor.execute(
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
