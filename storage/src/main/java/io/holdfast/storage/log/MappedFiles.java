package io.holdfast.storage.log;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import net.openhft.chronicle.bytes.MappedBytes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the files that Chronicle has mapped for appending are as long as they were. A store
 * behind the end of a file that somebody cut off is a signal that ends the process, so that is
 * looked for before an append, though not more often than every 100 us in one log, and every
 * millisecond in all logs of the process: where thousands of logs are written in turn, each would
 * pay for a look at every append. Between two looks it is the compiled code of Chronicle that gets
 * the signal, which the JVM turns into an {@link InternalError}.
 *
 * <p>It costs as much as the append itself in a log that was quiet for a while, so one call has to
 * do: the length of the cycle file, asked of Chronicle's own open file, which costs a quarter of
 * asking by path. Only a path says that a file was removed or replaced, which ends no process: it
 * is looked at once a second.
 *
 * <p>The log's owner's lock guards it.
 */
final class MappedFiles {
  private static final Logger LOG = LoggerFactory.getLogger(MappedFiles.class);
  private static final long LOOK_EVERY_NS = 100_000;
  private static final long LOOK_ANYWHERE_EVERY_NS = 1_000_000;
  private static final long LOOK_AT_PATH_EVERY_NS = 1_000_000_000;

  /** One of them; it is as long as it will be, or grows. */
  private record Mapped(File path, long length) {
    static Mapped of(Path path) {
      File file = path.toFile();
      return new Mapped(file, file.length());
    }

    boolean isShorter() {
      return path.length() < length;
    }
  }

  /** When some log may be looked at again; the system calls are what is to be saved. */
  private static final AtomicLong NEXT_LOOK_NS = new AtomicLong(System.nanoTime());

  private Mapped cycleFile;

  /** The cycle file as Chronicle has it open; Chronicle closes it. */
  private RandomAccessFile openCycleFile;

  private long lookedNs;
  private long lookedAtPathNs;

  /** From now on this one is mapped. */
  void are(Path cyclePath, MappedBytes cycleBytes) {
    cycleFile = Mapped.of(cyclePath);
    openCycleFile = cycleBytes.mappedFile().raf();
    lookedNs = System.nanoTime();
    lookedAtPathNs = lookedNs;
  }

  /** None is mapped. */
  void none() {
    cycleFile = null;
    openCycleFile = null;
  }

  /** The file that was cut off or removed, null when all is well or was so just now. */
  File cutOff() {
    if (cycleFile == null) {
      return null;
    }
    long nowNs = System.nanoTime();
    if (nowNs - lookedNs < LOOK_EVERY_NS || !mayLook(nowNs)) {
      return null;
    }
    lookedNs = nowNs;
    if (isOpenCycleFileShorter()) {
      return cycleFile.path;
    }
    return nowNs - lookedAtPathNs >= LOOK_AT_PATH_EVERY_NS ? removed() : null;
  }

  /**
   * As {@link #cutOff}, whenever it was looked at last, here or anywhere: who looks at one log
   * after the other would always come too early for those behind the first.
   */
  File cutOffNow() {
    if (cycleFile == null) {
      return null;
    }
    return isOpenCycleFileShorter() ? cycleFile.path : removed();
  }

  private File removed() {
    lookedAtPathNs = System.nanoTime();
    return cycleFile.isShorter() ? cycleFile.path : null;
  }

  private static boolean mayLook(long nowNs) {
    long nextNs = NEXT_LOOK_NS.get();
    return nowNs - nextNs >= 0
        && NEXT_LOOK_NS.compareAndSet(nextNs, nowNs + LOOK_ANYWHERE_EVERY_NS);
  }

  private boolean isOpenCycleFileShorter() {
    try {
      return openCycleFile.length() < cycleFile.length;
    } catch (IOException closed) {
      LOG.debug("{} is no longer open", cycleFile.path, closed);
      return cycleFile.isShorter();
    }
  }
}
