package io.holdfast.tools.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The one request to end: Ctrl-C, SIGTERM, or a command that has all it wanted. Any thread may ask,
 * any thread may wait. The process' shutdown hook asks, and then waits until the command has
 * printed its summary and called {@link #finished()}.
 */
public final class StopSignal {
  private final CountDownLatch stop = new CountDownLatch(1);
  private final CountDownLatch finished = new CountDownLatch(1);

  // Guarded by this.
  private final List<Runnable> actions = new ArrayList<>();

  /** Asks everything to end. Idempotent; runs the actions of {@link #onStop} on this thread. */
  public void stop() {
    List<Runnable> run;
    synchronized (this) {
      stop.countDown();
      run = List.copyOf(actions);
      actions.clear();
    }
    run.forEach(Runnable::run);
  }

  /**
   * @return whether {@link #stop} was called
   */
  public boolean stopped() {
    return stop.getCount() == 0;
  }

  /**
   * Waits for the stop.
   *
   * @param millis longest wait in ms; zero or less only looks
   * @return whether {@link #stop} was called
   */
  public boolean await(long millis) {
    try {
      return stop.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  /**
   * Registers something that wakes a blocked thread. It runs at once when already stopped.
   *
   * @param action must not block or throw
   */
  public void onStop(Runnable action) {
    synchronized (this) {
      if (!stopped()) {
        actions.add(action);
        return;
      }
    }
    action.run();
  }

  /** Says that the command has ended and printed everything. */
  public void finished() {
    finished.countDown();
  }

  /**
   * Waits for {@link #finished()}.
   *
   * @param limit longest wait
   * @return false when the limit passed first
   * @throws InterruptedException when interrupted
   */
  public boolean awaitFinished(Duration limit) throws InterruptedException {
    return finished.await(limit.toMillis(), TimeUnit.MILLISECONDS);
  }
}
