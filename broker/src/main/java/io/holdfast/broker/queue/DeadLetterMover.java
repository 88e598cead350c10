package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.roaringbitmap.longlong.Roaring64Bitmap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes dead letters to the topics that their channels' policies name, and finishes them where
 * they died once that is durable: after a crash in between they are published once more, never
 * lost. What a topic does not take stays where it is and is tried again after a while.
 *
 * <p>It holds no lock of a channel or topic while it publishes to another: two channels may name
 * each other's topics. One for the broker; a worker runs it.
 */
public final class DeadLetterMover {
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterMover.class);
  private static final int MAX_MESSAGES = 256;
  private static final long MAX_BYTES = 1 << 20;
  private static final long RETRY_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long TIMEOUT_S = 30;

  private final Topics topics;
  private final Executor workers;
  private final ChannelSettings.Clock clock;

  /** Whether a worker is at it, or about to be. */
  private final AtomicBoolean scheduled = new AtomicBoolean();

  /** Whether there may be more than it has seen. */
  private final AtomicBoolean again = new AtomicBoolean();

  /** When channels are tried again whose dead letters were not taken; nanoTime. */
  @GuardedBy("this")
  private final Map<Channel, Long> refused = new HashMap<>();

  /**
   * @param workers for what blocks
   */
  public DeadLetterMover(Topics topics, Executor workers, ChannelSettings.Clock clock) {
    this.topics = topics;
    this.workers = workers;
    this.clock = clock;
  }

  /** Has a run begin soon. Any thread; does not block. */
  public void wake() {
    again.set(true);
    if (scheduled.compareAndSet(false, true)) {
      try {
        workers.execute(this::run);
      } catch (RejectedExecutionException e) {
        LOG.debug("the broker stops", e);
      }
    }
  }

  /** Publishes all there is that is taken. */
  void run() {
    try {
      while (again.getAndSet(false)) {
        visitAll();
      }
    } finally {
      scheduled.set(false);
    }
    if (again.get()) {
      wake();
    }
  }

  private synchronized void visitAll() {
    if (!topics.isOpen()) {
      // A target that is not found might be on the disk. Housekeeping asks again.
      return;
    }
    refused.keySet().removeIf(Channel::isExiting);
    for (Topic topic : topics.all()) {
      for (Channel channel : topic.channels()) {
        if (channel.deadLetters().outCount() > 0) {
          try {
            moveAll(topic, channel);
          } catch (RuntimeException e) {
            LOG.error("{}: dead letters cannot be published", nameOf(topic, channel), e);
          }
        }
      }
    }
  }

  private static String nameOf(Topic topic, Channel channel) {
    return "TOPIC(" + topic.name() + ") CHANNEL(" + channel.name() + ")";
  }

  @GuardedBy("this")
  private void moveAll(Topic from, Channel channel) {
    Long notBefore = refused.get(channel);
    if (notBefore != null && clock.nanos() - notBefore < 0) {
      return;
    }
    String target = channel.policy().deadLetter();
    int max = MAX_MESSAGES;
    while (channel.deadLetters().outCount() > 0
        && channel.policy().hasDeadLetterTopic()
        && !target.equals(from.name())) {
      try {
        if (!moveSome(from, channel, target, max)) {
          return;
        }
        if (refused.remove(channel) != null) {
          LOG.info("{}: dead letters go to TOPIC({}) again", nameOf(from, channel), target);
        }
      } catch (BrokerException | IOException e) {
        if (max > 1) {
          // There may be room for some.
          max = 1;
          continue;
        }
        if (refused.put(channel, clock.nanos() + RETRY_NS) == null) {
          LOG.warn(
              "{}: dead letters stay here until TOPIC({}) takes them: {}",
              nameOf(from, channel),
              target,
              Reasons.of(e));
        }
        return;
      }
    }
  }

  /** Publishes the first ones; returns whether there were any. */
  private boolean moveSome(Topic from, Channel channel, String target, int max)
      throws BrokerException, IOException {
    List<Waiting> batch = channel.deadLetters().beginMove(max);
    if (batch.isEmpty()) {
      return false;
    }
    Roaring64Bitmap done = new Roaring64Bitmap();
    try {
      Map<Long, byte[]> bodies = from.peek().bodies(batch, MAX_BYTES);
      List<byte[]> readable = new ArrayList<>(bodies.values());
      // What cannot be read any more was reported; nobody can have it.
      readable.removeIf(body -> body == null);
      if (!readable.isEmpty()) {
        publish(find(target), readable);
      }
      bodies.forEach(
          (ordinal, body) -> {
            // Others who share the topic may have what this disk lost.
            if (body != null || !from.isShared()) {
              done.addLong(ordinal);
            }
          });
    } finally {
      channel.deadLetters().moved(done);
    }
    return !done.isEmpty();
  }

  private Topic find(String target) throws BrokerException {
    return get(topics.later(target));
  }

  private static <T> T get(CompletableFuture<T> future) throws BrokerException {
    try {
      return future.get(TIMEOUT_S, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw BrokerException.of(e.getCause());
    } catch (TimeoutException e) {
      throw new BrokerException("no answer within " + TIMEOUT_S + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BrokerException("interrupted", e);
    }
  }

  /** Returns when they are as durable as what a publisher gets an OK for. */
  private static void publish(Topic target, List<byte[]> bodies) throws BrokerException {
    int bytes = 0;
    for (byte[] body : bodies) {
      bytes += Integer.BYTES + body.length;
    }
    ByteBuffer section = ByteBuffer.allocate(bytes);
    for (byte[] body : bodies) {
      section.putInt(body.length).put(body);
    }
    CompletableFuture<Void> durable = new CompletableFuture<>();
    PublishListener listener =
        new PublishListener() {
          @Override
          public void onDurable() {
            durable.complete(null);
          }

          @Override
          public void onFailed(String error) {
            durable.completeExceptionally(new BrokerException(error));
          }
        };
    if (!target.putMessages(section.flip(), bodies.size(), 0, 0, listener)) {
      get(durable);
    }
  }
}
