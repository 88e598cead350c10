package io.holdfast.broker.bench;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.wire.Connection;
import io.holdfast.broker.wire.ConnectionServices;
import io.holdfast.broker.wire.FrameEncoder;
import io.holdfast.broker.wire.HexId;
import io.holdfast.broker.wire.ProtocolV2Decoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Bytes in, bytes out: decoder, protocol, topic and channel of a real broker, an embedded channel
 * instead of a socket. Time per message.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class ProtocolBenchmark {
  private static final int BATCH = 200;
  private static final int FIN_BYTES = 21;
  private static final int FRAME_BYTES = FrameEncoder.MESSAGE_OVERHEAD_BYTES + BenchData.BODY_BYTES;
  private static final int ID_OFFSET = FrameEncoder.MESSAGE_OVERHEAD_BYTES - HexId.BYTES;

  private final ByteBuf pub = pub(1, "PUB t\n");
  private final ByteBuf pubs = pub(BATCH, "PUB t\n");
  private final ByteBuf mpub = mpub("MPUB t\n");
  private final ByteBuf mpubToConsumer = mpub("MPUB u\n");
  private final ByteBuf fins = Unpooled.directBuffer(BATCH * FIN_BYTES);
  private Path dir;
  private Broker broker;
  private EmbeddedChannel publisher;
  private EmbeddedChannel consumer;

  private static ByteBuf pub(int commands, String line) {
    ByteBuf to = Unpooled.directBuffer();
    for (int i = 0; i < commands; i++) {
      to.writeCharSequence(line, StandardCharsets.US_ASCII);
      to.writeBytes(BenchData.section(1));
    }
    return to;
  }

  private static ByteBuf mpub(String line) {
    ByteBuffer section = BenchData.section(BATCH);
    ByteBuf to = Unpooled.directBuffer();
    to.writeCharSequence(line, StandardCharsets.US_ASCII);
    to.writeInt(Integer.BYTES + section.remaining()).writeInt(BATCH);
    return to.writeBytes(section);
  }

  /** A new broker for every iteration: the disk would fill up. */
  @Setup(Level.Iteration)
  public void start() throws Exception {
    dir = BenchData.newDirectory();
    broker = new Broker(Options.builder().set("data-path", dir.toString()).build());
    broker.topic("t");
    broker.topic("u").channel("c");
    publisher = connect("");
    consumer = connect("SUB u c\nRDY " + BATCH + "\n");
  }

  private EmbeddedChannel connect(String commands) {
    EmbeddedChannel conn =
        new EmbeddedChannel(
            new ProtocolV2Decoder(
                new Connection(
                    new ConnectionServices(
                        broker,
                        null,
                        null,
                        Budgets.of(MemoryBudget.ofThisJvm(0, 0)),
                        new Producers()))));
    conn.writeInbound(Unpooled.copiedBuffer("  V2" + commands, StandardCharsets.US_ASCII));
    answers(conn, 0);
    return conn;
  }

  @TearDown(Level.Iteration)
  public void stop() throws Exception {
    publisher.close();
    consumer.close();
    broker.exit();
    BenchData.delete(dir);
  }

  /** Releases what was answered; returns its bytes. */
  private static int answers(EmbeddedChannel conn, int sofar) {
    conn.runPendingTasks();
    int bytes = sofar;
    for (ByteBuf out = conn.readOutbound(); out != null; out = conn.readOutbound()) {
      bytes += out.readableBytes();
      out.release();
    }
    return bytes;
  }

  private int publish(ByteBuf commands) {
    publisher.writeInbound(commands.retainedDuplicate());
    return answers(publisher, 0);
  }

  /** One PUB per read. */
  @Benchmark
  public int pub() {
    return publish(pub);
  }

  /** 200 PUBs in one read. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public int pipelinedPubs() {
    return publish(pubs);
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public int mpub200() {
    return publish(mpub);
  }

  /** MPUB of 200, their delivery, and 200 FINs in one read. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public int mpub200DeliverAndPipelinedFins() {
    publish(mpubToConsumer);
    fins.clear();
    while (fins.readableBytes() < BATCH * FIN_BYTES) {
      consumer.runPendingTasks();
      ByteBuf out = consumer.readOutbound();
      if (out != null) {
        addFins(out);
        out.release();
      }
    }
    consumer.writeInbound(fins.retainedDuplicate());
    return answers(consumer, 0);
  }

  private void addFins(ByteBuf out) {
    for (int at = out.readerIndex(); at < out.writerIndex(); at += FRAME_BYTES) {
      fins.writeInt(0x46494E20); // "FIN "
      fins.writeBytes(out, at + ID_OFFSET, HexId.BYTES).writeByte('\n');
    }
  }
}
