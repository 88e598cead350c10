package io.holdfast.broker.bench;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A channel's reads of a journal of 400,000 messages in several files, checksums included. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class JournalReadBenchmark {
  private static final int TOTAL = 400_000;

  /** A step that leads to another file now and then, and visits all messages. */
  private static final int STEP = 7_919;

  /** Messages of the batches that were published. */
  @Param({"1", "200"})
  public int messages;

  private final MessageView view = new MessageView();
  private final MessageRef[] refs = new MessageRef[TOTAL];
  private SyncThread syncThread;
  private Path dir;
  private ChronicleJournal journal;
  private JournalCursor inOrder;
  private JournalCursor byReference;
  private int next;

  @Setup
  public void open() throws IOException {
    syncThread = new SyncThread(2_000);
    dir = BenchData.newDirectory();
    journal = new ChronicleJournal(dir, BenchData.STORAGE, syncThread);
    for (int i = 0; i < TOTAL; i += messages) {
      journal.append(new Batch(BenchData.section(messages), messages, 0));
    }
    inOrder = journal.cursor();
    byReference = journal.cursor();
    inOrder.moveTo(0);
    for (int i = 0; inOrder.next(view, TOTAL); i++) {
      refs[i] =
          new MessageRef(
              view.ordinal(), view.batchPosition(), view.bodyOffset(), view.bodyLength(), 0);
    }
    inOrder.moveTo(0);
  }

  @TearDown
  public void close() throws IOException {
    inOrder.close();
    byReference.close();
    journal.close();
    syncThread.close();
    BenchData.delete(dir);
  }

  @Benchmark
  public long inOrder() throws IOException {
    if (!inOrder.next(view, TOTAL)) {
      inOrder.moveTo(0);
      inOrder.next(view, TOTAL);
    }
    return view.ordinal();
  }

  /** As a requeued message is read again: the next in order. */
  @Benchmark
  public long byReferenceInOrder() throws IOException {
    next = next + 1 == TOTAL ? 0 : next + 1;
    return read();
  }

  /** The worst case: every read is in another batch. */
  @Benchmark
  public long byReferenceScattered() throws IOException {
    next = (next + STEP) % TOTAL;
    return read();
  }

  private long read() throws IOException {
    if (!byReference.read(refs[next], view)) {
      throw new IOException("message " + next + " cannot be read");
    }
    return view.ordinal();
  }
}
