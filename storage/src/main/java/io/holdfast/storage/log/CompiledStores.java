package io.holdfast.storage.log;

import java.util.concurrent.atomic.AtomicBoolean;
import net.openhft.chronicle.core.Memory;
import net.openhft.chronicle.core.UnsafeMemory;

/**
 * Has the stores compiled by which Chronicle appends, once per process. Where a mapped page is
 * gone, because somebody cut the file off or the disk cannot read the block, compiled code gets an
 * {@link InternalError}, which whoever appends expects; interpreted code ends the process.
 */
final class CompiledStores {
  /** As many calls as the JVM compiles a method after, and some. */
  private static final int CALLS_TO_COMPILE = 3000;

  private static final AtomicBoolean COMPILED = new AtomicBoolean();

  private CompiledStores() {}

  /** Compiles them; does nothing when that was done. */
  static void compile() {
    if (COMPILED.getAndSet(true)) {
      return;
    }
    Memory memory = UnsafeMemory.INSTANCE;
    long scratch = memory.allocate(Long.BYTES);
    memory.writeLong(scratch, 0);
    for (int i = 0; i < CALLS_TO_COMPILE; i++) {
      memory.compareAndSwapInt(scratch, 0, 0);
      memory.compareAndSwapInt(null, scratch, 0, 0);
      memory.compareAndSwapLong(scratch, 0, 0);
      memory.compareAndSwapLong(null, scratch, 0, 0);
      memory.testAndSetInt(scratch, 0, 0, 0);
      memory.testAndSetInt(null, scratch, 0, 0);
      memory.addInt(scratch, 0);
      memory.addLong(scratch, 0);
    }
    memory.freeMemory(scratch, Long.BYTES);
  }
}
