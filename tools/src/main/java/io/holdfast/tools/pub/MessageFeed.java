package io.holdfast.tools.pub;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Hands messages from the thread that reads the input to the one that publishes. Two threads,
 * because a read of standard input cannot be interrupted by Ctrl-C, and because what has come in
 * must not wait for a batch to fill. Bounded in bytes.
 */
final class MessageFeed {
  private static final long MAX_BYTES = 8 << 20;

  /** How long a batch that could take more waits for it. */
  private static final long LINGER_NS = TimeUnit.MILLISECONDS.toNanos(5);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by lock.
  private final Queue<InputMessage> queue = new ArrayDeque<>();
  private long queuedBytes;
  private boolean ended;
  private boolean closed;
  private Exception failure;

  /**
   * Reads everything; runs on the input's thread until the end, a failure or {@link #close}.
   *
   * @param input what to read; closed
   */
  void readAll(MessageSource input) {
    try (input) {
      InputMessage message = input.next();
      while (message != null && put(message)) {
        message = input.next();
      }
      end(null);
    } catch (IOException | RuntimeException e) {
      end(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end(e);
    }
  }

  private boolean put(InputMessage message) throws InterruptedException {
    lock.lock();
    try {
      while (queuedBytes >= MAX_BYTES && !closed) {
        changed.await();
      }
      queue.add(message);
      queuedBytes += message.body().length;
      changed.signalAll();
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void end(Exception why) {
    lock.lock();
    try {
      ended = true;
      failure = why;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * @return messages read and not taken
   */
  int waiting() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  /** No more is wanted: whoever waits returns; what was queued can still be taken. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the next batch: what is there, waiting for the first message as long as it takes and for
   * more only briefly.
   *
   * @param maxMessages most messages
   * @param maxBytes most bytes of all bodies; a single larger message comes alone
   * @return empty at the end
   * @throws Exception what reading the input threw, once everything before it was taken
   */
  List<InputMessage> take(int maxMessages, long maxBytes) throws Exception {
    List<InputMessage> batch = new ArrayList<>(Math.min(maxMessages, 1024));
    lock.lock();
    try {
      while (queue.isEmpty() && !ended && !closed) {
        changed.await();
      }
      long bytes = 0;
      long left = LINGER_NS;
      while (batch.size() < maxMessages) {
        InputMessage next = queue.peek();
        if (next == null) {
          if (ended || closed || left <= 0) {
            break;
          }
          left = changed.awaitNanos(left);
          continue;
        }
        if (!batch.isEmpty() && bytes + next.body().length > maxBytes) {
          break;
        }
        batch.add(queue.remove());
        bytes += next.body().length;
        queuedBytes -= next.body().length;
      }
      changed.signalAll();
      if (batch.isEmpty() && failure != null && !closed) {
        throw failure;
      }
      return batch;
    } finally {
      lock.unlock();
    }
  }
}
