package io.holdfast.broker.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Where the broker is in its life, and whether it can serve: what {@code /health/ready} says.
 * Thread-safe.
 */
public final class Health {
  private enum Phase {
    STARTING,
    RUNNING,
    STOPPING
  }

  private final Supplier<State> recovery;
  private final LongSupplier inFlight;
  private final Supplier<State> disk;
  private final Supplier<State> cluster;
  private volatile Phase phase = Phase.STARTING;

  /**
   * How something is.
   *
   * @param status {@code ok}, {@code warning} (it can serve all the same) or {@code failed}
   * @param reason for people; empty when it is ok
   */
  record State(String status, String reason) {
    static final State OK = new State("ok", "");

    static State warning(String reason) {
      return new State("warning", reason);
    }

    static State failed(String reason) {
      return new State("failed", reason);
    }
  }

  /**
   * One thing that was looked at; component names are those of the JSON.
   *
   * @param status as of {@link State}
   * @param reason likewise
   */
  public record Check(String name, String status, String reason) {
    private static Check of(String name, State state) {
      return new Check(name, state.status(), state.reason());
    }

    /** Whether it keeps the broker from serving. */
    public boolean hasFailed() {
      return status.equals("failed");
    }
  }

  /**
   * @param recovery whether the topics are open
   * @param inFlight messages that consumers have not answered
   * @param disk whether the disk takes messages
   * @param cluster whether shared topics can be served; null for none
   */
  Health(
      Supplier<State> recovery,
      LongSupplier inFlight,
      Supplier<State> disk,
      Supplier<State> cluster) {
    this.cluster = cluster;
    this.recovery = recovery;
    this.inFlight = inFlight;
    this.disk = disk;
  }

  /** The listeners are open. */
  public void running() {
    if (phase == Phase.STARTING) {
      phase = Phase.RUNNING;
    }
  }

  /** The end has begun. */
  void stopping() {
    phase = Phase.STOPPING;
  }

  /** Whether the topics are not open yet, or the listeners. */
  public boolean isStarting() {
    return phase == Phase.STARTING;
  }

  /** Whether no more messages are taken and delivered, as the broker is about to end. */
  public boolean isStopping() {
    return phase == Phase.STOPPING;
  }

  /** What readiness depends on; ready is a broker of which none has failed. */
  public List<Check> ready() {
    State recovered = recovery.get();
    if (isStarting() && recovered.equals(State.OK)) {
      recovered = State.failed("opening the listeners");
    }
    State draining =
        isStopping() ? State.failed("stopping, " + inFlight.getAsLong() + " in flight") : State.OK;
    List<Check> checks =
        new ArrayList<>(
            List.of(
                Check.of("recovery", recovered),
                Check.of("draining", draining),
                Check.of("disk", disk.get())));
    if (cluster != null) {
      checks.add(Check.of("cluster", cluster.get()));
    }
    return checks;
  }
}
