package io.holdfast.broker.bench;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.limits.OutputBudget;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.Outcome;
import io.holdfast.broker.queue.PublishListener;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.wire.ClientOutput;
import io.holdfast.broker.wire.ClientSettings;
import io.holdfast.broker.wire.ClientV2;
import io.holdfast.broker.wire.FrameEncoder;
import io.holdfast.broker.wire.HexId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A message's way through topic and channel without network: journal append and put, poll into a
 * frame, finish with its note in the ledger. Batches of 200, time per message.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class ChannelBenchmark {
  private static final int BATCH = 200;
  private static final int OUT_BYTES = 1 << 20;
  private static final int FRAME_BYTES = FrameEncoder.MESSAGE_OVERHEAD_BYTES + BenchData.BODY_BYTES;
  private static final int ID_OFFSET = FrameEncoder.MESSAGE_OVERHEAD_BYTES - HexId.BYTES;

  private static final PublishListener NOBODY =
      new PublishListener() {
        @Override
        public void onDurable() {
          // Nobody waits.
        }

        @Override
        public void onFailed(String error) {
          throw new IllegalStateException(error);
        }
      };

  /** {@code mem-queue-size}: through memory, or all through the backend. */
  @Param({"10000", "0"})
  public int memQueueSize;

  private final long[] ids = new long[BATCH];
  private final Outcome[] outcomes = new Outcome[BATCH];
  private final ByteBuf section = Unpooled.wrappedBuffer(BenchData.section(BATCH));
  private Path dir;
  private Broker broker;
  private Topic topic;
  private Channel channel;
  private EmbeddedChannel conn;
  private ClientV2 client;
  private ByteBuf out;

  private final DeliverySink sink =
      new DeliverySink() {
        @Override
        public int size() {
          return out.writerIndex();
        }

        @Override
        public void message(
            long timestampNs, int attempts, long id, byte[] body, int start, int length) {
          FrameEncoder.messageHead(out, timestampNs, attempts, id, length);
          out.writeBytes(body, start, length);
        }

        @Override
        public void message(long timestampNs, int attempts, long id, ByteBuffer body) {
          FrameEncoder.message(out, timestampNs, attempts, id, body);
        }
      };

  /** A new broker for every iteration: the disk would fill up. */
  @Setup(Level.Iteration)
  public void start() throws Exception {
    dir = BenchData.newDirectory();
    broker =
        new Broker(
            Options.builder()
                .set("data-path", dir.toString())
                .set("mem-queue-size", Integer.toString(memQueueSize))
                .build());
    topic = broker.topic("t");
    channel = topic.channel("c");
    conn = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
    var ctx = conn.pipeline().firstContext();
    ClientSettings settings =
        new ClientSettings("bench", "bench", "", "", "", 30_000, 16384, 250, 0, 60_000);
    client =
        new ClientV2(
            ctx,
            new ClientOutput(ctx, new OutputBudget(Long.MAX_VALUE)),
            settings,
            new ConnectionMemory(MemoryBudget.ofThisJvm(0, 0).connections()));
    channel.addClient(client);
    client.subscribed(channel);
    out = PooledByteBufAllocator.DEFAULT.directBuffer(OUT_BYTES, OUT_BYTES);
  }

  @TearDown(Level.Iteration)
  public void stop() throws Exception {
    channel.removeClient(client);
    conn.close();
    out.release();
    broker.exit();
    BenchData.delete(dir);
  }

  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long putPollFinish() throws Exception {
    topic.putMessages(section.nioBuffer(), BATCH, 0, 0, NOBODY);
    int polled = 0;
    out.clear();
    while (polled < BATCH) {
      int count = channel.poll(client, BATCH - polled, sink, OUT_BYTES);
      if (count <= 0) {
        throw new IllegalStateException("only " + polled + " messages: " + count);
      }
      polled += count;
    }
    for (int i = 0; i < BATCH; i++) {
      ids[i] = HexId.parse(out, i * FRAME_BYTES + ID_OFFSET);
    }
    channel.finishMessages(client, ids, BATCH, outcomes);
    if (outcomes[BATCH - 1] != Outcome.OK) {
      throw new IllegalStateException("not finished: " + outcomes[BATCH - 1]);
    }
    conn.runPendingTasks();
    return ids[0];
  }
}
