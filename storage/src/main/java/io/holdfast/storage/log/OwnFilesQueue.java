package io.holdfast.storage.log;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.NavigableSet;
import java.util.function.Supplier;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.RollCycle;
import net.openhft.chronicle.queue.impl.TableStore;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.WireType;

/**
 * A Chronicle queue that is only appended to, and knows of no files but those it is shown: for an
 * appender, Chronicle would map the older ones to mark their ends, one by one, and a damaged one
 * there ends the process or the attempt.
 */
final class OwnFilesQueue extends SingleChronicleQueue {
  private static final int LOCK_TIMEOUT_MS = 500;

  /** Where the builder has its table; there is no other way in. */
  private static final VarHandle META_STORE;

  static {
    try {
      META_STORE =
          MethodHandles.privateLookupIn(SingleChronicleQueueBuilder.class, MethodHandles.lookup())
              .findVarHandle(SingleChronicleQueueBuilder.class, "metaStore", TableStore.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Supplier<NavigableSet<Integer>> shown;

  private OwnFilesQueue(Builder builder) {
    super(builder);
    shown = builder.shown;
  }

  /**
   * Opens the queue of a directory.
   *
   * @param shown the cycles that Chronicle is to know; the set may change
   */
  static OwnFilesQueue open(
      Path dir, RollCycle rollCycle, long blockSize, Supplier<NavigableSet<Integer>> shown) {
    Builder builder = new Builder(shown);
    builder
        .path(dir)
        .wireType(WireType.BINARY_LIGHT)
        .rollCycle(rollCycle)
        .blockSize(blockSize)
        .syncMode(SyncMode.NONE)
        .timeoutMS(LOCK_TIMEOUT_MS);
    return builder.build();
  }

  @Override
  public int firstCycle() {
    NavigableSet<Integer> cycles = shown.get();
    return cycles.isEmpty() ? Integer.MAX_VALUE : cycles.first();
  }

  @Override
  public int lastCycle() {
    NavigableSet<Integer> cycles = shown.get();
    return cycles.isEmpty() ? Integer.MIN_VALUE : cycles.last();
  }

  /** Chronicle's way to a queue of another class. */
  private static final class Builder extends SingleChronicleQueueBuilder {
    private final Supplier<NavigableSet<Integer>> shown;

    Builder(Supplier<NavigableSet<Integer>> shown) {
      this.shown = shown;
    }

    /** Chronicle would make a file for it, see {@link MemoryTable}. */
    @Override
    protected void initializeMetadata() {
      META_STORE.set((SingleChronicleQueueBuilder) this, new MemoryTable(path().toPath()));
    }

    @Override
    public OwnFilesQueue build() {
      preBuild();
      OwnFilesQueue queue = new OwnFilesQueue(this);
      queue.createAppenderCondition(createAppenderConditionCreator().apply(queue));
      return queue;
    }
  }
}
