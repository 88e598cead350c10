package io.holdfast.broker.fuzz;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.InputBudget;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.queue.Topic;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * A broker to be fuzzed through embedded connections, with what must hold after each input: nothing
 * was logged as an error, every buffer was given back, no memory is left counted.
 *
 * <p>The first byte of an input says how the rest is fed: bit 0 in the protocol's way (left to the
 * test), bit 1 ends the input, bit 2 has all room for bodies taken until everything was fed, bits 3
 * to 7 give the size of the pieces, 0 for one piece.
 */
public final class FuzzTarget implements AutoCloseable {
  /** Bit 0. */
  public static final int VARIANT = 1;

  private static final int END = 2;
  private static final int NO_ROOM = 4;
  private static final int PIECE_SHIFT = 3;
  private static final long BUDGET_BYTES = 1 << 20;

  /** The most one connection may hold: a chunked binary /mpub has room for 15 MiB. */
  private static final long MAX_BUFFERED_BYTES = 20 << 20;

  private static final long SETTLE_NS = TimeUnit.SECONDS.toNanos(20);
  private static final int MAX_TOPICS = 8;
  private static final int RUNS_PER_CLEANING = 500;

  private final Path dir;
  private final Broker broker;
  private final ListAppender<ILoggingEvent> errors = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final Level formerLevel = root.getLevel();
  private int runs;

  /** Set up for each input. */
  private UnpooledByteBufAllocator alloc;

  private Budgets budgets;

  /** Puts handlers onto a new connection. */
  public interface Pipeline {
    void addTo(EmbeddedChannel conn, Budgets budgets);
  }

  public FuzzTarget() throws IOException {
    dir = Files.createTempDirectory("holdfast-fuzz");
    broker =
        new Broker(
            Options.builder()
                .set("data-path", dir.toString())
                .set("max-topics", String.valueOf(MAX_TOPICS))
                .set("max-channels", "4")
                .set("max-msg-size", "65536")
                .set("max-body-size", "262144")
                .build());
    root.setLevel(Level.WARN);
    errors.start();
    root.addAppender(errors);
  }

  public Broker broker() {
    return broker;
  }

  /** Feeds one input to a new connection and to the one after it, which must find all well. */
  public byte[] run(byte[] input, byte[] prefix, Pipeline pipeline, Runnable served) {
    if (input.length == 0) {
      return new byte[0];
    }
    errors.list.clear();
    alloc = new UnpooledByteBufAllocator(true);
    budgets = Budgets.of(MemoryBudget.ofThisJvm(BUDGET_BYTES, BUDGET_BYTES));
    EmbeddedChannel conn = new EmbeddedChannel(false, false);
    conn.config().setAllocator(alloc);
    pipeline.addTo(conn, budgets);
    try {
      conn.register();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    int how = input[0];
    InputBudget.Lease all =
        (how & NO_ROOM) == 0
            ? null
            : budgets.input().request(BUDGET_BYTES, conn.eventLoop(), new Nobody());
    feed(conn, prefix, 0, prefix.length);
    int piece = (how & 0xff) >> PIECE_SHIFT;
    feed(conn, input, 1, piece == 0 ? input.length : piece);
    if (all != null) {
      all.release();
    }
    settle(conn);
    if ((how & END) != 0 && conn.isOpen()) {
      conn.pipeline()
          .fireUserEventTriggered(io.netty.channel.socket.ChannelInputShutdownEvent.INSTANCE);
      settle(conn);
    }
    byte[] output = output(conn);
    conn.finishAndReleaseAll();
    conn.runPendingTasks();
    conn.checkException();
    check();
    served.run();
    if (++runs % RUNS_PER_CLEANING == 0) {
      deleteTopics();
    }
    return output;
  }

  private void feed(EmbeddedChannel conn, byte[] bytes, int from, int piece) {
    for (int i = from; i < bytes.length && conn.isOpen(); i += piece) {
      int count = Math.min(piece, bytes.length - i);
      ByteBuf part = alloc.directBuffer(count);
      part.writeBytes(bytes, i, count);
      conn.pipeline().fireChannelRead(part);
      conn.pipeline().fireChannelReadComplete();
      conn.runPendingTasks();
      long buffered =
          alloc.metric().usedDirectMemory() + alloc.metric().usedHeapMemory() - bytes.length;
      if (buffered > MAX_BUFFERED_BYTES) {
        throw new AssertionError(buffered + " bytes buffered");
      }
    }
  }

  /** Until no command waits for another thread. */
  private void settle(EmbeddedChannel conn) {
    long deadlineNs = System.nanoTime() + SETTLE_NS;
    conn.runPendingTasks();
    while (conn.isOpen() && isWaiting(conn)) {
      if (System.nanoTime() > deadlineNs) {
        throw new AssertionError("a command never ended");
      }
      Thread.onSpinWait();
      conn.runPendingTasks();
      conn.runScheduledPendingTasks();
    }
  }

  private boolean isWaiting(EmbeddedChannel conn) {
    return waits != null && waits.test(conn);
  }

  private java.util.function.Predicate<EmbeddedChannel> waits;

  /** How to tell that a connection waits for other threads. */
  public void waitsWhile(java.util.function.Predicate<EmbeddedChannel> condition) {
    waits = condition;
  }

  private static byte[] output(EmbeddedChannel conn) {
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    for (Object out = conn.readOutbound(); out != null; out = conn.readOutbound()) {
      ByteBuf bytes = (ByteBuf) out;
      byte[] copy = new byte[bytes.readableBytes()];
      bytes.readBytes(copy);
      all.writeBytes(copy);
      bytes.release();
    }
    return all.toByteArray();
  }

  private void check() {
    List<String> logged =
        errors.list.stream()
            .filter(event -> event.getLevel().isGreaterOrEqual(Level.ERROR))
            .filter(event -> !event.getMessage().contains(" bad protocol magic "))
            .map(ILoggingEvent::toString)
            .toList();
    if (!logged.isEmpty()) {
      throw new AssertionError("logged: " + logged);
    }
    long direct = alloc.metric().usedDirectMemory();
    long heap = alloc.metric().usedHeapMemory();
    if (direct != 0 || heap != 0) {
      throw new AssertionError("leaked " + direct + " bytes direct, " + heap + " heap");
    }
    long counted = budgets.input().usedBytes() + budgets.output().usedBytes();
    if (counted != 0 || budgets.input().waiting() != 0) {
      throw new AssertionError(counted + " bytes still counted");
    }
    if (broker.topics().size() > MAX_TOPICS) {
      throw new AssertionError(broker.topics().size() + " topics");
    }
  }

  private void deleteTopics() {
    try {
      for (Topic topic : List.copyOf(broker.topics())) {
        broker.deleteTopic(topic.name());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    root.detachAppender(errors);
    root.setLevel(formerLevel);
    broker.exit();
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** Holds room without ever being in a hurry. */
  private static final class Nobody implements InputBudget.Holder {
    @Override
    public void granted() {
      throw new AssertionError("was granted at once");
    }

    @Override
    public boolean expired() {
      return false; // the test gives it back by itself
    }
  }
}
