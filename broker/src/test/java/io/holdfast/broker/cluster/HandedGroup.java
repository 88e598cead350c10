package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A group that notes to whom it is handed, and stays where it is. */
final class HandedGroup implements LedGroup {
  final List<String> handedTo = new ArrayList<>();
  boolean serves = true;
  GroupStatus status;

  @Override
  public int group() {
    return 1;
  }

  @Override
  public boolean isServing() {
    return serves;
  }

  @Override
  public GroupStatus status() {
    return status;
  }

  @Override
  public CompletableFuture<Void> handOverOrSay(String to) {
    handedTo.add(to);
    return CompletableFuture.completedFuture(null);
  }
}
