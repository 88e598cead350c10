package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.SyncFailedException;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.DirNames;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * How messages get into a topic: refused by a limit, or appended to the journal and handed to the
 * channels under the topic's lock. Any thread.
 */
final class TopicPublishing {
  private final String name;
  private final TopicContext context;
  private final TopicState state;
  private final Object lock;
  private final ChronicleJournal journal;
  private final KeptBack keptBack;
  private final TopicChannels channels;
  private final DiskQuota quota;
  private final PolicyInForce<TopicPolicy> policy;
  private final TopicBounds bounds;
  private final boolean isEphemeral;
  private final int maxSectionBytes;

  private volatile long messageCount;
  private volatile long messageBytes;

  TopicPublishing(
      String name,
      TopicContext context,
      TopicState state,
      ChronicleJournal journal,
      KeptBack keptBack,
      TopicChannels channels,
      DiskQuota quota,
      PolicyInForce<TopicPolicy> policy) {
    this.name = name;
    this.context = context;
    this.state = state;
    lock = state.lock;
    this.journal = journal;
    this.keptBack = keptBack;
    this.channels = channels;
    this.quota = quota;
    this.policy = policy;
    bounds = new TopicBounds(name, journal, keptBack, channels, context.diskErrors(), state.log);
    isEphemeral = DirNames.isEphemeral(name);
    maxSectionBytes = context.storageOptions(isEphemeral).maxRecordBytes();
  }

  /** See {@link Topic#putMessages}. */
  boolean put(ByteBuffer section, int count, long deferMs, long arrivedNs, PublishListener listener)
      throws BrokerException {
    checkMayPublish(context.publishRefusal(), section.remaining());
    Batch batch = new Batch(section, count, deferMs, arrivedNs);
    boolean durable;
    synchronized (lock) {
      if (state.isEnding()) {
        throw new BrokerException("exiting");
      }
      TopicPolicy rules = policy.get();
      bounds.check(rules, batch);
      count(count, batch.bodyBytes());
      if (isEphemeral && !keptBack.isNothing() && keptBack.depth() >= context.memQueueSize()) {
        // Without channels it keeps no more than a memory queue would.
        return true;
      }
      append(batch);
      handOver(rules, batch);
      durable = journal.whenDurable(listener);
    }
    context.published(batch.sectionBytes());
    return durable;
  }

  /** A batch is in the journal: the channels get it, unless it is kept back. */
  @GuardedBy("lock")
  void handOver(TopicPolicy rules, Batch batch) {
    quota.published(batch.sectionBytes());
    if (batch.deferMs() > 0) {
      keptBack.publishedDeferred(batch);
    }
    if (!state.paused) {
      channels.put(batch);
    }
    bounds.published(rules, batch);
  }

  /**
   * Refuses a publish that cannot be stored, whatever the topic has.
   *
   * @param brokers why the broker takes none; null when it does
   */
  void checkMayPublish(String brokers, int sectionBytes) throws BrokerException {
    String refusal = brokers == null ? quota.refusal(sectionBytes) : brokers;
    if (refusal != null) {
      throw new RefusedException(refusal);
    }
    if (sectionBytes > maxSectionBytes) {
      throw new BrokerException("publish of " + sectionBytes + " bytes exceeds " + maxSectionBytes);
    }
  }

  @GuardedBy("lock")
  private void append(Batch batch) throws BrokerException {
    try {
      journal.append(batch);
    } catch (IOException e) {
      count(-batch.count(), -batch.bodyBytes());
      if (!(e instanceof SyncFailedException)) {
        // That one is known already, and over when a sync works again.
        context.diskErrors().failed("TOPIC(" + name + ")", e);
      }
      throw NoSpaceException.isCauseOf(e)
          ? new RefusedException(e.getMessage())
          : new BrokerException(Reasons.of(e), e);
    }
  }

  @GuardedBy("lock")
  @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
  void count(int messages, long bytes) {
    messageCount += messages;
    messageBytes += bytes;
  }

  /** What the topic may keep, and has dropped or refused for that. */
  TopicBounds bounds() {
    return bounds;
  }

  /** Messages accepted since the start of the process. */
  long messageCount() {
    return messageCount;
  }

  /** Bytes of their bodies. */
  long messageBytes() {
    return messageBytes;
  }
}
