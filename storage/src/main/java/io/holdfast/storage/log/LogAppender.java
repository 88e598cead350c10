package io.holdfast.storage.log;

import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.values.Position;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.MappedBytes;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.wire.DocumentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends to a log: reserves disk blocks before each excerpt, begins new files, and leaves a file
 * that something is wrong with. The first append of a process always goes to a new file: appending
 * behind an unclean end can hide later excerpts.
 *
 * <p>The log's owner's lock guards it; opening and closing Chronicle's files is under the monitor
 * of the {@link LogDirectory} as well.
 */
final class LogAppender {
  private static final Logger LOG = LoggerFactory.getLogger(LogAppender.class);

  /**
   * From this size on a body is written by call: 64 KiB take 8 us, where clearing them and storing
   * them through the mapping takes 15. Below it the call costs more ({@link CycleFile}).
   */
  private static final int WRITTEN_BY_CALL_BYTES = 16 << 10;

  /** Chronicle takes no excerpt larger than this part of a block (CHRONICLE.md). */
  private static final int LARGEST_EXCERPT_PART = 4;

  private final LogDirectory directory;
  private final ChronicleFiles chronicle;
  private final CycleFile writeFile;
  private final MappedFiles mapped = new MappedFiles();

  /** Whether {@link #mapped} has yet to learn of them. */
  private boolean reopened;

  /** What the checksums of the file's records are mixed with, see {@link FileSalt}. */
  private int salt = FileSalt.NONE;

  private int writeCycle;
  private boolean freshCycle = true;
  private long writePosition;
  private boolean uncertain;

  /** Files that somebody cut off or removed. */
  private int cutOffs;

  /** See {@link ExcerptLog}. */
  LogAppender(
      LogDirectory directory, long blockSize, long maxReserveBytes, CycleFile.Clearing clearing) {
    this.directory = directory;
    chronicle = new ChronicleFiles(directory, blockSize);
    writeFile = new CycleFile(directory.path(), maxReserveBytes, clearing);
    writeCycle = directory.firstOwnCycle();
  }

  /** Bytes in the file being written, 0 right after a roll. */
  long fileBytes() {
    return freshCycle ? 0 : writePosition;
  }

  /** Bytes of data in the newest file, whoever wrote it; 0 without one. */
  long newestFileBytes() throws IOException {
    return freshCycle ? directory.newestFileBytes() : writePosition;
  }

  /** Makes the next append go to a new file. */
  void roll() {
    if (!freshCycle) {
      writeFile.release(writePosition);
      writeCycle++;
      freshCycle = true;
    }
  }

  /** See {@link ExcerptLog#isUncertain}. */
  boolean isUncertain() {
    return uncertain;
  }

  /** See {@link ExcerptLog#cutOffs}. */
  int cutOffs() {
    leaveFileCutOff(mapped.cutOffNow());
    return cutOffs + directory.cutOffs();
  }

  /** See {@link ExcerptLog#append}. */
  long append(ByteBuffer head, ByteBuffer body) throws IOException {
    int length = head.remaining() + body.remaining();
    uncertain = false;
    if (length > chronicle.blockSize() / LARGEST_EXCERPT_PART) {
      throw new IOException(
          "a record of " + length + " bytes does not fit in a file of " + directory.path());
    }
    leaveFileCutOff(mapped.cutOff());
    ExcerptAppender open = chronicle.appender();
    ExcerptAppender to = open == null ? openAppender() : open;
    boolean newFile = freshCycle;
    boolean byCall = body.isDirect() && body.remaining() >= WRITTEN_BY_CALL_BYTES;
    if (newFile) {
      precreate(length);
    } else {
      writeFile.reserve(writePosition + length);
    }
    long at;
    boolean begun = false;
    try (DocumentContext dc = to.writingDocument()) {
      begun = true;
      try {
        at = write(dc.wire().bytes(), head, body, byCall);
        uncertain = true;
      } catch (IOException | RuntimeException | Error e) {
        dc.rollbackOnClose();
        throw e;
      }
    } catch (Exception | InternalError e) {
      // Chronicle stumbles over a damaged header or index in the file, the disk refuses a write, or
      // (InternalError) the system could not provide a mapped page. Chronicle's checked exceptions
      // it does not declare. Only what Chronicle rolled back leaves the file as good as before.
      Path file = directory.file(writeCycle);
      boolean rolledBack = begun && !uncertain && e instanceof RuntimeException && !byCall;
      if (newFile || !rolledBack) {
        abandon();
      }
      throw new IOException("cannot append to " + file + ": " + e, e);
    }
    uncertain = false;
    freshCycle = false;
    directory.written(writeCycle, writePosition, newFile);
    if (newFile) {
      directory.reuse().begun(writeCycle, salt != FileSalt.NONE);
    }
    return Position.of(writeCycle, at);
  }

  /** See {@link ExcerptLog#appendFile}. */
  void appendFile(List<ByteBuffer> records) throws IOException {
    roll();
    FileOfRecords known = FileOfRecords.like(records);
    if (known == null) {
      appendByChronicle(records);
    } else {
      synchronized (directory) {
        if (directory.isClosed()) {
          throw new IOException("closed: " + directory.path());
        }
        // Chronicle never gets to know of it.
        closeFiles();
        int cycle = writeCycle++;
        chronicle.showFrom(writeCycle);
        makeFile(cycle, known, records);
      }
    }
  }

  private void makeFile(int cycle, FileOfRecords known, List<ByteBuffer> records)
      throws IOException {
    Path file = directory.file(cycle);
    setAsideAt(file);
    boolean done = false;
    try {
      int end = known.write(directory.disk(), file, records);
      directory.written(cycle, end, true);
      done = true;
    } finally {
      if (!done) {
        directory.disk().delete(file);
      }
    }
  }

  private void appendByChronicle(List<ByteBuffer> records) throws IOException {
    int[] offsets = new int[records.size()];
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = Position.offset(append(records.get(i).duplicate(), ByteBuffer.allocate(0)));
    }
    FileOfRecords.remember(
        directory.file(writeCycle), records, offsets, Math.toIntExact(writePosition));
    roll();
  }

  /** Writes the payload of an excerpt; returns where it begins. */
  private long write(Bytes<?> bytes, ByteBuffer head, ByteBuffer body, boolean byCall)
      throws IOException {
    int length = head.remaining() + body.remaining();
    long at = bytes.writePosition();
    if (!byCall) {
      writeFile.clear(at, at + length);
    }
    if (salt != FileSalt.NONE) {
      FileSalt.mixInto(head, salt);
    }
    bytes.writeSome(head);
    if (byCall) {
      long bodyAt = bytes.writePosition();
      bytes.writeSkip(body.remaining());
      writeFile.writeBody(body, bodyAt);
    } else {
      bytes.writeSome(body);
    }
    writePosition = bytes.writePosition();
    if (writePosition != at + length) {
      throw new IOException(
          "wrote "
              + (writePosition - at)
              + " of "
              + length
              + " bytes to "
              + directory.file(writeCycle));
    }
    writeFile.giveBackBehind(bytes.bytesStore(), at);
    if (freshCycle || reopened) {
      mapped.are(directory.file(writeCycle), (MappedBytes) bytes);
      reopened = false;
    }
    return at;
  }

  /** Chronicle must not touch what is not there any more. */
  private void leaveFileCutOff(File found) {
    File cut = found;
    if (cut == null && chronicle.appender() == null && !freshCycle) {
      // Closed meanwhile; Chronicle would go on where it ended.
      File file = directory.file(writeCycle).toFile();
      cut = file.length() < writePosition ? file : null;
    }
    if (cut != null) {
      LOG.error("{} was cut off or removed by somebody; going on in a new file", cut);
      cutOffs++;
      abandon();
    }
  }

  /** Whatever is wrong with this file, the next attempt starts with a clean one. */
  private void abandon() {
    synchronized (directory) {
      freshCycle = true;
      writeCycle++;
      // Chronicle would mark its end, in the place that may be what is wrong.
      chronicle.showFrom(writeCycle);
      closeFiles();
    }
  }

  private ExcerptAppender openAppender() throws IOException {
    synchronized (directory) {
      if (directory.isClosed()) {
        throw new IOException("closed: " + directory.path());
      }
      ExcerptAppender opened;
      try {
        opened = chronicle.open();
      } catch (Exception | InternalError e) {
        // It has looked at the file that it is to go on with: once more without it.
        LOG.warn("{} cannot be gone on with: {}", directory.path(), e.toString());
        abandon();
        opened = openAgain();
      }
      reopened = !freshCycle;
      directory.copied().keep();
      return opened;
    }
  }

  private ExcerptAppender openAgain() throws IOException {
    try {
      return chronicle.open();
    } catch (Exception | InternalError e) {
      closeFiles();
      throw new IOException("cannot open " + directory.path() + ": " + e, e);
    }
  }

  /** Gives the new file its first blocks before Chronicle takes it over by renaming it. */
  private void precreate(int length) throws IOException {
    Path early = directory.path().resolve(LogFileNames.precreated(writeCycle));
    directory.disk().delete(early);
    SpareFiles.Spare spare = directory.reuse().take(early);
    salt = spare == null ? FileSalt.NONE : spare.salt();
    if (spare == null) {
      directory.disk().createFile(early);
      writeFile.start(early);
    } else {
      writeFile.startAgain(early, spare.bytes(), FileSalt.HEAD_BYTES);
    }
    boolean done = false;
    try {
      writeFile.reserve(length + 2 * CycleFile.SLACK_BYTES);
      if (spare == null) {
        writeFile.clear(0, CycleFile.SLACK_BYTES);
      }
      done = true;
    } finally {
      if (!done) {
        writeFile.close();
        directory.disk().delete(early);
      }
    }
    Path file = directory.path().resolve(SizeRollCycle.fileName(writeCycle));
    setAsideAt(file);
    writeFile.renamed(file);
    chronicle.rollTo(writeCycle);
  }

  /** What is where a new file is to be: Chronicle would append to it. */
  private void setAsideAt(Path file) throws IOException {
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      StrayFiles.setAside(directory.disk(), file, "somebody put it there");
    }
  }

  /** See {@link ExcerptLog#isIdle}. */
  boolean isIdle() {
    return chronicle.appender() == null;
  }

  /**
   * Closes the files, and gives back what is reserved behind the end; the next append opens and
   * reserves again.
   */
  void closeIdle() {
    synchronized (directory) {
      if (!freshCycle) {
        writeFile.release(writePosition);
      }
      closeFiles();
    }
  }

  private void closeFiles() {
    writeFile.close();
    mapped.none();
    directory.copied().close();
    chronicle.close();
  }

  /** Gives back what is reserved behind the end, and closes the files. */
  void close() {
    if (!freshCycle) {
      writeFile.release(writePosition);
    }
    closeFiles();
  }
}
