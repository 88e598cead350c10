package io.holdfast.storage.redo;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SharedForce;
import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.files.SyncThread.Syncable;
import io.holdfast.storage.log.CycleFile;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.FilePart;
import io.holdfast.storage.log.LogView;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One log for what the journals of many topics wait to have on disk: forcing it costs one force,
 * where each of them would cost one. A journal is written as ever; what of its files is on no disk
 * yet is copied here, with place and name, before its publishers are answered. The journals are
 * forced behind, by {@link io.holdfast.storage.files.SyncThread}'s passes, and with that the copies
 * are needed no more. After a crash {@link RedoReplay} puts them where they came from.
 *
 * <p>It is in {@code redo} of the data directory while it is used. Files go oldest first, and each
 * removal is on disk before the next: what a power cut leaves is what was written last, so that no
 * copy counts of which a later record says that it is void.
 *
 * <p>Thread-safe.
 */
public final class RedoLog implements SharedForce, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(RedoLog.class);

  /** Where it is in the data directory. */
  public static final String DIR = "redo";

  /**
   * At so many journals that wait at the same time one force for all begins to cost less: below,
   * the second copy of each message costs more than the forces.
   */
  public static final int LEAST_JOURNALS = 4;

  /** What is copied at once; a larger record would only need more memory. */
  private static final int BUFFER_BYTES = 1 << 20;

  private static final long BLOCK_BYTES = 64 << 20;
  private static final long MAX_RESERVE_BYTES = 4 << 20;

  /** A file with less goes on, as long as it is used. */
  private static final long MIN_FILE_BYTES = 8 << 20;

  /** A start after a power cut reads it all. */
  private static final long PASS_DUE_BYTES = 48 << 20;

  /** Passes that cannot end, as a disk refuses, do not make it longer than this. */
  private static final long MAX_BYTES = 256 << 20;

  private final Path topics;
  private final Path dir;
  private final Disk disk;

  /** Null while there is no directory. */
  @GuardedBy("this")
  private ExcerptLog log;

  /** The record that is being gathered, without its head; null before its first use. */
  @GuardedBy("this")
  private ByteBuffer buffer;

  @GuardedBy("this")
  private int parts;

  /** Of which topics' directories there are copies in files that the pass under way is for. */
  @GuardedBy("this")
  private final Set<String> passing;

  /** The same of files that begin after it began. */
  @GuardedBy("this")
  private final Set<String> names = new HashSet<>();

  /** The last file that the pass under way is for. */
  @GuardedBy("this")
  private int passTo = -1;

  /** Bytes copied since the last pass began, and in all that there are. */
  @GuardedBy("this")
  private long newBytes;

  @GuardedBy("this")
  private long allBytes;

  /** Whether it could not be written: not used again before all of it is gone. */
  @GuardedBy("this")
  private boolean refused;

  /** Whether it has copies of what a dead process wrote, or of what was put back. */
  @GuardedBy("this")
  private boolean ofDeadProcess;

  private volatile boolean passDue;
  private volatile boolean hasCopies;

  private RedoLog(Path root, Disk disk, Path topics, Set<String> left) {
    this.topics = topics;
    this.disk = disk;
    dir = root.resolve(DIR);
    passing = left;
  }

  /**
   * Opens the log of a data directory whose lock the caller holds, before its journals.
   *
   * @param root the data directory
   * @param topics where the topics' directories are
   * @param putBack whether what was written since may not be on disk: what it has goes to the
   *     journals. Also when only the process died: what the disk refused to write the kernel holds
   *     for written, or a file system that failed was mounted again
   * @throws IOException when it cannot be read, or the journals not be written
   */
  public static RedoLog open(Path root, Path topics, Disk disk, boolean putBack)
      throws IOException {
    Path dir = root.resolve(DIR);
    if (!Files.isDirectory(dir)) {
      return new RedoLog(root, disk, topics, new HashSet<>());
    }
    ExcerptLog found = log(dir, disk);
    boolean done = false;
    try {
      RedoReplay replay = new RedoReplay(found, topics, disk);
      RedoLog opened = new RedoLog(root, disk, topics, replay.scan());
      if (putBack) {
        replay.putBack();
      }
      synchronized (opened) {
        opened.log = found;
        opened.ofDeadProcess = putBack;
        opened.passTo = found.currentCycle();
        opened.allBytes = found.diskBytes();
        opened.hasCopies = !found.cycles().isEmpty();
      }
      done = true;
      return opened;
    } finally {
      if (!done) {
        found.close();
      }
    }
  }

  /** Whether a data directory that is only looked at has copies. */
  public static boolean hasFiles(Path root) throws IOException {
    Path dir = root.resolve(DIR);
    return Files.isDirectory(dir) && LogView.withEmpty(dir).firstCycle() >= 0;
  }

  private static ExcerptLog log(Path dir, Disk disk) throws IOException {
    return new ExcerptLog(
        dir, disk, BLOCK_BYTES, MAX_RESERVE_BYTES, CycleFile.Clearing.OFTEN_FORCED);
  }

  @Override
  public synchronized Collection<Syncable> force(Collection<Syncable> urgent) {
    if (refused || allBytes > MAX_BYTES) {
      return urgent;
    }
    List<Syncable> left = new ArrayList<>();
    List<Redoable.Copied> copies = new ArrayList<>();
    try {
      begin();
      for (Syncable each : urgent) {
        Redoable.Copied copied =
            each instanceof Redoable redoable ? redoable.copy(this::copy) : null;
        if (copied == null) {
          left.add(each);
        } else {
          copies.add(copied);
        }
      }
      if (!copies.isEmpty()) {
        flush();
        log.force();
        if (!log.isInPlace()) {
          throw new IOException("somebody has removed it");
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      // An error of the machine's, too: those who wait must not wait for ever.
      refuse(e);
      copies.forEach(Redoable.Copied::putBack);
      return urgent;
    }
    copies.forEach(RedoLog::tell);
    return left;
  }

  private static void tell(Redoable.Copied copied) {
    try {
      copied.durable();
    } catch (RuntimeException | Error e) {
      // The others wait, too.
      LOG.error("a publisher could not be answered", e);
    }
  }

  @GuardedBy("this")
  private void begin() throws IOException {
    if (log == null) {
      StrayFiles.makeDirectories(disk, dir);
      log = log(dir, disk);
    }
    if (buffer == null) {
      buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    }
    buffer.clear();
    parts = 0;
  }

  private synchronized void copy(ExcerptLog from, List<FilePart> of) throws IOException {
    String name = topics.relativize(from.dir()).getName(0).toString();
    for (FilePart part : of) {
      if (RedoCodec.bytesOf(part) > buffer.remaining()) {
        flush();
      }
      RedoCodec.putPart(buffer, name, part);
      from.read(part, buffer);
      parts++;
    }
    names.add(name);
  }

  /** Appends what was gathered. */
  @GuardedBy("this")
  private void flush() throws IOException {
    if (parts > 0) {
      append(RedoCodec.BYTES, parts);
      parts = 0;
    }
  }

  @GuardedBy("this")
  private void append(int type, int count) throws IOException {
    hasCopies = true;
    buffer.flip();
    log.append(RedoCodec.head(type, count, buffer), buffer.duplicate());
    newBytes += buffer.limit();
    allBytes += buffer.limit();
    passDue = newBytes > PASS_DUE_BYTES;
    buffer.clear();
  }

  @GuardedBy("this")
  private void refuse(Throwable e) {
    LOG.warn("{}: {}; each journal is forced instead", dir, e.toString());
    if (e instanceof Error) {
      LOG.error("{} is not used for now", dir, e);
    }
    refused = true;
  }

  /** An append that failed can have left a file that is not known of; nor is one to be there. */
  @GuardedBy("this")
  private void openAgain() {
    if (log != null) {
      log.close();
      log = null;
    }
    try {
      if (Files.isDirectory(dir)) {
        log = log(dir, disk);
      } else {
        refused = false;
      }
    } catch (IOException e) {
      LOG.warn("{} cannot be opened: {}", dir, e.toString());
    }
  }

  /**
   * A topic's directory is about to be made: what there is of one before it, of the same name, must
   * not get into it. On disk when this returns.
   */
  public synchronized void forget(String name) throws IOException {
    if (!names.contains(name) && !passing.contains(name)) {
      return;
    }
    begin();
    RedoCodec.putName(buffer, name);
    append(RedoCodec.FORGET, 1);
    log.force();
    passing.remove(name);
    names.remove(name);
  }

  @Override
  public boolean isPassDue() {
    return passDue;
  }

  @Override
  public boolean hasCopies() {
    return hasCopies;
  }

  @Override
  public synchronized void passBegins(boolean isLast) {
    if (refused) {
      openAgain();
    }
    if (log == null) {
      return;
    }
    boolean isUsed = newBytes > 0;
    newBytes = 0;
    passDue = false;
    if (isUsed && log.fileBytes() < MIN_FILE_BYTES && !refused && !isLast) {
      // The next pass is for it.
      return;
    }
    log.roll();
    passTo = log.currentCycle();
    passing.addAll(names);
    names.clear();
  }

  @Override
  public synchronized void passEnds() {
    if (log == null || passTo < 0) {
      return;
    }
    try {
      if (ofDeadProcess) {
        // No pass is for it, and the first one can come before anybody asks for it to be forced.
        disk.forceAll(topics);
        ofDeadProcess = false;
      }
      for (int first = log.firstCycle(); first >= 0 && first <= passTo; first = log.firstCycle()) {
        // Known until its removal is on disk: the next one may say that this one is void.
        disk.delete(log.file(first));
        disk.forceDirectory(dir);
        log.deleteCycle(first);
      }
    } catch (IOException e) {
      LOG.warn("{}: files that are not needed any more stay: {}", dir, e.toString());
      return;
    }
    passTo = -1;
    passing.clear();
    allBytes = log.diskBytes();
    if (log.cycles().isEmpty()) {
      // Nothing of it can be wrong any more.
      refused = false;
      hasCopies = false;
      log.closeIdle();
    }
  }

  /** How many bytes of copies are in files. */
  public synchronized long bytes() {
    return allBytes;
  }

  @Override
  public synchronized void close() {
    if (log != null) {
      log.close();
    }
  }
}
