package io.holdfast.broker.cluster.faults;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** A publish command that was sent; its messages say which they are of how many. */
final class Command {
  private static final int CHECKSUM_CHARS = 8;

  /** What its publisher was told. */
  enum Told {
    /** Nothing yet. */
    NOTHING,
    OK,
    /** Something that says that it never happened. */
    REFUSED,
    /** That nobody knows, or nothing and the connection ended. */
    UNKNOWN
  }

  final String key;
  final String topic;
  final String node;
  final long connection;
  final long sequence;
  final int count;
  final long deferMs;
  final long sentNs;

  volatile Told told = Told.NOTHING;
  volatile String text = "";
  volatile long toldNs;

  /**
   * @param connection of all connections of publishers
   * @param sequence in that connection
   */
  Command(
      String key,
      String topic,
      String node,
      long connection,
      long sequence,
      int count,
      long deferMs) {
    this.key = key;
    this.topic = topic;
    this.node = node;
    this.connection = connection;
    this.sequence = sequence;
    this.count = count;
    this.deferMs = deferMs;
    sentNs = System.nanoTime();
  }

  void told(Told what, String as) {
    text = as;
    toldNs = System.nanoTime();
    told = what;
  }

  List<byte[]> bodies(int padding) {
    List<byte[]> bodies = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String text = key + " " + i + " " + "x".repeat(padding) + " ";
      bodies.add((text + checksum(text)).getBytes(StandardCharsets.ISO_8859_1));
    }
    return bodies;
  }

  private static String checksum(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return String.format("%08x", crc.getValue());
  }

  /** Key and number of a message; null when this is no body of a command. */
  static String[] read(String body) {
    int end = body.length() - CHECKSUM_CHARS;
    if (end < 0 || !checksum(body.substring(0, end)).equals(body.substring(end))) {
      return null;
    }
    String[] words = body.split(" ", 3);
    return words.length < 3 ? null : words;
  }

  @Override
  public String toString() {
    return "%s topic %s at %s connection %d number %d, %d messages%s: %s %s"
        .formatted(
            key,
            topic,
            node,
            connection,
            sequence,
            count,
            deferMs > 0 ? ", " + deferMs + " ms deferred" : "",
            told,
            text);
  }
}
