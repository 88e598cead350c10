package io.holdfast.storage.journal;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.journal.Relocations.Span;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The small file beside a journal's files that tells which of them have relocated messages. It
 * saves reading them all; without it nothing is lost, and who does not know it need not. A file
 * that it does not name has to be looked at. Text:
 *
 * <pre>
 * holdfast relocations 1
 * FROM TO                      these files have none; numbers as in their names
 * FILE FILE FIRST LAST         this one has some, their records begin at these offsets or between
 * crc32c CHECKSUM              of all before, hexadecimal
 * </pre>
 *
 * <p>Stateless.
 */
final class RelocationsNote {
  private static final Logger LOG = LoggerFactory.getLogger(RelocationsNote.class);
  private static final String NAME = "relocations";
  private static final String TITLE = "holdfast relocations 1";
  private static final String CHECKSUM = "crc32c ";
  private static final int SOME_FIELDS = 4;

  private RelocationsNote() {}

  /** What is noted, by cycle; nothing where it is damaged. */
  static Map<Integer, Span> read(Disk disk, Path dir) throws IOException {
    Path file = dir.resolve(NAME);
    Map<Integer, Span> spans = new TreeMap<>();
    if (!Files.isRegularFile(file)) {
      return spans;
    }
    try {
      String text = new String(disk.readAll(file), StandardCharsets.UTF_8);
      int end = text.lastIndexOf(CHECKSUM);
      boolean isWhole =
          text.startsWith(TITLE + "\n")
              && end > 0
              && text.substring(end).equals(checksum(text.substring(0, end)));
      if (!isWhole) {
        throw new IOException("its checksum is wrong");
      }
      text.substring(TITLE.length() + 1, end).lines().forEach(line -> take(line, spans));
    } catch (IOException e) {
      LOG.warn("{} is not used: {}", file, e.toString());
      spans.clear();
    }
    return spans;
  }

  private static void take(String line, Map<Integer, Span> to) {
    String[] fields = line.split(" ", -1);
    Span span =
        fields.length == SOME_FIELDS
            ? new Span(Integer.parseInt(fields[2]), Integer.parseInt(fields[3]))
            : Span.NONE;
    int last = Integer.parseInt(fields[1]);
    for (int cycle = Integer.parseInt(fields[0]); cycle <= last; cycle++) {
      to.put(cycle, span);
    }
  }

  /** Replaces what was noted; on disk when this returns. */
  static void write(Disk disk, Path dir, Map<Integer, Span> spans) throws IOException {
    StringBuilder text = new StringBuilder(TITLE).append('\n');
    int from = -1;
    int to = -1;
    for (Map.Entry<Integer, Span> file : new TreeMap<>(spans).entrySet()) {
      int cycle = file.getKey();
      Span span = file.getValue();
      if (from >= 0 && (!span.isNone() || cycle != to + 1)) {
        text.append(from).append(' ').append(to).append('\n');
        from = -1;
      }
      if (span.isNone()) {
        from = from < 0 ? cycle : from;
        to = cycle;
      } else {
        text.append(cycle).append(' ').append(cycle).append(' ');
        text.append(span.first()).append(' ').append(span.last()).append('\n');
      }
    }
    if (from >= 0) {
      text.append(from).append(' ').append(to).append('\n');
    }
    String content = text + checksum(text.toString());
    DurableFiles.replace(disk, dir.resolve(NAME), content.getBytes(StandardCharsets.UTF_8));
  }

  private static String checksum(String of) {
    CRC32C crc = new CRC32C();
    crc.update(of.getBytes(StandardCharsets.UTF_8));
    return CHECKSUM + Long.toHexString(crc.getValue()) + "\n";
  }

  /** Forgets what was noted. */
  static void remove(Disk disk, Path dir) throws IOException {
    disk.delete(dir.resolve(NAME));
  }
}
