package io.holdfast.broker.queue;

import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * Bounds what waits in a topic, by its policy: a publish beyond is refused, or the oldest waiting
 * messages make room. What waits is what the fullest channel that lasts has ready and deferred, and
 * what the topic keeps back. The topic's lock guards it.
 */
final class TopicBounds {
  private final String name;
  private final Journal journal;
  private final KeptBack keptBack;
  private final TopicChannels channels;
  private final ChannelSettings.DiskErrors diskErrors;

  /** Where it goes what the topic drops, see {@link TopicState#log}. */
  private final TopicLog log;

  /** Up to here it was to drop what it keeps. */
  private long askedToDropTo;

  /** Kept only where there is a bound on bytes, else null. */
  private BodyBytes bodyBytes;

  /** Ordinals that were dropped somewhere, so that each counts once. */
  private final Roaring64Bitmap dropped = new Roaring64Bitmap();

  private volatile long droppedCount;
  private volatile long rejectedCount;

  TopicBounds(
      String name,
      Journal journal,
      KeptBack keptBack,
      TopicChannels channels,
      ChannelSettings.DiskErrors diskErrors,
      TopicLog log) {
    this.name = name;
    this.journal = journal;
    this.keptBack = keptBack;
    this.channels = channels;
    this.diskErrors = diskErrors;
    this.log = log;
  }

  /** From now on bytes are counted. */
  private BodyBytes bodyBytes() {
    if (bodyBytes == null) {
      try {
        bodyBytes = BodyBytes.of(journal);
      } catch (IOException e) {
        // Next to nothing: nothing goes because it is not known how large it is.
        bodyBytes = new BodyBytes(journal.nextOrdinal(), 1);
        diskErrors.failed("TOPIC(" + name + ")", e);
      }
    }
    return bodyBytes;
  }

  // ---------------------------------------------------------------- before a publish

  /**
   * Refuses a publish that is beyond the bounds.
   *
   * @throws TopicFullException with the text for the client
   */
  void check(TopicPolicy rules, Batch batch) throws TopicFullException {
    check(rules, batch.count(), batch.bodyBytes(), 0, 0);
  }

  /**
   * As the other one, while messages are under way that are not in the journal yet.
   *
   * @param count of the messages to be published
   * @param bytes of their bodies
   * @param awaitedCount of messages under way
   * @param awaitedBytes of their bodies
   */
  void check(TopicPolicy rules, int count, long bytes, long awaitedCount, long awaitedBytes)
      throws TopicFullException {
    if (!rules.isBounded()) {
      bodyBytes = null;
      return;
    }
    if (rules.maxBytes() > 0) {
      bodyBytes();
    }
    if (rules.whenFull() != WhenFull.REJECT) {
      return;
    }
    Channel fullest = fullest();
    long stored = keptBack.depth() + (fullest == null ? 0 : fullest.intake().waiting());
    long waiting = stored + awaitedCount;
    String reason = null;
    String in = fullest == null ? "" : " in CHANNEL(" + fullest.name() + ")";
    if (rules.maxDepth() > 0 && waiting + count > rules.maxDepth()) {
      reason = waiting + " messages waiting" + in + ", max_depth is " + rules.maxDepth();
    } else if (rules.maxBytes() > 0) {
      long waitingBytes = awaitedBytes + bodyBytes().ofNewest(stored, journal.nextOrdinal());
      if (waitingBytes + bytes > rules.maxBytes()) {
        reason = waitingBytes + " bytes waiting" + in + ", max_bytes is " + rules.maxBytes();
      }
    }
    if (reason != null) {
      rejected(count);
      throw new TopicFullException("TOPIC(" + name + ") is full: " + reason);
    }
  }

  /** The channel with the most that waits, of those that last; null for none. */
  private Channel fullest() {
    Channel fullest = null;
    long most = -1;
    for (Channel channel : channels.all()) {
      long waiting = channel.isEphemeral() ? -1 : channel.intake().waiting();
      if (waiting > most) {
        fullest = channel;
        most = waiting;
      }
    }
    return fullest;
  }

  // ---------------------------------------------------------------- after a publish

  /** Takes note of what was published, and makes room for it. */
  void published(TopicPolicy rules, Batch batch) {
    if (bodyBytes != null) {
      bodyBytes.published(batch.endOrdinal(), batch.bodyBytes());
    }
    makeRoom(rules);
  }

  /** Drops the oldest that wait beyond the bounds, where the policy says so. */
  void makeRoom(TopicPolicy rules) {
    if (!rules.isBounded() || rules.whenFull() != WhenFull.DROP_OLDEST) {
      return;
    }
    long end = journal.nextOrdinal();
    long allowed = rules.maxDepth() == 0 ? Long.MAX_VALUE : rules.maxDepth();
    if (rules.maxBytes() > 0) {
      allowed = bodyBytes().fitting(rules.maxBytes(), end, Math.min(allowed, end));
    }
    long kept = keptBack.depth();
    if (kept > allowed) {
      dropKept(kept - allowed);
      kept = allowed;
    }
    for (Channel channel : channels.all()) {
      if (!channel.isEphemeral() && channel.intake().waiting() > allowed - kept) {
        count(channel.intake().dropOldest(allowed - kept));
      }
    }
  }

  private void dropKept(long count) {
    OrdinalRanges passed = keptBack.first(count);
    long to = passed.to(passed.count() - 1);
    if (log == null) {
      keptBack.dropTo(to);
      channels.skipTo(to);
    } else if (to > askedToDropTo) {
      askedToDropTo = to;
      log.dropKept(to);
    }
    count(passed);
  }

  private void count(OrdinalRanges ordinals) {
    long count = 0;
    for (int i = 0; i < ordinals.count(); i++) {
      // One by one: for a few, the bitmap's addRange takes a thousand times as long.
      for (long ordinal = ordinals.from(i); ordinal < ordinals.to(i); ordinal++) {
        if (!dropped.contains(ordinal)) {
          dropped.addLong(ordinal);
          count++;
        }
      }
    }
    dropped(count);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the topic's lock
  private void dropped(long messages) {
    droppedCount += messages;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the topic's lock
  private void rejected(int messages) {
    rejectedCount += messages;
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Messages dropped since the start of the process, each counted once. */
  long droppedCount() {
    return droppedCount;
  }

  /** Messages refused since the start of the process. */
  long rejectedCount() {
    return rejectedCount;
  }
}
