package io.holdfast.broker.cluster.relay;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What a client was given and has not answered: by who leads now, and by former leaders. The latter
 * it holds until it answers or their time is over, although nobody takes the answer any more. One
 * thread; {@link #present()} is for any.
 */
final class HeldMessages {
  /** How long an answer may come late: the leader judges that, whose clock began before. */
  private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(1);

  private static final int MIN_PURGE = 1024;

  private static final class Held {
    final long timeoutNs;
    final long latestNs;
    long deadlineNs;

    Held(long nowNs, long timeoutNs, long maxTimeoutNs) {
      this.timeoutNs = timeoutNs;
      latestNs = nowNs + Math.min(maxTimeoutNs, Long.MAX_VALUE / 2);
      deadlineNs = nowNs + timeoutNs;
    }
  }

  private final Map<Long, Held> present = new HashMap<>();

  /** The same message may have come of several leaders, one after the other. */
  private final Map<Long, ArrayDeque<Held>> former = new HashMap<>();

  private int formerCount;
  private int purgeAt = MIN_PURGE;
  private volatile int presentCount;

  /** The client was given a message by who leads now. */
  void delivered(long id, long nowNs, long timeoutNs, long maxTimeoutNs) {
    if (present.size() >= purgeAt) {
      purge(nowNs);
      purgeAt = Math.max(MIN_PURGE, 2 * present.size());
    }
    present.put(id, new Held(nowNs, timeoutNs, maxTimeoutNs));
    presentCount = present.size();
  }

  /** Forgets what who leads now has taken back for want of an answer. */
  void purge(long nowNs) {
    present.values().removeIf(held -> held.deadlineNs + GRACE_NS - nowNs < 0);
    presentCount = present.size();
  }

  /** Whether who leads now has given it the message. */
  boolean isPresent(long id) {
    return present.containsKey(id);
  }

  /** Whether a former leader has. */
  boolean isFormer(long id) {
    return former.containsKey(id);
  }

  /** The client has answered who leads now. */
  void answered(long id) {
    present.remove(id);
    presentCount = present.size();
  }

  /** The client has answered a former leader; false when it does not hold that any more. */
  boolean answeredFormer(long id) {
    ArrayDeque<Held> same = former.get(id);
    if (same == null) {
      return false;
    }
    same.removeLast();
    formerCount--;
    if (same.isEmpty()) {
      former.remove(id);
    }
    return true;
  }

  /** The client works on a message for longer. */
  void touched(long id, long nowNs) {
    Held held = present.get(id);
    if (held != null) {
      long wantedNs = nowNs + held.timeoutNs;
      held.deadlineNs = wantedNs - held.latestNs < 0 ? wantedNs : held.latestNs;
    }
  }

  /** Who led leads no more. */
  void leaderGone(long nowNs) {
    present.values().removeIf(held -> held.deadlineNs - nowNs <= 0);
    present.forEach((id, held) -> former.computeIfAbsent(id, any -> new ArrayDeque<>()).add(held));
    formerCount += present.size();
    present.clear();
    presentCount = 0;
  }

  /**
   * Forgets what is over.
   *
   * @return ns until there is more to forget, -1 when nothing of former leaders is left
   */
  long expire(long nowNs) {
    long firstNs = -1;
    formerCount = 0;
    for (ArrayDeque<Held> same : former.values()) {
      same.removeIf(held -> held.deadlineNs - nowNs <= 0);
      formerCount += same.size();
      for (Held held : same) {
        long leftNs = held.deadlineNs - nowNs;
        firstNs = firstNs < 0 ? leftNs : Math.min(firstNs, leftNs);
      }
    }
    former.values().removeIf(ArrayDeque::isEmpty);
    return firstNs;
  }

  /** Messages of former leaders. */
  int former() {
    return formerCount;
  }

  /** Messages of who leads now. Any thread. */
  int present() {
    return presentCount;
  }
}
