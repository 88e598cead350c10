package io.holdfast.broker.bench;

import io.holdfast.broker.wire.FrameEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Message frames into a pooled direct buffer: time per message. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class FrameEncoderBenchmark {
  private static final int OUT_BYTES = 64 << 10;

  private final byte[] array = BenchData.body(BenchData.BODY_BYTES);
  private final ByteBuffer mapped = ByteBuffer.allocateDirect(BenchData.BODY_BYTES);
  private ByteBuf out;
  private long id;

  @Setup
  public void allocate() {
    mapped.put(array);
    out = PooledByteBufAllocator.DEFAULT.directBuffer(OUT_BYTES, OUT_BYTES);
  }

  @TearDown
  public void release() {
    out.release();
  }

  private void room() {
    if (out.writableBytes() < FrameEncoder.MESSAGE_OVERHEAD_BYTES + BenchData.BODY_BYTES) {
      out.clear();
    }
  }

  /** As from the journal. */
  @Benchmark
  public int fromMappedMemory() {
    room();
    FrameEncoder.message(out, 1, 1, id++, mapped.clear());
    return out.writerIndex();
  }

  /** As from the memory queue. */
  @Benchmark
  public int fromArray() {
    room();
    FrameEncoder.messageHead(out, 1, 1, id++, array.length);
    out.writeBytes(array);
    return out.writerIndex();
  }
}
