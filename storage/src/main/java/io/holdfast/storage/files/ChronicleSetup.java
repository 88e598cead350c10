package io.holdfast.storage.files;

import net.openhft.posix.PosixAPI;

/**
 * Brings Chronicle Queue into the state Holdfast needs, once per process: silent, without helper
 * threads, and with its native calls really there.
 */
public final class ChronicleSetup {
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
  }

  private static void setIfAbsent(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }
}
