package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.cluster.relay.RelayFrame.Ask;
import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.Subscriber;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;

/**
 * A channel that another node leads: what comes from there waits here until the client takes it,
 * within a window, and its answers go there.
 */
final class RemoteAttachment implements Attachment {
  /** Bytes of messages from which on a leader waits until the client has taken some. */
  static final int WINDOW_BYTES = 128 * 1024;

  private static final int FRAME_BYTES = 32;

  /** Messages that have come together. */
  private record Arrived(ByteBuf messages, long timeoutNs, int bytes) {}

  private final LeaderSession session;
  private final long id;
  private final Subscriber client;
  private final HeldMessages held;
  private final LongSupplier nanoClock;
  private final ArrayDeque<Arrived> arrived = new ArrayDeque<>();
  private final CompletableFuture<Void> stopped = new CompletableFuture<>();
  private long maxMsgTimeoutNs = Long.MAX_VALUE;
  private long readySent;
  private int taken;
  private boolean isLast;

  /**
   * @param ready what the leader was told with the subscription
   */
  RemoteAttachment(
      LeaderSession session,
      long id,
      long ready,
      Subscriber client,
      HeldMessages held,
      LongSupplier nanoClock) {
    this.session = session;
    this.id = id;
    readySent = ready;
    this.client = client;
    this.held = held;
    this.nanoClock = nanoClock;
  }

  /** Its number in the session. */
  long id() {
    return id;
  }

  // ---------------------------------------------------------------- what comes

  /** The leader has the client among the channel's consumers. */
  void joined(ByteBuf frame) {
    maxMsgTimeoutNs = frame.readLong();
  }

  /** Messages have come. */
  void messages(ByteBuf frame) {
    long timeoutNs = frame.readLong();
    arrived.add(new Arrived(frame, timeoutNs, frame.readableBytes()));
    client.setWaiting(false);
    client.wake();
  }

  /** An answer came to nothing. */
  void failed(ByteBuf frame) {
    Ask command = RelayFrame.ASKS[frame.readUnsignedByte()];
    long message = frame.readLong();
    Outcome why = RelayFrame.OUTCOMES.get(frame.readUnsignedByte());
    if (why == Outcome.TOO_MANY_DEFERRED) {
      // It still has it.
      held.delivered(message, nanoClock.getAsLong(), client.msgTimeoutNs(), maxMsgTimeoutNs);
    }
    client.failed(command.name(), message, why);
  }

  /** No more messages will come. */
  void stopped() {
    isLast = true;
    tellIfStopped();
  }

  private void tellIfStopped() {
    if (isLast && arrived.isEmpty()) {
      stopped.complete(null);
    }
  }

  /** The leader has the client no more: what the client did not take it does not get. */
  void ended() {
    arrived.clear();
    stopped.complete(null);
  }

  // ---------------------------------------------------------------- what the client does

  @Override
  public long room(long ready) {
    // The leader knows how many it takes.
    return arrived.isEmpty() ? 0 : Integer.MAX_VALUE;
  }

  @Override
  public int poll(int max, DeliverySink out, int maxBytes) {
    int limit = out.size() + maxBytes;
    long nowNs = nanoClock.getAsLong();
    int count = 0;
    while (!arrived.isEmpty() && out.size() < limit && count < max) {
      Arrived first = arrived.peek();
      ByteBuf in = first.messages();
      while (in.isReadable() && out.size() < limit && count < max) {
        long timestampNs = in.readLong();
        int attempts = in.readUnsignedShort();
        long message = in.readLong();
        int length = in.readInt();
        held.delivered(message, nowNs, first.timeoutNs(), maxMsgTimeoutNs);
        int start = in.arrayOffset() + in.readerIndex();
        out.message(timestampNs, attempts, message, in.array(), start, length);
        in.skipBytes(length);
        count++;
      }
      if (!in.isReadable()) {
        arrived.remove();
        took(first.bytes());
      }
    }
    if (arrived.isEmpty()) {
      client.setWaiting(true);
      tellIfStopped();
    }
    return count;
  }

  private void took(int bytes) {
    taken += bytes;
    if (taken >= WINDOW_BYTES / 4) {
      session.ask(Ask.TAKEN, id, Integer.BYTES, frame -> frame.writeInt(taken));
      taken = 0;
    }
  }

  @Override
  public void wakeAnother() {
    // The leader does.
  }

  @Override
  public void readFailed(IOException cause) {
    throw new IllegalStateException(cause);
  }

  @Override
  public boolean knowsAll() {
    return false;
  }

  @Override
  public void finish(long[] ids, int count, Outcome[] outcomes) {
    session.ask(
        Ask.FIN,
        id,
        Integer.BYTES + count * Long.BYTES,
        frame -> {
          frame.writeInt(count);
          for (int i = 0; i < count; i++) {
            frame.writeLong(ids[i]);
          }
        });
    Arrays.fill(outcomes, 0, count, Outcome.OK);
    for (int i = 0; i < count; i++) {
      held.answered(ids[i]);
    }
  }

  @Override
  public Outcome requeue(long message, long delayMs) {
    session.ask(Ask.REQ, id, FRAME_BYTES, frame -> frame.writeLong(message).writeLong(delayMs));
    held.answered(message);
    return Outcome.OK;
  }

  @Override
  public Outcome touch(long message) {
    session.ask(Ask.TOUCH, id, FRAME_BYTES, frame -> frame.writeLong(message));
    held.touched(message, nanoClock.getAsLong());
    return Outcome.OK;
  }

  @Override
  public void ready(long count) {
    if (count != readySent) {
      readySent = count;
      session.ask(Ask.READY, id, Integer.BYTES, frame -> frame.writeInt((int) count));
    }
  }

  @Override
  public CompletableFuture<Void> stop() {
    session.ask(Ask.STOP, id, 0, frame -> {});
    return stopped;
  }

  @Override
  public CompletableFuture<Void> behind() {
    return session.behind();
  }

  @Override
  public void leave() {
    session.leave(id);
    ended();
  }
}
