package io.holdfast.broker.cluster.lead;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.lead.Copies.Copy;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Messages of a channel that this node's disk has lost: they are asked for at the other nodes, some
 * at a time, and wait here for who delivers them. Bounded; thread-safe.
 */
final class MissingMessages {
  /** Bytes of bodies that wait, of all channels of a group, from which on no more are asked for. */
  static final long MAX_BYTES = 16 << 20;

  /** How many are asked for at once, and looked for in all. */
  private static final int RUN = 64;

  private static final int MAX_MESSAGES = 8 * RUN;

  private static final long FIRST_LOOK_MS = 10;
  private static final long LAST_LOOK_MS = 5_000;
  private static final int MAX_DOUBLINGS = 10;

  /** What nobody wanted for as long was dropped from the channel. */
  private static final long STALE_NS = TimeUnit.SECONDS.toNanos(30);

  private final long topic;
  private final OtherNodes others;
  private final AtomicLong heldBytes;
  private final LongSupplier nanoClock;
  private final Vain vain;

  /** Whether there is any; nearly always there is none, and then no lock is taken. */
  private volatile boolean isAny;

  @GuardedBy("this")
  private final TreeMap<Long, Missing> missing = new TreeMap<>();

  /** Told of messages that no node gives. Must not block. */
  interface Vain {
    /**
     * A message was asked for in vain.
     *
     * @param forNs since it was first asked for
     * @param allLost whether all nodes have said that they have lost it: it is looked for no more
     */
    void asked(long ordinal, long forNs, boolean allLost);
  }

  /** A message that is looked for. */
  private static final class Missing {
    private final long sinceNs;
    private long wantedNs;
    private int looks;
    private boolean isAsked;
    private boolean allLost;

    /** Null when it has not come. */
    private Copy copy;

    Missing(long nowNs) {
      sinceNs = nowNs;
      wantedNs = nowNs;
    }

    int bytes() {
      return copy == null ? 0 : copy.body().length;
    }
  }

  /**
   * @param topic the topic's number
   * @param heldBytes of all channels of the group
   */
  MissingMessages(
      long topic, OtherNodes others, AtomicLong heldBytes, LongSupplier nanoClock, Vain vain) {
    this.topic = topic;
    this.others = others;
    this.heldBytes = heldBytes;
    this.nanoClock = nanoClock;
    this.vain = vain;
  }

  /** See {@link ChannelAccount#isLost}. */
  boolean has(long ordinal) {
    return isAny && contains(ordinal);
  }

  private synchronized boolean contains(long ordinal) {
    isAny = !missing.isEmpty();
    return missing.containsKey(ordinal);
  }

  /** See {@link ChannelAccount#readCopy}. */
  synchronized boolean take(long ordinal, MessageView to) {
    Missing found = missing.get(ordinal);
    Copy copy = found == null ? null : found.copy;
    if (copy == null) {
      return false;
    }
    missing.remove(ordinal);
    heldBytes.addAndGet(-found.bytes());
    ByteBuffer body = ByteBuffer.wrap(copy.body());
    to.set(
        ordinal,
        copy.timestampNs(),
        copy.deferMs(),
        MessageRef.NOWHERE,
        body,
        0,
        copy.body().length,
        0);
    return true;
  }

  /** See {@link ChannelAccount#lost}. */
  long lost(long ordinal, long end) {
    long nowNs = nanoClock.getAsLong();
    long forNs;
    long againMs;
    synchronized (this) {
      Missing one = missing.get(ordinal);
      if (one == null) {
        return begin(ordinal, end, nowNs);
      }
      one.wantedNs = nowNs;
      if (one.isAsked || one.copy != null) {
        return FIRST_LOOK_MS;
      }
      forNs = nowNs - one.sinceNs;
      if (one.allLost) {
        missing.remove(ordinal);
        againMs = ChannelAccount.LEFT;
      } else {
        one.looks++;
        againMs = Math.min(LAST_LOOK_MS, FIRST_LOOK_MS << Math.min(one.looks, MAX_DOUBLINGS));
        ask(ordinal, List.of(one));
      }
    }
    vain.asked(ordinal, forNs, againMs == ChannelAccount.LEFT);
    return againMs;
  }

  @GuardedBy("this")
  private long begin(long ordinal, long end, long nowNs) {
    int count = 1;
    while (count < RUN && ordinal + count < end && !missing.containsKey(ordinal + count)) {
      count++;
    }
    if (missing.size() + count > MAX_MESSAGES) {
      dropStale(nowNs);
      count = Math.min(count, MAX_MESSAGES - missing.size());
    }
    if (count == 0 || heldBytes.get() > MAX_BYTES) {
      return ChannelAccount.NO_ROOM;
    }
    List<Missing> run = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      run.add(new Missing(nowNs));
    }
    if (!ask(ordinal, run)) {
      return ChannelAccount.NO_ROOM;
    }
    isAny = true;
    for (int i = 0; i < count; i++) {
      missing.put(ordinal + i, run.get(i));
    }
    return FIRST_LOOK_MS;
  }

  @GuardedBy("this")
  private boolean ask(long ordinal, List<Missing> run) {
    boolean isAsked =
        others.read(topic, ordinal, run.size(), copies -> answered(ordinal, run, copies));
    run.forEach(one -> one.isAsked = isAsked);
    return isAsked;
  }

  private synchronized void answered(long ordinal, List<Missing> run, Copies copies) {
    long nowNs = nanoClock.getAsLong();
    for (int i = 0; i < run.size(); i++) {
      Missing one = run.get(i);
      one.isAsked = false;
      one.wantedNs = nowNs;
      if (missing.get(ordinal + i) != one) {
        // The channel has begun anew meanwhile.
        continue;
      }
      if (i < copies.messages().size()) {
        one.copy = copies.messages().get(i);
        heldBytes.addAndGet(one.bytes());
      } else if (i == 0) {
        one.allLost = copies.allLost();
      } else {
        // Asked for by itself when it is wanted.
        missing.remove(ordinal + i);
      }
    }
  }

  @GuardedBy("this")
  private void dropStale(long nowNs) {
    Iterator<Missing> all = missing.values().iterator();
    while (all.hasNext()) {
      Missing one = all.next();
      if (!one.isAsked && nowNs - one.wantedNs > STALE_NS) {
        heldBytes.addAndGet(-one.bytes());
        all.remove();
      }
    }
  }

  /** The channel begins anew, or ends. */
  synchronized void clear() {
    missing.values().forEach(one -> heldBytes.addAndGet(-one.bytes()));
    missing.clear();
  }
}
