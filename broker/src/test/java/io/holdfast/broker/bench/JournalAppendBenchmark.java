package io.holdfast.broker.bench;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import java.io.IOException;
import java.nio.ByteBuffer;
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

/**
 * The journal's append, checksum included: time per batch. Bodies of 16 KiB and more are written by
 * call, smaller ones through the mapping.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class JournalAppendBenchmark {
  /** Messages of a batch, and bytes of each. */
  @Param({"1x200", "10x200", "200x200", "1x8192", "1x16384", "1x65536"})
  public String batch;

  private int messages;
  private ByteBuffer section;
  private SyncThread syncThread;
  private Path dir;
  private ChronicleJournal journal;

  /** A new journal for every iteration: the disk would fill up. */
  @Setup(Level.Iteration)
  public void open() throws IOException {
    String[] parts = batch.split("x");
    messages = Integer.parseInt(parts[0]);
    section = BenchData.section(messages, Integer.parseInt(parts[1]));
    syncThread = new SyncThread(2_000);
    dir = BenchData.newDirectory();
    journal = new ChronicleJournal(dir, BenchData.STORAGE, syncThread);
  }

  @TearDown(Level.Iteration)
  public void close() throws IOException {
    journal.close();
    syncThread.close();
    BenchData.delete(dir);
  }

  @Benchmark
  public long append() throws IOException {
    Batch appended = new Batch(section, messages, 0);
    journal.append(appended);
    return appended.endOrdinal();
  }
}
