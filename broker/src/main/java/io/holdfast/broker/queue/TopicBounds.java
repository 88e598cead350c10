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
      ChannelSettings.DiskErrors diskErrors) {
    this.name = name;
    this.journal = journal;
    this.keptBack = keptBack;
    this.channels = channels;
    this.diskErrors = diskErrors;
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
    long waiting = keptBack.depth() + (fullest == null ? 0 : fullest.intake().waiting());
    String reason = null;
    String in = fullest == null ? "" : " in CHANNEL(" + fullest.name() + ")";
    if (rules.maxDepth() > 0 && waiting + batch.count() > rules.maxDepth()) {
      reason = waiting + " messages waiting" + in + ", max_depth is " + rules.maxDepth();
    } else if (rules.maxBytes() > 0) {
      long bytes = bodyBytes().ofNewest(waiting, journal.nextOrdinal());
      if (bytes + batch.bodyBytes() > rules.maxBytes()) {
        reason = bytes + " bytes waiting" + in + ", max_bytes is " + rules.maxBytes();
      }
    }
    if (reason != null) {
      rejected(batch.count());
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
    OrdinalRanges passed = keptBack.dropFirst(count);
    for (Channel channel : channels.all()) {
      try {
        channel.intake().skipTo(keptBack.first());
      } catch (IOException e) {
        diskErrors.failed("TOPIC(" + name + ") CHANNEL(" + channel.name() + ")", e);
      }
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
