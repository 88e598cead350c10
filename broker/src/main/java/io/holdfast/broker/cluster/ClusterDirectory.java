package io.holdfast.broker.cluster;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.ClusterFile;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Decides what a data directory may be started as; changes nothing. Stateless. */
public final class ClusterDirectory {
  private static final int MAX_TOPICS_NAMED = 3;

  private ClusterDirectory() {}

  /** What a node is in its cluster. */
  public enum State {
    /** Of no cluster. */
    LOCAL,
    /** Makes a cluster with two others; has promised nothing. */
    FORMING,
    /** Empty, and in no cluster until another node takes it in. */
    WAITING,
    /** Takes part. */
    MEMBER;

    /** As clients and other nodes see it. */
    public String text() {
      return switch (this) {
        case LOCAL -> "local";
        case FORMING -> "forming";
        case WAITING -> "waiting";
        case MEMBER -> "member";
      };
    }
  }

  /**
   * What a directory is started as.
   *
   * @param file what it says of its cluster; null when nothing
   * @param lost groups that were made here and must not vote, and why: they are not there any more,
   *     or their state here is wrong
   */
  public record Standing(State state, ClusterFile file, Map<Integer, String> lost) {}

  /**
   * Decides.
   *
   * @param config null for no cluster
   * @param isInit whether {@code --cluster-init} was given
   * @throws IOException in one line, when the directory and the configuration do not go together
   */
  public static Standing of(Path root, Disk disk, ClusterConfig config, boolean isInit)
      throws IOException {
    if (config == null) {
      ClusterFile.refuseMember(disk, root, "start it with cluster_nodes");
      return new Standing(State.LOCAL, null, Map.of());
    }
    ClusterFile file = ClusterFile.read(disk, root);
    if (file == null) {
      requireNoLocalTopics(root);
      return new Standing(isInit ? State.FORMING : State.WAITING, null, Map.of());
    }
    requireSame(root, file, config);
    return file.formed()
        ? new Standing(State.MEMBER, file, lost(root, file))
        : new Standing(State.FORMING, file, Map.of());
  }

  private static void requireNoLocalTopics(Path root) throws IOException {
    DataDir dir = DataDir.unlocked(root);
    List<String> topics = Files.isDirectory(dir.topicsDir()) ? dir.topics() : List.of();
    if (topics.isEmpty()) {
      return;
    }
    int named = Math.min(MAX_TOPICS_NAMED, topics.size());
    int more = topics.size() - named;
    throw new IOException(
        "data path "
            + root
            + " has local topics, which a cluster does not take over: "
            + String.join(", ", topics.subList(0, named))
            + (more > 0 ? " and " + more + " more" : "")
            + "; start it without cluster_nodes, or the cluster in an empty directory");
  }

  private static void requireSame(Path root, ClusterFile file, ClusterConfig config)
      throws IOException {
    String made = " and data path " + root + " was made with ";
    if (!file.node().equals(config.node())) {
      throw new IOException(
          "cluster_node is " + config.node() + made + file.node() + " of cluster " + file.uuid());
    }
    if (file.clusterId() != config.clusterId()) {
      throw new IOException("cluster_id is " + config.clusterId() + made + file.clusterId());
    }
    if (file.groups() != config.groups()) {
      throw new IOException("cluster_groups is " + config.groups() + made + file.groups());
    }
  }

  private static Map<Integer, String> lost(Path root, ClusterFile file) throws IOException {
    Map<Integer, String> lost = new TreeMap<>();
    for (int group : file.initialised()) {
      Path dir = ClusterFile.groupDir(root, group);
      Path vote = dir.resolve("vote");
      Path log = dir.resolve("log");
      String wrong = WrongState.of(root, group);
      if (wrong != null) {
        lost.put(group, wrong);
      } else if (!Files.exists(vote)) {
        lost.put(group, "vote is gone: " + vote);
      } else if (!hasFiles(log)) {
        lost.put(group, "log is gone: " + log);
      }
    }
    return lost;
  }

  private static boolean hasFiles(Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      return false;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "*.cq4")) {
      return files.iterator().hasNext();
    }
  }
}
