package io.holdfast.tools.nsqd;

import io.holdfast.tools.cli.ToolException;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads one disk queue of nsqd from its read position to the end of its last file (PROTOCOL.md §9).
 * The depth in the meta file is not trusted, nor is the write position: after an unclean stop there
 * is more. What cannot be read is told and passed over as nsqd would: to the next file. Owned by
 * the command's thread.
 */
final class DiskQueueReader implements Closeable {
  static final String META_SUFFIX = ".diskqueue.meta.dat";

  private static final Pattern META =
      Pattern.compile(
          "\\s*(-?\\d{1,18})\\s+(\\d{1,18}),(\\d{1,18})\\s+(\\d{1,18}),(\\d{1,18})\\s*");

  /** What a record has in its file besides the body. */
  static final int OVERHEAD_BYTES = 30;

  private static final int MIN_BYTES = 26;
  private static final int MAX_BYTES = 64 << 20;
  private static final int MAX_META_BYTES = 1024;
  private static final int ID_BYTES = 16;
  private static final int BUFFER_BYTES = 1 << 18;

  private final Path dir;
  private final String queue;
  private final Consumer<String> problems;
  private final long depth;
  private final long writeFile;

  private long fileNumber;
  private long position;
  private long fileBytes;
  private DataInputStream in;

  /**
   * @param queue the queue's name: topic, or topic:channel
   * @param problems told, in one line each, of what cannot be read
   */
  DiskQueueReader(Path dir, String queue, Consumer<String> problems) throws IOException {
    this.dir = dir;
    this.queue = queue;
    this.problems = problems;
    Path meta = dir.resolve(queue + META_SUFFIX);
    if (!Files.exists(meta)) {
      depth = 0;
      writeFile = -1;
      return;
    }
    Matcher matcher = META.matcher(start(meta));
    if (!matcher.matches()) {
      throw new ToolException(meta + " is damaged; nsqd would not read this queue either");
    }
    depth = Long.parseLong(matcher.group(1));
    fileNumber = Long.parseLong(matcher.group(2));
    position = Long.parseLong(matcher.group(3));
    writeFile = Long.parseLong(matcher.group(4));
  }

  private static String start(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(MAX_META_BYTES), StandardCharsets.ISO_8859_1);
    }
  }

  /** What the meta file says is left to read; wrong after an unclean stop. */
  long depth() {
    return depth;
  }

  private Path file(long number) {
    return dir.resolve(String.format(Locale.ROOT, "%s.diskqueue.%06d.dat", queue, number));
  }

  /** The next message, null at the end. */
  NsqdRecord next() throws IOException {
    while (writeFile >= 0) {
      if (in == null && !open()) {
        return null;
      }
      NsqdRecord record = read();
      if (record != null) {
        return record;
      }
      in.close();
      in = null;
      fileNumber++;
      position = 0;
    }
    return null;
  }

  /** Opens the next file that is there; files behind the write file count as long as they go on. */
  private boolean open() throws IOException {
    if (!Files.exists(file(fileNumber))) {
      if (fileNumber >= writeFile) {
        return false;
      }
      Long next = numbers().ceiling(fileNumber);
      long to = next == null ? writeFile : Math.min(next, writeFile);
      boolean one = to == fileNumber + 1;
      problems.accept(
          file(fileNumber)
              + (one ? " is missing" : " and on to " + (to - 1) + " are missing")
              + "; passed over");
      fileNumber = to;
      position = 0;
      return open();
    }
    FileChannel channel = FileChannel.open(file(fileNumber), StandardOpenOption.READ);
    channel.position(position);
    fileBytes = channel.size();
    in =
        new DataInputStream(
            new BufferedInputStream(Channels.newInputStream(channel), BUFFER_BYTES));
    return true;
  }

  /** Numbers of the files that are there. */
  private NavigableSet<Long> numbers() throws IOException {
    TreeSet<Long> numbers = new TreeSet<>();
    Pattern name = Pattern.compile(Pattern.quote(queue) + "\\.diskqueue\\.(\\d{6,18})\\.dat");
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "*.dat")) {
      for (Path file : files) {
        Matcher matcher = name.matcher(file.getFileName().toString());
        if (matcher.matches()) {
          numbers.add(Long.parseLong(matcher.group(1)));
        }
      }
    }
    return numbers;
  }

  private NsqdRecord read() throws IOException {
    long left = fileBytes - position;
    if (left == 0) {
      return null;
    }
    if (left < 0) {
      return broken("the file ends before this, where reading was to go on");
    }
    if (left < Integer.BYTES) {
      return broken("the file ends within a record");
    }
    int length = in.readInt();
    if (length < MIN_BYTES) {
      return broken(
          "a record of " + length + " bytes cannot be; the rest of the file is passed over");
    }
    if (length > MAX_BYTES) {
      return broken(
          "a record of " + length + " bytes is too large; the rest of the file is passed over");
    }
    if (length > left - Integer.BYTES) {
      return broken("the file ends within a record of " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    in.readFully(bytes);
    position += Integer.BYTES + (long) length;
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    long timestampNs = buffer.getLong();
    int attempts = buffer.getShort() & 0xffff;
    String id = new String(bytes, buffer.position(), ID_BYTES, StandardCharsets.ISO_8859_1);
    buffer.position(MIN_BYTES);
    return new NsqdRecord(timestampNs, attempts, id, buffer);
  }

  private NsqdRecord broken(String what) {
    problems.accept(file(fileNumber) + ":" + position + ": " + what);
    return null;
  }

  @Override
  public void close() throws IOException {
    if (in != null) {
      in.close();
      in = null;
    }
  }
}
