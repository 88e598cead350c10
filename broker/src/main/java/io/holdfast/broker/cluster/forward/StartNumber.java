package io.holdfast.broker.cluster.forward;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Counts the starts of a node, on disk beside {@code cluster.json}, replaced as a whole:
 *
 * <pre>
 * holdfast starts 1
 * start 1764442800123
 * crc32c 8f6c2b11
 * </pre>
 *
 * <p>Two starts never have the same number: it is above the one before, and not below the clock, so
 * that a file that was lost does not begin anew. Stateless.
 */
public final class StartNumber {
  /** Beside {@code cluster.json}. */
  public static final String NAME = "starts";

  private static final Pattern CONTENT =
      Pattern.compile("holdfast starts 1\nstart (\\d{1,18})\ncrc32c ([0-9a-f]{8})\n");

  private StartNumber() {}

  /**
   * The number of this start; on disk when this returns. Once in a process.
   *
   * @param root the data directory
   * @param wallMs ms since 1970
   * @throws IOException in one line: the file is damaged, or the disk refuses
   */
  public static long next(Disk disk, Path root, LongSupplier wallMs) throws IOException {
    Path file = root.resolve(NAME);
    long before = Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? read(disk, file) : 0;
    long now = Math.max(before + 1, wallMs.getAsLong());
    String text = text(now);
    String content = text + "crc32c " + checksum(text) + "\n";
    DurableFiles.replace(disk, file, content.getBytes(StandardCharsets.UTF_8));
    return now;
  }

  private static long read(Disk disk, Path file) throws IOException {
    byte[] bytes;
    try {
      bytes = disk.readAll(file);
    } catch (IOException e) {
      throw new IOException(file + " cannot be read: " + Reasons.of(e), e);
    }
    Matcher content = CONTENT.matcher(new String(bytes, StandardCharsets.UTF_8));
    if (!content.matches()) {
      throw new IOException(file + " is damaged: it has no number");
    }
    long start = Long.parseLong(content.group(1));
    String expected = checksum(text(start));
    if (!expected.equals(content.group(2))) {
      throw new IOException(
          file + " is damaged: checksum is " + content.group(2) + ", not " + expected);
    }
    return start;
  }

  private static String text(long start) {
    return "holdfast starts 1\nstart " + start + "\n";
  }

  private static String checksum(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
