package io.holdfast.broker.soak;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Lets kills fall into what takes milliseconds only: whoever asks the broker for something says so
 * before and after, and the killer waits for that moment. All methods are synchronized.
 */
final class KillAim {
  /** What the broker may be busy with when it is killed. */
  enum Phase {
    SERVING,
    START,
    STOP,
    ROLL,
    RECLAIM,
    CHECKPOINT,
    TOPIC_CREATE,
    TOPIC_DELETE,
    CHANNEL_CREATE,
    CHANNEL_DELETE,
    PAUSE,
    EMPTY,
    REWIND,
    DEAD_LETTERS,
    POLICY;

    /** Whether it is a request of ours. */
    boolean isRequest() {
      return compareTo(TOPIC_CREATE) >= 0;
    }

    /** What the kills in it are counted as. */
    String text() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    }

    /** The phase that an HTTP target asks for. */
    static Phase of(String target) {
      boolean channel = target.startsWith("/channel/");
      if (target.contains("/create")) {
        return channel ? CHANNEL_CREATE : TOPIC_CREATE;
      }
      if (target.contains("/delete")) {
        return channel ? CHANNEL_DELETE : TOPIC_DELETE;
      }
      if (target.contains("/rewind")) {
        return REWIND;
      }
      if (target.contains("/redrive") || target.contains("/discard")) {
        return DEAD_LETTERS;
      }
      if (target.contains("/policy")) {
        return POLICY;
      }
      return target.contains("/empty") ? EMPTY : PAUSE;
    }
  }

  private final Map<Phase, Integer> running = new EnumMap<>(Phase.class);
  private final Map<Phase, Integer> begun = new EnumMap<>(Phase.class);

  /** A request is about to be sent. */
  synchronized void begins(Phase phase) {
    running.merge(phase, 1, Integer::sum);
    begun.merge(phase, 1, Integer::sum);
    notifyAll();
  }

  /** It was answered, or failed. */
  synchronized void ended(Phase phase) {
    running.merge(phase, -1, Integer::sum);
  }

  /** Waits for the next request of this kind; false when none is sent in time. */
  synchronized boolean await(Phase phase, int atMostMs) throws InterruptedException {
    int before = begun.getOrDefault(phase, 0);
    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(atMostMs);
    while (begun.getOrDefault(phase, 0) == before) {
      long leftNs = endNs - System.nanoTime();
      if (leftNs <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, leftNs);
    }
    return true;
  }

  /** The requests that wait for their answers now. */
  synchronized List<Phase> running() {
    List<Phase> phases = new ArrayList<>();
    running.forEach(
        (phase, count) -> {
          if (count > 0) {
            phases.add(phase);
          }
        });
    return phases;
  }
}
