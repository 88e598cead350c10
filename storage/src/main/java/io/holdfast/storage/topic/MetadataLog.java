package io.holdfast.storage.topic;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.StrayFiles;
import io.holdfast.storage.topic.Metadata.TopicEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The file {@code meta.log}: what has changed since {@code meta.json} was written, a line of JSON
 * with a checksum for each time, so that one topic more among ten thousand does not cost the whole
 * file. Lines for another {@code meta.json} than the present one count for nothing. Each line is on
 * disk before the next one is written. Not thread-safe.
 */
public final class MetadataLog {
  static final String NAME = "meta.log";

  /**
   * The whole file is written again when there are more bytes of changes than this, and than it
   * has.
   */
  private static final long MIN_BYTES = 256 << 10;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Disk disk;
  private final Path file;

  /** What is on disk of each topic; null when that is not known. */
  private Map<String, TopicEntry> known;

  // What else is on disk, when that is known.
  private int knownFormat;
  private long knownNextIdBase;
  private long number;

  private long wholeBytes;
  private long bytes;
  private int lines;

  /** Takes nothing before {@link #begin}. */
  MetadataLog(Disk disk, Path metadataFile) {
    this.disk = disk;
    file = of(metadataFile);
  }

  /** Where the changes of a metadata file are. */
  public static Path of(Path metadataFile) {
    return metadataFile.resolveSibling(NAME);
  }

  // ---------------------------------------------------------------- writing

  /**
   * The whole file has been written: what was here before counts no more.
   *
   * @param whole with its number
   * @param wholeBytes of the file
   */
  void begin(Metadata whole, long wholeBytes) throws IOException {
    known = null;
    StrayFiles.makeWayForFile(disk, file);
    // Need not be forced: its lines have another number.
    disk.delete(file);
    known = MetadataChange.byName(whole.topics());
    knownFormat = whole.formatVersion();
    knownNextIdBase = whole.nextIdBase();
    number = whole.number();
    this.wholeBytes = wholeBytes;
    bytes = 0;
    lines = 0;
  }

  /**
   * Adds what has changed; on disk when this returns.
   *
   * @return false when the whole file is to be written instead
   */
  boolean append(Metadata now) throws IOException {
    if (known == null) {
      return false;
    }
    MetadataUpdate all = new MetadataUpdate(now.nextIdBase());
    known.keySet().forEach(name -> all.put(name, null));
    MetadataChange.byName(now.topics()).forEach(all::put);
    return append(now.formatVersion(), all);
  }

  /**
   * As {@link #append(Metadata)}, of some topics.
   *
   * @param format of the whole data directory
   */
  boolean append(int format, MetadataUpdate now) throws IOException {
    if (known == null || knownFormat != format || bytes > Math.max(MIN_BYTES, wholeBytes)) {
      return false;
    }
    MetadataChange change = MetadataChange.between(known, now, number, lines + 1);
    if (change.isNone() && knownNextIdBase == now.nextIdBase()) {
      return true;
    }
    final Map<String, TopicEntry> before = known;
    byte[] line = text(change);
    // Whatever fails: nobody knows then what the file has.
    known = null;
    if (lines == 0) {
      disk.createFile(file);
    }
    Files.write(file, line, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    disk.force(file, true);
    if (lines == 0) {
      disk.forceDirectory(file.getParent());
    }
    now.applyTo(before);
    known = before;
    knownNextIdBase = now.nextIdBase();
    bytes += line.length;
    lines++;
    return true;
  }

  /** What is on disk of a topic; null for nothing, and when that is not known. */
  TopicEntry onDisk(String topic) {
    return known == null ? null : known.get(topic);
  }

  private static byte[] text(MetadataChange change) throws IOException {
    ObjectNode tree = JSON.valueToTree(change);
    tree.put(JsonChecksum.FIELD, JsonChecksum.of(tree));
    return (JSON.writeValueAsString(tree) + "\n").getBytes(UTF_8);
  }

  // ---------------------------------------------------------------- reading

  /**
   * What the metadata file and the changes behind it say together.
   *
   * @param whole what the file says
   * @param log content of this one
   * @param setAside receives what is damaged, as text for people; not the end of the last write,
   *     which a power cut can have torn
   */
  public static Metadata applied(Metadata whole, byte[] log, List<String> setAside) {
    Map<String, TopicEntry> topics = MetadataChange.byName(whole.topics());
    long nextIdBase = whole.nextIdBase();
    List<String> bad = new ArrayList<>();
    int expected = 1;
    int number = 0;
    for (String line : new String(log, UTF_8).split("\n")) {
      number++;
      MetadataChange change = parse(line);
      if (change == null) {
        bad.add(NAME + ": line " + number + " is damaged");
        continue;
      }
      if (change.of() != whole.number()) {
        continue;
      }
      if (change.line() != expected && bad.isEmpty()) {
        bad.add(NAME + ": line " + expected + " is not there");
      }
      setAside.addAll(bad);
      bad.clear();
      expected = change.line() + 1;
      nextIdBase = Math.max(nextIdBase, change.nextIdBase());
      change.applyTo(topics);
    }
    return new Metadata(
        whole.formatVersion(), nextIdBase, whole.number(), List.copyOf(topics.values()));
  }

  /**
   * Whether there is a line for a later {@code meta.json}: the one that was read has been replaced
   * meanwhile.
   */
  public static boolean isLater(Metadata whole, byte[] log) {
    for (String line : new String(log, UTF_8).split("\n")) {
      MetadataChange change = parse(line);
      if (change != null && change.of() > whole.number()) {
        return true;
      }
    }
    return false;
  }

  /** Null when it is damaged. */
  private static MetadataChange parse(String line) {
    try {
      JsonNode tree = JSON.readTree(line);
      if (!(tree instanceof ObjectNode object)) {
        return null;
      }
      JsonNode stated = object.remove(JsonChecksum.FIELD);
      if (stated == null || !stated.asText().equals(JsonChecksum.of(object))) {
        return null;
      }
      return JSON.treeToValue(object, MetadataChange.class);
    } catch (IOException e) {
      return null;
    }
  }
}
