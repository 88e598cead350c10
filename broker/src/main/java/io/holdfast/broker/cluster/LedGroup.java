package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupStatus;
import java.util.concurrent.CompletableFuture;

/** A group on this node, as those see it who decide which node is to lead. */
interface LedGroup {
  /** Its number. */
  int group();

  /** Whether this node leads it and its topics answer. */
  boolean isServing();

  /** What is known now; null when it does not run. */
  GroupStatus status();

  /**
   * Hands the leadership over; when it does not work it is said in the log, and done all the same.
   */
  CompletableFuture<Void> handOverOrSay(String to);
}
