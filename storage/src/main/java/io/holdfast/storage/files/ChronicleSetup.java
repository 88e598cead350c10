package io.holdfast.storage.files;

import java.util.concurrent.atomic.AtomicBoolean;
import net.openhft.chronicle.core.Memory;
import net.openhft.chronicle.core.UnsafeMemory;
import net.openhft.posix.PosixAPI;

/**
 * Brings Chronicle Queue into the state Holdfast needs, once per process: silent, without helper
 * threads, and with its native calls really there.
 */
public final class ChronicleSetup {
  /** As many calls as the JVM compiles a method after, and some. */
  private static final int CALLS_TO_COMPILE = 3000;

  private static final AtomicBoolean COMPILED = new AtomicBoolean();

  private ChronicleSetup() {}

  /**
   * Sets Chronicle's switches. Must run before the first Chronicle class is loaded, so {@code main}
   * calls it first thing; harmless when repeated.
   */
  public static void silence() {
    setIfAbsent("chronicle.announcer.disable", "true");
    setIfAbsent("chronicle.disk.monitor.disable", "true");
    setIfAbsent("chronicle.analytics.disable", "true");
    setIfAbsent("disable.perf.info", "true");
  }

  /**
   * Fails when the native library did not load: Chronicle then silently replaces {@code fallocate}
   * by a method that does nothing, and a full disk would corrupt acknowledged messages.
   *
   * @throws IllegalStateException naming what is missing
   */
  public static void requireNativeCalls() {
    String api = PosixAPI.posix().getClass().getSimpleName();
    if (api.startsWith("NoOp")) {
      throw new IllegalStateException(
          "native calls are not available ("
              + api
              + "): is java.io.tmpdir "
              + System.getProperty("java.io.tmpdir")
              + " writable and mounted without noexec?");
    }
    // The first call that fails loads classes, which overwrites the error number it is asked for:
    // a full disk would not be known as one.
    PosixAPI.posix().fallocate(-1, 0, 0, 1);
    PosixAPI.posix().lastError();
    compileCompareAndSets();
  }

  /**
   * Chronicle appends by compare-and-set in mapped memory. Where the page is gone, because somebody
   * cut the file off or the disk cannot read the block, compiled code gets an {@link
   * InternalError}, which whoever appends expects; interpreted code ends the process.
   */
  private static void compileCompareAndSets() {
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

  private static void setIfAbsent(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }
}
