package io.holdfast.storage.log;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether the files that Chronicle has mapped for appending are as long as they were. A store
 * behind the end of a file that somebody cut off is a signal that ends the process, so that is
 * looked for before an append, though not more often than every 100 us: an append takes 1 us, and
 * so does the look. Between two looks it is the compiled code of Chronicle that gets the signal,
 * which the JVM turns into an {@link InternalError}.
 *
 * <p>The log's owner's lock guards it.
 */
final class MappedFiles {
  private static final long LOOK_EVERY_NS = 100_000;

  private final List<File> files = new ArrayList<>();
  private final List<Long> lengths = new ArrayList<>();
  private long lookedNs;

  /** From now on these are mapped; they are as long as they will be, or grow. */
  void are(Path... mapped) {
    files.clear();
    lengths.clear();
    for (Path path : mapped) {
      files.add(path.toFile());
      lengths.add(path.toFile().length());
    }
    lookedNs = System.nanoTime();
  }

  /** None is mapped. */
  void none() {
    files.clear();
    lengths.clear();
  }

  /** The file that was cut off or removed, null when all is well or was so just now. */
  File cutOff() {
    long nowNs = System.nanoTime();
    if (nowNs - lookedNs < LOOK_EVERY_NS) {
      return null;
    }
    lookedNs = nowNs;
    for (int i = 0; i < files.size(); i++) {
      if (files.get(i).length() < lengths.get(i)) {
        return files.get(i);
      }
    }
    return null;
  }
}
