package io.holdfast.storage.log;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The files that the readers of a log have open, each once, however many channels read it.
 *
 * <p>Thread-safe (own monitor).
 */
final class ReadFiles {
  private final Disk disk;

  @GuardedBy("this")
  private final Map<Path, Use> open = new HashMap<>();

  private static final class Use {
    private final ReadFile file;

    /** Guarded as {@link #open}. */
    private int users;

    Use(ReadFile file) {
      this.file = file;
    }
  }

  ReadFiles(Disk disk) {
    this.disk = disk;
  }

  /** Opens a file, to be given back by {@link #close}. */
  synchronized ReadFile open(Path path) throws IOException {
    Use use = open.get(path);
    if (use == null) {
      use = new Use(new ReadFile(path, disk));
      open.put(path, use);
    }
    use.users++;
    return use.file;
  }

  /** Whether somebody has a file open. */
  synchronized boolean isOpen(Path path) {
    return open.containsKey(path);
  }

  /** Ends one use; with the last one the file is closed. */
  synchronized void close(ReadFile file) {
    Use use = open.get(file.path());
    use.users--;
    if (use.users == 0) {
      open.remove(file.path());
      file.close();
    }
  }
}
