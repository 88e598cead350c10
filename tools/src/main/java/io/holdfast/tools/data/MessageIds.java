package io.holdfast.tools.data;

import io.holdfast.storage.inspect.TopicView;
import io.holdfast.tools.cli.ToolException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.zip.CRC32;
import picocli.CommandLine.Option;

/**
 * Message ids as the broker gives them out: (the topic's id base + ordinal) * 1024 + node id. Both
 * are in the data directory; of one that only brokers of 1.0 have used, the node id is not.
 */
final class MessageIds {
  private static final int NODE_BITS = 10;
  private static final int NODES = 1 << NODE_BITS;
  private static final int ID_DIGITS = 16;

  @Option(
      names = "--node-id",
      paramLabel = "N",
      description =
          "The broker's --node-id, part of each message id, for topics that do not have their own"
              + " in meta.json: those of Holdfast 1.0 (default: computed from this host's name, as"
              + " the broker does).")
  private Integer nodeId;

  /** A message's id in 16 hex digits; {@code null} for a topic whose id base is not known. */
  String idOf(TopicView topic, long ordinal) {
    if (topic.idBase().isEmpty()) {
      return null;
    }
    return String.format(
        Locale.ROOT, "%016x", (topic.idBase().getAsLong() + ordinal) << NODE_BITS | nodeId(topic));
  }

  /** The ordinal an id stands for in a topic, whatever the node; -1 when it has none. */
  static long ordinalOf(TopicView topic, String id) {
    if (topic.idBase().isEmpty()) {
      return -1;
    }
    return Math.max(
        -1, (Long.parseUnsignedLong(id, 16) >>> NODE_BITS) - topic.idBase().getAsLong());
  }

  /** Fails unless this can be a message id. */
  static void check(String id) {
    if (!id.matches("[0-9a-f]{" + ID_DIGITS + "}")) {
      throw ToolException.usage("'" + id + "' is not a message id: 16 hex digits");
    }
  }

  private int nodeId(TopicView topic) {
    if (nodeId == null) {
      nodeId = ofThisHost();
    }
    if (nodeId < 0 || nodeId >= NODES) {
      throw ToolException.usage("--node-id must be 0 to 1023");
    }
    return topic.nodeId().orElse(nodeId);
  }

  /** The broker's default: CRC32 of the MD5 of the host name, modulo 1024 (PROTOCOL.md §8). */
  private static int ofThisHost() {
    CRC32 crc = new CRC32();
    try {
      crc.update(
          MessageDigest.getInstance("MD5").digest(hostName().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has MD5", e);
    }
    return (int) (crc.getValue() % NODES);
  }

  private static String hostName() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException notLinux) {
      try {
        return InetAddress.getLocalHost().getHostName();
      } catch (IOException unresolvable) {
        return "localhost";
      }
    }
  }
}
