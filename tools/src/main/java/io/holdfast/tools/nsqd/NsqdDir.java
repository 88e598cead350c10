package io.holdfast.tools.nsqd;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.Names;
import io.holdfast.tools.data.ReadableFiles;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What a data path of nsqd holds: nsqd.dat, and disk queues of names that are not in it. */
final class NsqdDir {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MAX_METADATA_BYTES = 64 << 20;
  private static final String DATA_MARK = ".diskqueue.";

  /**
   * A topic.
   *
   * @param paused by channel name
   */
  record Topic(String name, boolean paused, TreeMap<String, Boolean> channels) {
    /** The names of its disk queues: one per channel, and then its own. */
    List<String> queues() {
      List<String> queues = new ArrayList<>();
      channels.keySet().forEach(channel -> queues.add(name + ":" + channel));
      queues.add(name);
      return queues;
    }
  }

  private final Path dir;
  private final TreeMap<String, Topic> topics = new TreeMap<>();

  private NsqdDir(Path dir) {
    this.dir = dir;
  }

  /**
   * Reads what there is.
   *
   * @param problems told of queues that nsqd itself would ignore
   * @throws ToolException when it is no data path of nsqd
   */
  static NsqdDir read(Path dir, Consumer<String> problems) throws IOException {
    if (!Files.isDirectory(dir)) {
      throw new ToolException(
          dir + (Files.exists(dir) ? " is not a directory" : " does not exist"));
    }
    NsqdDir result = new NsqdDir(dir);
    Path metadata = dir.resolve("nsqd.dat");
    ReadableFiles.check(metadata);
    boolean found = Files.exists(metadata);
    if (found) {
      result.readMetadata(metadata, problems);
    }
    TreeMap<String, Boolean> queues = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "*.diskqueue.*")) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (name.endsWith(".dat")) {
          ReadableFiles.check(file);
          String queue = name.substring(0, name.lastIndexOf(DATA_MARK, name.length() - 5));
          queues.merge(queue, name.endsWith(DiskQueueReader.META_SUFFIX), (a, b) -> a || b);
        } else if (name.endsWith(".bad")) {
          problems.accept(file + " was put aside by nsqd as unreadable; passed over");
        }
      }
    }
    for (Map.Entry<String, Boolean> queue : queues.entrySet()) {
      int colon = queue.getKey().indexOf(':');
      String topic = colon < 0 ? queue.getKey() : queue.getKey().substring(0, colon);
      if (!isKept(topic) || (colon >= 0 && !isKept(queue.getKey().substring(colon + 1)))) {
        problems.accept(
            dir.resolve(queue.getKey())
                + ".diskqueue.*.dat is not of a valid name; nsqd ignores it, and so does the"
                + " import");
      } else if (queue.getValue()) {
        result.addQueue(queue.getKey());
      } else {
        problems.accept(
            dir.resolve(queue.getKey())
                + ".diskqueue.*.dat has no meta file; nsqd ignores it, and so does the import");
      }
    }
    if (!found && queues.isEmpty()) {
      throw new ToolException(
          dir + " is not a data path of nsqd: it has neither nsqd.dat nor disk queues");
    }
    return result;
  }

  private void readMetadata(Path file, Consumer<String> problems) throws IOException {
    JsonNode json;
    try {
      if (Files.size(file) > MAX_METADATA_BYTES) {
        throw new ToolException(file + " has more than 64 MB; it is not nsqd's");
      }
      json = JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new ToolException(file + " is not JSON: " + e.getOriginalMessage(), e);
    }
    for (JsonNode topic : json.path("topics")) {
      String name = topic.path("name").asText();
      if (!isKept(name)) {
        problems.accept(
            file + ": topic name '" + name + "' is not valid; passed over, as nsqd does");
        continue;
      }
      boolean paused = topic.path("paused").asBoolean();
      Topic before = topics.get(name); // Named twice, it is one topic to nsqd.
      TreeMap<String, Boolean> channels = before == null ? new TreeMap<>() : before.channels();
      topics.put(name, new Topic(name, paused || (before != null && before.paused()), channels));
      for (JsonNode channel : topic.path("channels")) {
        String channelName = channel.path("name").asText();
        if (isKept(channelName)) {
          channels.merge(channelName, channel.path("paused").asBoolean(), Boolean::logicalOr);
        } else {
          problems.accept(
              file
                  + ": channel name '"
                  + channelName
                  + "' is not valid; passed over, as nsqd does");
        }
      }
    }
  }

  /** Valid and lasting: nsqd keeps nothing of ephemeral ones on disk. */
  private static boolean isKept(String name) {
    return Names.isValid(name) && !DirNames.isEphemeral(name);
  }

  private void addQueue(String queue) {
    int colon = queue.indexOf(':');
    String topic = colon < 0 ? queue : queue.substring(0, colon);
    Topic of = topics.computeIfAbsent(topic, name -> new Topic(name, false, new TreeMap<>()));
    if (colon >= 0) {
      of.channels().putIfAbsent(queue.substring(colon + 1), false);
    }
  }

  /** Bytes of all its disk queues, also of what was read already. */
  long bytes() throws IOException {
    long bytes = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "*.diskqueue.*.dat")) {
      for (Path file : files) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  /** Where it is. */
  Path dir() {
    return dir;
  }

  /** The topics, by name. */
  NavigableMap<String, Topic> topics() {
    return topics;
  }
}
