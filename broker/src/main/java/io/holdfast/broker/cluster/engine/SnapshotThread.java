package io.holdfast.broker.cluster.engine;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/** The thread on which a group's snapshots are written, one after the other. Thread-safe. */
final class SnapshotThread {
  private final ExecutorService thread;

  SnapshotThread(String name) {
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, name);
              made.setDaemon(true);
              return made;
            });
  }

  /** Writes one; what becomes of it is told to whoever asked. */
  <T> void write(CompletableFuture<T> asked, Callable<T> writing) {
    try {
      thread.execute(
          () -> {
            try {
              asked.complete(writing.call());
            } catch (Exception | Error e) {
              asked.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      asked.completeExceptionally(new IOException("the group has stopped", e));
    }
  }

  /** Waits for a thread of the group's to end, whoever interrupts. */
  static void join(Thread ending) {
    boolean isInterrupted = false;
    while (ending.isAlive()) {
      try {
        ending.join();
      } catch (InterruptedException e) {
        isInterrupted = true;
      }
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for the one that is being written. */
  void stop() {
    thread.shutdown();
    boolean isInterrupted = false;
    while (!thread.isTerminated()) {
      try {
        thread.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        isInterrupted = true;
      }
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
