package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.cluster.relay.RelayFrame.Ask;
import io.holdfast.broker.cluster.relay.RelayFrame.Tell;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Consumer;
import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.InFlightQueue;
import io.holdfast.broker.queue.MessageSource;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.SubscriberInfo;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client of another node, as a consumer of a channel that is led here: what the channel gives it
 * goes to that node, within a window, and what the client answers comes from there.
 *
 * <p>Owned by its session's loop, but for what any thread may call.
 */
public final class RelayedConsumer implements Consumer {
  private static final Logger LOG = LoggerFactory.getLogger(RelayedConsumer.class);
  private static final int QUANTUM_MESSAGES = 256;
  private static final int QUANTUM_BYTES = 64 * 1024;
  private static final int MIN_FRAME_BYTES = 512;
  private static final long RETRY_NS = TimeUnit.SECONDS.toNanos(1);
  private static final int HEAD_BYTES = 2 * Long.BYTES + Short.BYTES + Integer.BYTES;

  private final FollowerSession session;
  private final long id;
  private final SubscriberInfo info;
  private final long joinedNs = System.nanoTime();
  private final InFlightQueue inFlight = new InFlightQueue();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final Writer writer = new Writer();

  /** null before it has joined, and when it has left. */
  private MessageSource channel;

  /** Bytes that the client has not taken yet. */
  private long untaken;

  private volatile boolean stopped;
  private volatile boolean waiting;
  private volatile long readyCount;
  private volatile long messageCount;
  private volatile long finishCount;
  private volatile long requeueCount;

  RelayedConsumer(FollowerSession session, long id, SubscriberInfo info, int ready) {
    this.session = session;
    this.id = id;
    this.info = info;
    readyCount = ready;
  }

  long id() {
    return id;
  }

  // ---------------------------------------------------------------- joining and leaving

  void joined(MessageSource to) {
    channel = to;
    if (to.isExiting()) {
      // Meanwhile, when it could not be told.
      close();
    }
    wake();
  }

  void leave() {
    MessageSource left = channel;
    channel = null;
    stopped = true;
    if (left != null) {
      left.removeClient(this);
      session.led().left(left);
    }
  }

  @Override
  public void close() {
    session.loop().execute(this::channelGone);
  }

  private void channelGone() {
    MessageSource gone = channel;
    if (gone != null && gone.isExiting()) {
      session.ended(this, gone.isElsewhere());
    }
  }

  // ---------------------------------------------------------------- what the client says

  void take(Ask what, ByteBuf frame) {
    switch (what) {
      case READY -> readyCount = stopped ? 0 : frame.readInt();
      case FIN -> finish(frame);
      case REQ -> {
        long message = frame.readLong();
        Outcome outcome = channel.requeueMessage(this, message, frame.readLong());
        count(0, 0, outcome == Outcome.OK ? 1 : 0);
        tellIfFailed(what, message, outcome);
      }
      case TOUCH -> {
        long message = frame.readLong();
        tellIfFailed(what, message, channel.touchMessage(this, message));
      }
      case STOP -> stop();
      case TAKEN -> untaken -= frame.readInt();
      default -> throw new IllegalArgumentException("of no consumer: " + what);
    }
    if (!waiting) {
      wake();
    }
  }

  private void finish(ByteBuf frame) {
    int count = frame.readInt();
    long[] ids = new long[count];
    for (int i = 0; i < count; i++) {
      ids[i] = frame.readLong();
    }
    Outcome[] outcomes = new Outcome[count];
    channel.finishMessages(this, ids, count, outcomes);
    int finished = 0;
    for (int i = 0; i < count; i++) {
      finished += outcomes[i] == Outcome.OK ? 1 : 0;
      tellIfFailed(Ask.FIN, ids[i], outcomes[i]);
    }
    count(0, finished, 0);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // only its loop counts
  private void count(int messages, int finished, int requeued) {
    messageCount += messages;
    finishCount += finished;
    requeueCount += requeued;
  }

  private void tellIfFailed(Ask command, long message, Outcome outcome) {
    if (outcome != Outcome.OK) {
      boolean isElsewhere = outcome == Outcome.EXITING && channel.isElsewhere();
      session.failed(id, command, message, isElsewhere ? Outcome.NOT_IN_FLIGHT : outcome);
    }
  }

  private void stop() {
    stopped = true;
    readyCount = 0;
    channel.wakeAnother();
    session.tell(Tell.STOPPED, id, 0, answer -> {});
  }

  // ---------------------------------------------------------------- delivery

  @Override
  public void wake() {
    if (!scheduled.get() && scheduled.compareAndSet(false, true)) {
      session.loop().execute(this::turn);
    }
  }

  private void turn() {
    scheduled.set(false);
    if (channel != null && !pump()) {
      channel.wakeAnother();
    }
  }

  /** As the messagePump of a client of this node; false when it takes nothing now. */
  private boolean pump() {
    long room = readyRoom();
    if (room <= 0 || untaken >= RemoteAttachment.WINDOW_BYTES || session.isCongested()) {
      return false;
    }
    int count;
    try {
      int max = (int) Math.min(room, QUANTUM_MESSAGES);
      count = channel.poll(this, max, writer, QUANTUM_BYTES);
    } catch (IOException | RuntimeException e) {
      LOG.error(
          "TOPIC({}) CHANNEL({}): cannot read: {}",
          channel.topicName(),
          channel.name(),
          e.getMessage(),
          e);
      if (e instanceof IOException cause) {
        channel.readFailed(cause);
      }
      session.loop().schedule(this::wake, RETRY_NS);
      count = Channel.CLOSED;
    }
    writer.send();
    count(Math.max(0, count), 0, 0);
    if (count != Channel.CLOSED && !waiting && readyRoom() > 0) {
      wake();
    }
    return true;
  }

  /** Gathers messages in a frame. */
  private final class Writer implements DeliverySink {
    private ByteBuf frame;
    private int start;

    @Override
    public int size() {
      return frame == null ? 0 : frame.writerIndex() - start;
    }

    private void begin(long timestampNs, int attempts, long message, int length) {
      if (frame == null) {
        int bytes = Long.BYTES + Math.max(MIN_FRAME_BYTES, HEAD_BYTES + length);
        frame = session.begin(Tell.MESSAGES, id, bytes);
        frame.writeLong(channel.msgTimeoutNs(RelayedConsumer.this));
        start = frame.writerIndex();
      }
      frame.writeLong(timestampNs).writeShort(attempts).writeLong(message).writeInt(length);
    }

    @Override
    public void message(
        long timestampNs, int attempts, long message, byte[] body, int from, int length) {
      begin(timestampNs, attempts, message, length);
      frame.writeBytes(body, from, length);
    }

    @Override
    public void message(long timestampNs, int attempts, long message, ByteBuffer body) {
      begin(timestampNs, attempts, message, body.remaining());
      frame.writeBytes(body);
    }

    private void send() {
      ByteBuf full = frame;
      if (full != null) {
        frame = null;
        untaken += full.writerIndex() - start;
        session.send(full);
      }
    }
  }

  @Override
  public boolean isSubscribed() {
    return !stopped;
  }

  @Override
  public long readyCount() {
    return readyCount;
  }

  @Override
  public InFlightQueue inFlight() {
    return inFlight;
  }

  @Override
  public boolean isWaiting() {
    return waiting;
  }

  @Override
  public void setWaiting(boolean waits) {
    waiting = waits;
  }

  @Override
  public long msgTimeoutNs() {
    return info.msgTimeoutNs();
  }

  @Override
  public boolean askedMsgTimeout() {
    return info.askedMsgTimeout();
  }

  @Override
  public int sampleRate() {
    return info.sampleRate();
  }

  @Override
  public long maxHoldNs() {
    return info.maxHoldNs();
  }

  @Override
  public String topologyZone() {
    return info.topologyZone();
  }

  @Override
  public String topologyRegion() {
    return info.topologyRegion();
  }

  @Override
  public boolean runLater(Runnable task, long delayNs) {
    session.loop().schedule(task, delayNs);
    return true;
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Who the client is. */
  public SubscriberInfo info() {
    return info;
  }

  /** The node that it is connected to. */
  public String via() {
    return session.node();
  }

  /** Messages it was sent. */
  public long messageCount() {
    return messageCount;
  }

  /** Messages it has finished. */
  public long finishCount() {
    return finishCount;
  }

  /** Messages it gave back. */
  public long requeueCount() {
    return requeueCount;
  }

  /** For how long it is connected to its node, s. */
  public long connectedSeconds() {
    long hereMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - joinedNs);
    return TimeUnit.MILLISECONDS.toSeconds(info.connectedMs() + hereMs);
  }
}
