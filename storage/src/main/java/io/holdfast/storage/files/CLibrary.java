package io.holdfast.storage.files;

import java.nio.charset.Charset;
import java.nio.file.Path;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Platform;

/** The calls of the C library that neither Java nor Chronicle has. Thread-safe. */
final class CLibrary {
  /** Named as in C. Public for jnr-ffi. */
  public interface Calls {
    /** Chronicle has it, too, with a CharSequence, for which jnr-ffi loads 300 classes. */
    int open(byte[] path, int flags);

    int umask(int mask);

    int flock(int fd, int operation);

    int syncfs(int fd);
  }

  private CLibrary() {}

  /** The calls; {@link ChronicleSetup#requireNativeCalls} comes before the first time. */
  static Calls calls() {
    return Loaded.CALLS;
  }

  /** A path as C has them. */
  static byte[] path(Path path) {
    return (path + "\0").getBytes(Charset.defaultCharset());
  }

  private static final class Loaded {
    // By its file's name: for "c" jnr-ffi looks through every directory of libraries.
    private static final Calls CALLS =
        LibraryLoader.create(Calls.class)
            .load(Platform.getNativePlatform().getStandardCLibraryName());
  }
}
