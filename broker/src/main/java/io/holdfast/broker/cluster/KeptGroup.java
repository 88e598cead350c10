package io.holdfast.broker.cluster;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** A group on this node, as {@link GroupUpkeep} sees it. */
interface KeptGroup extends LedGroup {
  /** Why it has stopped here, null when it has not. */
  String error();

  /** Whether it may be started again when it has stopped: its files are there, and right. */
  boolean mayRestart();

  /** Takes part no more until {@link #start}; nothing is applied when it returned. */
  void stop();

  /** Begins to take part again; nothing when it is not to. */
  void start();

  /** Does what a leader has to now and then. */
  void housekeep() throws IOException;

  /** Takes a snapshot; up to which index. */
  CompletableFuture<Long> snapshot();

  /** As {@link #snapshot}, and drops all of the log that it has. */
  CompletableFuture<Long> snapshotAndDrop();

  /** A snapshot is finished: files that it does not have go. */
  void snapshotFinished(long index) throws IOException;
}
