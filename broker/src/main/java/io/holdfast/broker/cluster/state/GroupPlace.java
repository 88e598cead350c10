package io.holdfast.broker.cluster.state;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Which group this is, and where its topics are.
 *
 * @param group its number, from 0
 * @param groups how many there are
 * @param dataRoot the data directory, which all groups share
 */
public record GroupPlace(int group, int groups, Path dataRoot) {
  /** The group that a topic of a name belongs to, whether there is such a topic or not. */
  public static int groupOf(String topic, int groups) {
    CRC32C crc = new CRC32C();
    crc.update(topic.getBytes(StandardCharsets.UTF_8));
    return (int) (crc.getValue() % groups);
  }

  /** Whether a topic of a name belongs to this group. */
  public boolean owns(String topic) {
    return groupOf(topic, groups) == group;
  }
}
