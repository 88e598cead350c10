package io.holdfast.storage.topic;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.StrayFiles;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file {@code meta.json}: JSON with a checksum of its own. One that is damaged is put aside and
 * what can be used of it is; it is replaced as a whole. Stateless.
 */
public final class MetadataFile {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataFile.class);

  static final String NAME = "meta.json";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private static final ObjectMapper COMPACT_JSON = new ObjectMapper();

  private MetadataFile() {}

  /**
   * What a metadata file says.
   *
   * @param setAside receives what has not the shape it should have, as text for people
   * @return null when it is damaged; of a later format the version alone, since it need not have
   *     the shape that is read here
   */
  public static Metadata parse(byte[] content, List<String> setAside) {
    try {
      JsonNode tree = JSON.readTree(content);
      if (!(tree instanceof ObjectNode object) || !hasItsChecksum(object)) {
        return null;
      }
      JsonNode version = tree.path("format_version");
      if (!version.isIntegralNumber() || version.asDouble() < 1) {
        return null;
      }
      if (version.asDouble() > DataFormat.NEWEST) {
        return new Metadata((int) version.asDouble(), 0, List.of());
      }
      MetadataShape.clean(object, setAside);
      return JSON.treeToValue(object, Metadata.class);
    } catch (IOException e) {
      LOG.debug("the metadata file does not parse", e);
      return null;
    }
  }

  /** Whether nothing has changed since it was written; one without a checksum is believed. */
  private static boolean hasItsChecksum(ObjectNode object) throws IOException {
    JsonNode stated = object.remove(JsonChecksum.FIELD);
    return stated == null || stated.asText().equals(JsonChecksum.of(object));
  }

  /** See {@link DataDir#readMetadata}. */
  static Metadata read(Disk disk, Path file) throws IOException {
    Metadata nothing = new Metadata(DataFormat.FIRST, 0, List.of());
    StrayFiles.makeWayForFile(disk, file);
    if (!Files.exists(file)) {
      return nothing;
    }
    Path aside = file.resolveSibling(NAME + ".damaged");
    StrayFiles.makeWayForFile(disk, aside);
    byte[] content = readOrMoveAway(disk, file, aside, ", pause flags are lost");
    if (content == null) {
      keepChanges(disk, MetadataLog.of(file));
      return nothing;
    }
    List<String> setAside = new ArrayList<>();
    Metadata metadata = parse(content, setAside);
    if (metadata != null && metadata.formatVersion() > DataFormat.NEWEST) {
      throw new IOException(
          "data path "
              + file.getParent()
              + " has format version "
              + metadata.formatVersion()
              + ", this broker knows up to "
              + DataFormat.NEWEST);
    }
    if (metadata == null) {
      DurableFiles.replace(disk, aside, content);
      LOG.error("{} is damaged; kept as {}, pause flags are lost", file, aside);
      keepChanges(disk, MetadataLog.of(file));
      return nothing;
    }
    if (!setAside.isEmpty()) {
      DurableFiles.replace(disk, aside, content);
      setAside.forEach(what -> LOG.error("{}: {}; set aside, kept in {}", file, what, aside));
    }
    return withChanges(disk, file, metadata);
  }

  /**
   * The content of a file; one that the disk cannot read is renamed.
   *
   * @param lost said behind that, for people
   * @return null when it was renamed
   */
  private static byte[] readOrMoveAway(Disk disk, Path file, Path aside, String lost)
      throws IOException {
    try {
      return disk.readAll(file);
    } catch (FileSystemException outOfReach) {
      // No permission, say: nothing is wrong with what it says.
      throw outOfReach;
    } catch (IOException e) {
      disk.move(file, StrayFiles.freeName(aside));
      LOG.error("{} cannot be read: {}; renamed to *.damaged{}", file, Reasons.of(e), lost);
      return null;
    }
  }

  /** Without what they go on from they are of no use to a broker, but perhaps to people. */
  private static void keepChanges(Disk disk, Path log) throws IOException {
    if (Files.isRegularFile(log)) {
      disk.move(log, StrayFiles.freeName(log.resolveSibling(MetadataLog.NAME + ".damaged")));
    }
  }

  private static Metadata withChanges(Disk disk, Path file, Metadata whole) throws IOException {
    Path log = MetadataLog.of(file);
    StrayFiles.makeWayForFile(disk, log);
    if (!Files.exists(log)) {
      return whole;
    }
    Path aside = log.resolveSibling(MetadataLog.NAME + ".damaged");
    StrayFiles.makeWayForFile(disk, aside);
    byte[] content = readOrMoveAway(disk, log, aside, "");
    if (content == null) {
      return whole;
    }
    List<String> setAside = new ArrayList<>();
    Metadata metadata = MetadataLog.applied(whole, content, setAside);
    if (!setAside.isEmpty()) {
      DurableFiles.replace(disk, aside, content);
      setAside.forEach(what -> LOG.error("{}: {}; kept in {}", log.getParent(), what, aside));
    }
    return metadata;
  }

  /** For somebody who is to write the file. */
  static MetadataText text() {
    return new MetadataText(JSON.writer(), COMPACT_JSON.writer());
  }
}
