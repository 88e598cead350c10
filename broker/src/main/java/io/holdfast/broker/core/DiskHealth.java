package io.holdfast.broker.core;

import io.holdfast.broker.queue.ChannelSettings;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.files.SyncThread;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is wrong with the disk, if anything: a write that failed, an fsync that failed, no room.
 * Thread-safe.
 */
final class DiskHealth implements ChannelSettings.DiskErrors {
  private static final Logger LOG = LoggerFactory.getLogger(DiskHealth.class);

  /** Without another disk error for so long the last one may be over. */
  private static final long RECHECK_NS = TimeUnit.SECONDS.toNanos(2);

  private final DiskGuard diskGuard;
  private final SyncThread syncThread;

  /** What failed last, null when writing works. */
  private volatile String error;

  private volatile long lastErrorNs;

  DiskHealth(DiskGuard diskGuard, SyncThread syncThread) {
    this.diskGuard = diskGuard;
    this.syncThread = syncThread;
  }

  @Override
  public void failed(String what, IOException cause) {
    if (NoSpaceException.isCauseOf(cause)) {
      // One line when it begins and one when it ends, whatever is refused in between.
      diskGuard.full(cause.getMessage());
      LOG.debug("{}: disk is full", what, cause);
      return;
    }
    if (cause instanceof SyncFailedException) {
      // The sync thread has reported it, and knows when it is over.
      return;
    }
    String text = Reasons.of(cause);
    if (!text.equals(error)) {
      // Once per kind of error, not once per message.
      LOG.error("{}: disk error: {}", what, text, cause);
    }
    error = text;
    lastErrorNs = System.nanoTime();
  }

  @Override
  public boolean makeRoom(IOException cause) {
    return NoSpaceException.isCauseOf(cause) && diskGuard.giveUpSpare(cause.getMessage());
  }

  /** A write went well. */
  void works() {
    if (error != null) {
      LOG.info("writing to {} works again", diskGuard.root());
      error = null;
    }
  }

  /** Whether it is time to find out, without anybody's publish, whether an error is over. */
  boolean isRecheckDue() {
    return error != null && System.nanoTime() - lastErrorNs >= RECHECK_NS;
  }

  /** What is wrong, for "NOK - ..."; null when nothing is. */
  String problem() {
    String refusal = diskGuard.refusal();
    return refusal != null ? refusal : writeError();
  }

  private String writeError() {
    String syncError = syncThread.error();
    return syncError != null ? syncError : error;
  }

  /** A full disk is a warning: what brings space back needs the broker. */
  Health.State state() {
    String gone = diskGuard.gone();
    String broken = gone != null ? gone : writeError();
    if (broken != null) {
      return Health.State.failed(broken);
    }
    String refusal = diskGuard.refusal();
    return refusal == null ? Health.State.OK : Health.State.warning(refusal);
  }
}
