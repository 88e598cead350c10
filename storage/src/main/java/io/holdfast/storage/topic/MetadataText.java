package io.holdfast.storage.topic;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectWriter;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.topic.Metadata.TopicEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * The text of {@code meta.json}. The part of a topic is made when what it says has changed, not
 * with each write: a broker with thousands of topics writes the file for each one that is made.
 */
final class MetadataText {
  /** As Jackson puts a list into an object on lines of their own. */
  private static final String NEXT_LINE = "\n  ";

  /** Between two topics; the checksum is of the first byte. */
  private static final byte[] BETWEEN = {',', ' '};

  private final ObjectWriter shown;
  private final ObjectWriter compact;

  @GuardedBy("this")
  private Map<String, Part> parts = Map.of();

  /**
   * @param shown writes what people see
   * @param compact writes what the checksum is of
   */
  MetadataText(ObjectWriter shown, ObjectWriter compact) {
    this.shown = shown;
    this.compact = compact;
  }

  /** A topic's part. */
  private record Part(TopicEntry entry, byte[] shown, byte[] compact) {}

  /** The file's content, with its checksum. */
  synchronized byte[] of(Metadata metadata) throws IOException {
    List<TopicEntry> topics = metadata.topics() == null ? List.of() : metadata.topics();
    Map<String, Part> now = new HashMap<>(topics.size() * 2);
    ByteArrayOutputStream text = new ByteArrayOutputStream(256 + 512 * topics.size());
    CRC32C crc = new CRC32C();
    int version = metadata.formatVersion();
    long nextIdBase = metadata.nextIdBase();
    long number = metadata.number();
    text.writeBytes(
        ascii(
            "{\n  \"format_version\" : %d,\n  \"next_id_base\" : %d,\n%s  \"topics\" : [ ",
            version, nextIdBase, number == 0 ? "" : "  \"number\" : " + number + ",\n"));
    crc.update(
        ascii(
            "{\"format_version\":%d,\"next_id_base\":%d,%s\"topics\":[",
            version, nextIdBase, number == 0 ? "" : "\"number\":" + number + ","));
    for (int i = 0; i < topics.size(); i++) {
      Part part = part(topics.get(i));
      now.put(part.entry().name(), part);
      if (i > 0) {
        text.writeBytes(BETWEEN);
        crc.update(BETWEEN, 0, 1);
      }
      text.writeBytes(part.shown());
      crc.update(part.compact());
    }
    crc.update(ascii("]}"));
    text.writeBytes(
        ascii("%s],\n  \"crc32c\" : \"%x\"\n}", topics.isEmpty() ? "" : " ", crc.getValue()));
    parts = now;
    return text.toByteArray();
  }

  @GuardedBy("this")
  private Part part(TopicEntry topic) throws IOException {
    Part known = parts.get(topic.name());
    if (known != null && known.entry().equals(topic)) {
      return known;
    }
    String alone = shown.writeValueAsString(topic);
    return new Part(
        topic, alone.replace("\n", NEXT_LINE).getBytes(UTF_8), compact.writeValueAsBytes(topic));
  }

  private static byte[] ascii(String format, Object... values) {
    return String.format(Locale.ROOT, format, values).getBytes(US_ASCII);
  }
}
