package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.File;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import net.openhft.chronicle.bytes.MappedBytes;
import net.openhft.chronicle.core.io.AbstractCloseable;
import net.openhft.chronicle.core.values.LongValue;
import net.openhft.chronicle.queue.impl.TableStore;
import net.openhft.chronicle.queue.impl.single.SCQMeta;
import net.openhft.chronicle.queue.impl.table.TableStoreIterator;
import net.openhft.chronicle.wire.WireOut;
import net.openhft.chronicle.wire.WireType;

/**
 * In place of the file {@code metadata.cq4t} of a Chronicle queue: what is in it, a lock and which
 * files there are, is of no use to any other process, and worth nothing after this one. Without the
 * file an open log has a descriptor, a mapping and 12 KB of disk less, and an opening of the log no
 * file to make, to reserve blocks for and to remove again. Thread-safe.
 */
final class MemoryTable extends AbstractCloseable implements TableStore<SCQMeta> {
  private final Path dir;

  @GuardedBy("this")
  private final Map<String, Value> values = new TreeMap<>();

  /**
   * @param dir for errors
   */
  MemoryTable(Path dir) {
    this.dir = dir;
    // Any thread that has the log's lock.
    singleThreadedCheckDisabled(true);
  }

  @Override
  public synchronized LongValue acquireValueFor(CharSequence key, long defaultValue) {
    return values.computeIfAbsent(key.toString(), unknown -> new Value(defaultValue));
  }

  @Override
  public synchronized <A> void forEachKey(A accumulator, TableStoreIterator<A> visitor) {
    throw new UnsupportedOperationException("nobody copies the table of " + dir);
  }

  @Override
  public synchronized <R> R doWithExclusiveLock(Function<TableStore<SCQMeta>, ? extends R> code) {
    return code.apply(this);
  }

  @Override
  public SCQMeta metadata() {
    throw new UnsupportedOperationException("only a file of " + dir + " would have it");
  }

  @Override
  public File file() {
    return dir.toFile();
  }

  @Override
  public MappedBytes bytes() {
    throw new UnsupportedOperationException("no file has the table of " + dir);
  }

  @Override
  public String dump(WireType wireType) {
    return toString();
  }

  @Override
  public void writeMarshallable(WireOut wire) {
    throw new UnsupportedOperationException("no file has the table of " + dir);
  }

  @Override
  protected void performClose() {
    // Nothing is open.
  }

  @Override
  public synchronized String toString() {
    return "table of " + dir + " " + values;
  }

  /** One of them. */
  private static final class Value implements LongValue {
    private final AtomicLong value;

    Value(long value) {
      this.value = new AtomicLong(value);
    }

    @Override
    public long getValue() {
      return value.get();
    }

    @Override
    public void setValue(long to) {
      value.set(to);
    }

    @Override
    public long getVolatileValue() {
      return value.get();
    }

    @Override
    public void setVolatileValue(long to) {
      value.set(to);
    }

    @Override
    public long getVolatileValue(long closedValue) {
      return value.get();
    }

    @Override
    public void setOrderedValue(long to) {
      value.setRelease(to);
    }

    @Override
    public long addValue(long delta) {
      return value.addAndGet(delta);
    }

    @Override
    public long addAtomicValue(long delta) {
      return value.addAndGet(delta);
    }

    @Override
    public boolean compareAndSwapValue(long expected, long to) {
      return value.compareAndSet(expected, to);
    }

    @Override
    public void setMaxValue(long to) {
      value.accumulateAndGet(to, Math::max);
    }

    @Override
    public void setMinValue(long to) {
      value.accumulateAndGet(to, Math::min);
    }

    @Override
    public String toString() {
      return value.toString();
    }
  }
}
