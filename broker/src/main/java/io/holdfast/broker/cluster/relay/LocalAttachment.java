package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Subscriber;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/** A channel that is led on this node, whose consumer the client is itself. */
final class LocalAttachment implements Attachment {
  private final MessageSource channel;
  private final Subscriber client;
  private final LedChannels led;
  private final HeldMessages held;
  private final LongSupplier nanoClock;
  private final Noting noting = new Noting();

  LocalAttachment(
      MessageSource channel,
      Subscriber client,
      LedChannels led,
      HeldMessages held,
      LongSupplier nanoClock) {
    this.channel = channel;
    this.client = client;
    this.led = led;
    this.held = held;
    this.nanoClock = nanoClock;
  }

  MessageSource channel() {
    return channel;
  }

  @Override
  public long room(long ready) {
    return ready - client.inFlight().size();
  }

  @Override
  public int poll(int max, DeliverySink out, int maxBytes) throws IOException {
    noting.to = out;
    noting.nowNs = nanoClock.getAsLong();
    noting.timeoutNs = channel.msgTimeoutNs(client);
    noting.maxTimeoutNs = channel.maxMsgTimeoutNs();
    return channel.poll(client, max, noting, maxBytes);
  }

  /** Notes what passes. */
  private final class Noting implements DeliverySink {
    private DeliverySink to;
    private long nowNs;
    private long timeoutNs;
    private long maxTimeoutNs;

    @Override
    public int size() {
      return to.size();
    }

    @Override
    public void message(
        long timestampNs, int attempts, long id, byte[] body, int start, int length) {
      held.delivered(id, nowNs, timeoutNs, maxTimeoutNs);
      to.message(timestampNs, attempts, id, body, start, length);
    }

    @Override
    public void message(long timestampNs, int attempts, long id, ByteBuffer body) {
      held.delivered(id, nowNs, timeoutNs, maxTimeoutNs);
      to.message(timestampNs, attempts, id, body);
    }
  }

  @Override
  public void wakeAnother() {
    channel.wakeAnother();
  }

  @Override
  public void readFailed(IOException cause) {
    channel.readFailed(cause);
  }

  @Override
  public boolean knowsAll() {
    return true;
  }

  @Override
  public void finish(long[] ids, int count, Outcome[] outcomes) {
    channel.finishMessages(client, ids, count, outcomes);
    for (int i = 0; i < count; i++) {
      outcomes[i] = ofElsewhere(outcomes[i]);
      if (outcomes[i] == Outcome.OK) {
        held.answered(ids[i]);
      }
    }
  }

  /** What ends here goes on with another leader, who knows nothing of the delivery. */
  private Outcome ofElsewhere(Outcome outcome) {
    return outcome == Outcome.EXITING && channel.isElsewhere() ? Outcome.NOT_IN_FLIGHT : outcome;
  }

  @Override
  public Outcome requeue(long id, long delayMs) {
    Outcome outcome = ofElsewhere(channel.requeueMessage(client, id, delayMs));
    if (outcome == Outcome.OK) {
      held.answered(id);
    }
    return outcome;
  }

  @Override
  public Outcome touch(long id) {
    Outcome outcome = ofElsewhere(channel.touchMessage(client, id));
    if (outcome == Outcome.OK) {
      held.touched(id, nanoClock.getAsLong());
    }
    return outcome;
  }

  @Override
  public void ready(long count) {
    if (count > 0) {
      client.wake();
    }
  }

  @Override
  public CompletableFuture<Void> stop() {
    return channel.stopped(client);
  }

  @Override
  public CompletableFuture<Void> behind() {
    return null;
  }

  @Override
  public void leave() {
    channel.removeClient(client);
    led.left(channel);
  }
}
