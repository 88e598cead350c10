package io.holdfast.tools.bench.peers;

import io.holdfast.tools.cli.StopSignal;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;

/**
 * One load on one queue, to its end: publishes, waits for every confirmation, and where it consumes
 * until all that was ever published there has arrived. Everything happens on the calling thread,
 * but that a fixed rate has a thread that sends.
 */
final class Load implements Protocol.Listener {
  /** How long nothing may change while something is due. */
  private static final long STALL_NS = 20_000_000_000L;

  private static final long SELECT_MS = 20;

  /** A server may keep the very last messages in a buffer for a while: they are not its speed. */
  private static final double NEARLY_ALL = 0.99;

  /** Of a fixed rate, this long at the beginning is not counted. */
  static final double RAMP_S = 1;

  /**
   * What happened.
   *
   * @param confirmed messages that the server answered for
   * @param publishSeconds from the first publish to the last answer
   * @param meanwhile messages that arrived until publishing ended
   * @param meanwhileSeconds how long that was
   * @param drainSeconds from the beginning until nearly all had arrived
   * @param drained how many that were
   * @param toOkNs with one message outstanding: from sending to the answer
   * @param toConsumerNs at a fixed rate: from when it was due to its arrival
   */
  record Result(
      long confirmed,
      double publishSeconds,
      long meanwhile,
      double meanwhileSeconds,
      double drainSeconds,
      long drained,
      Histogram toOkNs,
      Histogram toConsumerNs) {}

  private final Shape shape;
  private final Bodies bodies;
  private final StopSignal stop;
  private final List<PeerConnection> publishers = new ArrayList<>();
  private final List<PeerConnection> consumers = new ArrayList<>();
  private final Histogram toOk = new Histogram(3);
  private final Histogram toConsumer = new Histogram(3);
  private final long alreadyWritten;

  private long startNs;
  private long endNs;
  private long nowNs;
  private volatile boolean publishing;

  /** Whose input is being read. */
  private PeerConnection current;

  private long confirmed;
  private long lastConfirmNs;
  private long meanwhile;
  private double meanwhileSeconds;
  private long drained;
  private long drainedNs;

  private volatile boolean paced;
  private volatile IOException pacerFailure;

  /**
   * @param bodies of the queue, shared by its loads
   * @param ports where a connection of this number goes, on loopback
   * @param protocol one for each connection
   */
  Load(
      Shape shape,
      Bodies bodies,
      IntUnaryOperator ports,
      Supplier<Protocol> protocol,
      StopSignal stop)
      throws IOException {
    this.shape = shape;
    this.bodies = bodies;
    this.stop = stop;
    alreadyWritten = bodies.written();
    try {
      for (int i = 0; i < shape.consumers(); i++) {
        consumers.add(PeerConnection.consumer(ports.applyAsInt(i), protocol.get()));
      }
      for (int i = 0; i < shape.publishers(); i++) {
        publishers.add(PeerConnection.publisher(ports.applyAsInt(i), protocol.get()));
      }
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /**
   * @throws IOException when the server breaks off, refuses, or loses something
   * @throws ToolException when it was stopped
   */
  Result run() throws IOException {
    try (Selector selector = Selector.open()) {
      for (PeerConnection connection : all()) {
        connection.register(selector);
      }
      for (PeerConnection consumer : consumers) {
        consumer.begin();
      }
      startNs = System.nanoTime();
      nowNs = startNs;
      double ramp = shape.rate() > 0 ? RAMP_S : 0;
      endNs = startNs + (long) ((shape.seconds() + ramp) * 1e9);
      Thread pacer = null;
      publishing = shape.publishers() > 0;
      if (shape.rate() > 0) {
        paced = true;
        pacer = new Thread(this::pace, "pacer");
        pacer.setDaemon(true);
        pacer.start();
      } else {
        topUp();
      }
      loop(selector, () -> !publishing && !paced);
      if (pacer != null) {
        join(pacer);
      }
      meanwhile = bodies.arrived();
      meanwhileSeconds = (nowNs - startNs) / 1e9;
      loop(selector, () -> confirmed >= bodies.written() - alreadyWritten);
      if (shape.consumers() > 0) {
        loop(selector, () -> bodies.arrived() >= bodies.written());
        loop(selector, () -> consumers.stream().allMatch(PeerConnection::allSent));
      }
      return new Result(
          confirmed,
          (lastConfirmNs - startNs) / 1e9,
          meanwhile,
          meanwhileSeconds,
          (drainedNs - startNs) / 1e9,
          drained,
          toOk,
          toConsumer);
    } finally {
      paced = false;
      close();
    }
  }

  private List<PeerConnection> all() {
    List<PeerConnection> all = new ArrayList<>(publishers);
    all.addAll(consumers);
    return all;
  }

  private void close() throws IOException {
    for (PeerConnection connection : all()) {
      connection.close();
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ToolException("interrupted", e);
    }
  }

  // ---------------------------------------------------------------- the loop

  private void loop(Selector selector, BooleanSupplier done) throws IOException {
    long changes = -1;
    long changeNs = nowNs;
    while (!done.getAsBoolean()) {
      selector.select(SELECT_MS);
      for (SelectionKey key : selector.selectedKeys()) {
        handle(key);
      }
      selector.selectedKeys().clear();
      nowNs = System.nanoTime();
      if (publishing && shape.rate() == 0) {
        goOn();
      }
      if (stop.stopped()) {
        throw new ToolException("stopped");
      }
      if (pacerFailure != null) {
        throw pacerFailure;
      }
      long now = confirmed + bodies.arrived();
      if (now != changes) {
        changes = now;
        changeNs = nowNs;
      } else if (nowNs - changeNs > STALL_NS) {
        throw new IOException(
            "nothing comes any more; confirmed "
                + confirmed
                + ", arrived "
                + bodies.arrived()
                + " of "
                + bodies.written());
      }
    }
  }

  private void handle(SelectionKey key) throws IOException {
    current = (PeerConnection) key.attachment();
    if (key.isReadable()) {
      nowNs = System.nanoTime();
      current.onReadable(this);
      if (publishing && shape.rate() == 0 && shape.window() == 0) {
        topUp(current);
      }
    }
    if (key.isValid() && key.isWritable()) {
      current.flush();
    }
  }

  /** Ends publishing when it is time; with a window, what has arrived makes room. */
  private void goOn() throws IOException {
    if (nowNs - endNs >= 0 || bodies.written() - alreadyWritten >= shape.count()) {
      publishing = false;
      paced = false;
    } else if (shape.window() > 0) {
      topUp();
    }
  }

  private void topUp() throws IOException {
    for (PeerConnection publisher : publishers) {
      topUp(publisher);
    }
  }

  private void topUp(PeerConnection publisher) throws IOException {
    if (shape.publishers() == 0 || nowNs - endNs >= 0) {
      return;
    }
    boolean sent = false;
    while (publisher.outstanding + shape.batch() <= shape.outstanding()
        && bodies.written() - alreadyWritten < shape.count()
        && (shape.window() == 0
            || bodies.written() - bodies.arrived() + shape.batch() <= shape.window())) {
      publisher.publish(bodies, shape.batch(), nowNs);
      publisher.outstanding += shape.batch();
      publisher.sentNs = nowNs;
      sent = true;
    }
    if (sent) {
      publisher.flush();
    }
  }

  @Override
  public void confirmed(int messages) {
    confirmed += messages;
    current.outstanding -= messages;
    lastConfirmNs = nowNs;
    if (shape.outstanding() == 1) {
      toOk.recordValue(Math.max(0, nowNs - current.sentNs));
    }
  }

  @Override
  public void message(byte[] in, int at, int length) throws IOException {
    long dueNs = bodies.arrive(in, at, length);
    if (shape.rate() > 0) {
      if (dueNs - startNs >= RAMP_S * 1e9) {
        toConsumer.recordValue(Math.max(0, nowNs - dueNs));
      }
    } else if (shape.publishers() == 0 && bodies.arrived() <= NEARLY_ALL * bodies.written()) {
      drained = bodies.arrived();
      drainedNs = nowNs;
    }
  }

  // ---------------------------------------------------------------- at a fixed rate

  /** Sends each message when it is due, whether or not the server keeps up; on its own thread. */
  private void pace() {
    try {
      double intervalNs = 1e9 / shape.rate();
      for (long n = 0; paced && startNs + n * intervalNs < endNs; n++) {
        long dueNs = startNs + (long) (n * intervalNs);
        if (dueNs - System.nanoTime() > 0) {
          flushAll();
          while (paced && dueNs - System.nanoTime() > 0) {
            LockSupport.parkNanos(dueNs - System.nanoTime());
          }
        }
        publishers.get((int) (n % publishers.size())).publish(bodies, 1, dueNs);
      }
      flushAll();
    } catch (IOException e) {
      pacerFailure = e;
    } finally {
      publishing = false;
      paced = false;
    }
  }

  private void flushAll() throws IOException {
    for (PeerConnection publisher : publishers) {
      publisher.flush();
    }
  }
}
