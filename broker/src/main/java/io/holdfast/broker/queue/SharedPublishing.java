package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.storage.journal.Batch;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How messages get into a topic that several brokers share: all refusals are decided, then it goes
 * to the {@link TopicLog}, and the channels get it when it comes back from there. Any thread.
 */
final class SharedPublishing {
  private final TopicContext context;
  private final TopicState state;
  private final Object lock;
  private final PolicyInForce<TopicPolicy> policy;
  private final TopicPublishing publishing;
  private final LongSupplier wallNs;

  // Messages that are under way to the log and back, and bytes of their bodies.
  private final AtomicLong awaitedCount = new AtomicLong();
  private final AtomicLong awaitedBytes = new AtomicLong();

  SharedPublishing(
      TopicContext context,
      TopicState state,
      PolicyInForce<TopicPolicy> policy,
      TopicPublishing publishing) {
    this.context = context;
    this.state = state;
    lock = state.lock;
    this.policy = policy;
    this.publishing = publishing;
    wallNs = context.storageOptions(false).wallNs();
  }

  /** See {@link Topic#putMessages}; the listener is told in any case. */
  void put(ByteBuffer section, int count, long deferMs, long arrivedNs, PublishListener listener)
      throws BrokerException {
    int sectionBytes = section.remaining();
    publishing.checkMayPublish(context.sharedPublishRefusal(), sectionBytes);
    long bodyBytes = sectionBytes - (long) Integer.BYTES * count;
    Awaited awaited = new Awaited(listener, count, bodyBytes);
    synchronized (lock) {
      if (state.isEnding()) {
        throw new BrokerException("exiting");
      }
      publishing
          .bounds()
          .check(policy.get(), count, bodyBytes, awaitedCount.get(), awaitedBytes.get());
      awaitedCount.addAndGet(count);
      awaitedBytes.addAndGet(bodyBytes);
    }
    long timeNs = arrivedNs != 0 ? arrivedNs : wallNs.getAsLong();
    boolean taken = false;
    try {
      state.log.publish(section, count, deferMs, timeNs, awaited);
      taken = true;
    } finally {
      if (!taken) {
        awaited.over();
      }
    }
  }

  /** A batch is in the journal, here as with the others. */
  @GuardedBy("lock")
  @SuppressWarnings("GuardedBy") // the lock of both is the topic's
  void published(Batch batch) {
    publishing.count(batch.count(), batch.bodyBytes());
    publishing.handOver(policy.get(), batch);
    context.published(batch.sectionBytes());
  }

  /** Counts a publish as under way until it is known what became of it. */
  private final class Awaited implements PublishListener {
    private final PublishListener listener;
    private final int count;
    private final long bytes;

    Awaited(PublishListener listener, int count, long bytes) {
      this.listener = listener;
      this.count = count;
      this.bytes = bytes;
    }

    void over() {
      awaitedCount.addAndGet(-count);
      awaitedBytes.addAndGet(-bytes);
    }

    @Override
    public PublishIdentity identity() {
      return listener.identity();
    }

    @Override
    public void onDurable() {
      over();
      listener.onDurable();
    }

    @Override
    public void onFailed(String error) {
      over();
      listener.onFailed(error);
    }

    @Override
    public void onRefused(String error) {
      over();
      listener.onRefused(error);
    }

    @Override
    public void onUnknown(String error) {
      over();
      listener.onUnknown(error);
    }
  }
}
