package io.holdfast.storage.redo;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.log.CycleFileHeader;
import io.holdfast.storage.log.ExcerptLog;
import io.holdfast.storage.log.ExcerptReader;
import io.holdfast.storage.log.FilePart;
import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.record.RecordFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what a {@link RedoLog} has into the journals it came from. They only ever grow, so a part
 * that is there already is replaced by the same bytes, and has to be: of a force that failed the
 * kernel may hold pages for clean, or have read them again, that are on no disk. A head that is
 * whole stays: in it Chronicle notes where the file ends now.
 *
 * <p>A journal's file that is not there and of which not even the beginning was copied has been
 * removed, finished; one that has all of it comes back, and goes as it went before. One thread.
 */
final class RedoReplay {
  private static final Logger LOG = LoggerFactory.getLogger(RedoReplay.class);

  private final ExcerptLog log;
  private final Path topics;
  private final Disk disk;

  /** The number of the last record that makes what was before void, by name. */
  private final Map<String, Long> voidBefore = new HashMap<>();

  private FileChannel file;
  private Path open;

  /**
   * @param topics where the topics' directories are
   */
  RedoReplay(ExcerptLog log, Path topics, Disk disk) {
    this.log = log;
    this.disk = disk;
    this.topics = topics;
  }

  private interface Visitor {
    /** A record that is whole; the payload is at the position. */
    void record(long number, int type, int count, ByteBuffer payload) throws IOException;
  }

  /** Reads all of it, and returns of which topics' directories there is something in it. */
  Set<String> scan() throws IOException {
    Set<String> names = new HashSet<>();
    each(
        (number, type, count, payload) -> {
          if (type == RedoCodec.FORGET) {
            String name = RedoCodec.name(payload);
            voidBefore.put(name, number);
            names.remove(name);
          } else {
            for (int i = 0; i < count; i++) {
              names.add(RedoCodec.name(payload));
              skip(payload, RedoCodec.part(payload));
            }
          }
        });
    return names;
  }

  /** Writes the parts into the journals, after {@link #scan}. Nothing is forced. */
  void putBack() throws IOException {
    long[] written = new long[2];
    try {
      each(
          (number, type, count, payload) -> {
            for (int i = 0; type == RedoCodec.BYTES && i < count; i++) {
              String name = RedoCodec.name(payload);
              FilePart part = RedoCodec.part(payload);
              if (number > voidBefore.getOrDefault(name, -1L) && write(name, part, payload)) {
                written[0]++;
                written[1] += part.bytes();
              }
              skip(payload, part);
            }
          });
    } finally {
      closeFile();
    }
    if (written[0] > 0) {
      LOG.info(
          "{}: {} bytes in {} parts put back into journals, which may not have been forced",
          log.dir(),
          written[1],
          written[0]);
    }
  }

  private static void skip(ByteBuffer payload, FilePart part) {
    payload.position(payload.position() + Math.toIntExact(part.bytes()));
  }

  private void each(Visitor visitor) throws IOException {
    long number = 0;
    // Of any content: behind a break no record is looked for, as a message can look like one.
    try (ExcerptReader reader = log.reader(null)) {
      reader.onBreak((at, what) -> LOG.warn("{}: {}", reader.where(at), what));
      while (reader.next()) {
        String defect = RecordFormat.REDO.defect(reader.view(), reader.offset(), reader.length());
        if (defect != null) {
          // Usually the last one, torn by the power cut before anybody was answered.
          LOG.warn("{}: {}; it is left out", reader.where(reader.position()), defect);
          continue;
        }
        ByteBuffer record = reader.view().duplicate();
        int end = reader.offset() + reader.length();
        record.limit(end).position(reader.offset() + RedoCodec.HEAD_BYTES);
        int type = RecordCodec.type(record, reader.offset());
        visitor.record(number++, type, RecordCodec.count(record, reader.offset()), record);
      }
    }
  }

  /**
   * @param payload the part's bytes are at its position, which does not move
   * @return whether there is still a place for them
   */
  private boolean write(String name, FilePart part, ByteBuffer payload) throws IOException {
    Path topic = topics.resolve(name);
    if (!topic.normalize().getParent().equals(topics.normalize())) {
      throw new IOException(
          log.dir() + " has a part of " + name + ", which is no topic's directory");
    }
    Path to = topic.resolve("journal").resolve(SizeRollCycle.fileName(part.cycle()));
    if (!to.equals(open)) {
      closeFile();
      boolean isRemoved = part.from() > 0 && !Files.exists(to);
      if (isRemoved || !Files.isDirectory(to.getParent())) {
        return false;
      }
      file = FileChannel.open(to, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      open = to;
    }
    if (file.size() < part.from()) {
      LOG.warn("{} ends before {}: somebody has cut it off", to, part.from());
      return false;
    }
    ByteBuffer bytes = payload.duplicate();
    bytes.limit(bytes.position() + Math.toIntExact(part.bytes()));
    long at = part.from();
    if (at == 0) {
      at = Math.min(CycleFileHeader.wholeBytes(to, disk), part.bytes());
      bytes.position(bytes.position() + Math.toIntExact(at));
    }
    while (bytes.hasRemaining()) {
      at += disk.write(to, file, bytes, at);
    }
    return true;
  }

  private void closeFile() throws IOException {
    if (file != null) {
      file.close();
      file = null;
      open = null;
    }
  }
}
