package io.holdfast.broker.wire;

import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.MessageSource;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * nsqd's messagePump for one client, on the client's event loop: are the sources open (client
 * ready, channel not paused, socket writable)? then take a quantum from memory queue and backend,
 * in flight first, and write it out; if there may be more, let the other clients of this loop run
 * before the next turn. A wake-up is a hint; the counters are the truth.
 */
final class MessagePump implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(MessagePump.class);

  /** Messages in one turn: many enough for one write to carry, few enough to be fair. */
  private static final int QUANTUM_MESSAGES = 256;

  private static final long RETRY_MS = 1000;

  private final ClientV2 client;
  private final EventLoop eventLoop;
  private final ClientOutput output;

  /** Whether a turn is in the event loop's queue; any thread. */
  private final AtomicBoolean scheduled = new AtomicBoolean();

  MessagePump(ClientV2 client, EventLoop eventLoop, ClientOutput output) {
    this.client = client;
    this.eventLoop = eventLoop;
    this.output = output;
  }

  /** Has a turn run soon. Any thread. */
  void wake() {
    if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
      try {
        eventLoop.execute(this);
      } catch (RejectedExecutionException e) {
        LOG.debug("the broker stops and this client's event loop has ended", e);
      }
    }
  }

  @Override
  public void run() {
    scheduled.set(false);
    if (!pump()) {
      // The channel woke this client for a message that it does not take: another one may.
      MessageSource source = client.source();
      if (source != null) {
        source.wakeAnother();
      }
    }
  }

  /**
   * One turn.
   *
   * @return whether the sources were open
   */
  boolean pump() {
    MessageSource source = client.source();
    long room = source == null ? 0 : source.room(client);
    if (room <= 0 || !output.mayDeliver()) {
      return false;
    }
    int max = (int) Math.min(room, QUANTUM_MESSAGES);
    int count;
    try {
      count = source.poll(client, max, output, ClientOutput.MESSAGES_BYTES);
    } catch (IOException | RuntimeException e) {
      LOG.error(
          "TOPIC({}) CHANNEL({}): cannot read: {}",
          source.topicName(),
          source.name(),
          e.getMessage(),
          e);
      if (e instanceof IOException cause) {
        source.readFailed(cause);
      }
      eventLoop.schedule(this::wake, RETRY_MS, TimeUnit.MILLISECONDS);
      count = Channel.CLOSED;
    }
    if (count > 0) {
      client.sent(count);
    }
    if (count != Channel.CLOSED && !client.isWaiting() && source.room(client) > 0) {
      wake();
    }
    output.flush();
    return true;
  }
}
