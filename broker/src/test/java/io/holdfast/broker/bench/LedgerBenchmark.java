package io.holdfast.broker.bench;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The ledger's note of finished messages: time per socket read's worth of FINs. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class LedgerBenchmark {
  /** FINs of one read. */
  @Param({"1", "10", "200"})
  public int messages;

  private final OrdinalRanges ranges = new OrdinalRanges();
  private SyncThread syncThread;
  private Path dir;
  private Ledger ledger;
  private long ordinal;

  @Setup(Level.Iteration)
  public void open() throws IOException {
    syncThread = new SyncThread(2_000);
    dir = BenchData.newDirectory();
    ledger = new Ledger(dir, syncThread);
    ledger.replay();
    ordinal = 0;
  }

  @TearDown(Level.Iteration)
  public void close() throws IOException {
    ledger.close();
    syncThread.close();
    BenchData.delete(dir);
  }

  /** In order: one range. */
  @Benchmark
  public long finishInOrder() throws IOException {
    ranges.clear();
    for (int i = 0; i < messages; i++) {
      ranges.add(ordinal++);
    }
    ledger.finish(ranges);
    return ordinal;
  }

  /** Every other message, as with two consumers: a range each. */
  @Benchmark
  public long finishScattered() throws IOException {
    ranges.clear();
    for (int i = 0; i < messages; i++) {
      ranges.add(ordinal);
      ordinal += 2;
    }
    ledger.finish(ranges);
    return ordinal;
  }
}
