package io.holdfast.storage.topic;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The file {@code cluster.json}: which node of which cluster a data directory is. JSON with a
 * checksum of its own, replaced as a whole. One that is damaged is an error, never the same as
 * none: the directory may have voted.
 *
 * @param uuid of the cluster, made when it was formed
 * @param formed whether the node may take part; before, it has promised nothing
 * @param clusterId {@code cluster_id} when it was formed, 0..1023
 * @param node the node's name
 * @param incarnation how often the node was replaced
 * @param generation how often the cluster was forced to go on alone
 * @param groups {@code cluster_groups} when it was formed, 1..16
 * @param initialised the groups whose log and vote were made here; without them they are lost, not
 *     new
 * @param known what is known of nodes that were replaced, by name; others are as when the cluster
 *     was formed
 * @param skipping the groups whose ordinals have to jump before they are led again
 */
public record ClusterFile(
    String uuid,
    boolean formed,
    int clusterId,
    String node,
    int incarnation,
    long generation,
    int groups,
    List<Integer> initialised,
    Map<String, Known> known,
    List<Integer> skipping) {

  /** Beside {@code meta.json}. */
  public static final String NAME = "cluster.json";

  /** Where the groups are, beside the file. */
  public static final String GROUPS = "groups";

  private static final int FORMAT = 1;
  private static final int MAX_CLUSTER_ID = 1023;
  private static final int MAX_GROUPS = 16;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /**
   * A node that was replaced.
   *
   * @param incarnation its newest
   * @param address {@code HOST:PORT} where it is now; null for where the configuration says
   */
  public record Known(int incarnation, String address) {}

  /** Sorts and copies. */
  public ClusterFile {
    initialised = initialised.stream().sorted().distinct().toList();
    known = Collections.unmodifiableMap(new TreeMap<>(known));
    skipping = skipping.stream().sorted().distinct().toList();
  }

  /** One of a cluster in which no node was replaced and nothing was forced. */
  public ClusterFile(
      String uuid,
      boolean formed,
      int clusterId,
      String node,
      int incarnation,
      long generation,
      int groups,
      List<Integer> initialised) {
    this(
        uuid,
        formed,
        clusterId,
        node,
        incarnation,
        generation,
        groups,
        initialised,
        Map.of(),
        List.of());
  }

  /** Where a data directory's file is. */
  public static Path path(Path root) {
    return root.resolve(NAME);
  }

  /** Where a group's log, vote and snapshot are. */
  public static Path groupDir(Path root, int group) {
    return root.resolve(GROUPS).resolve(Integer.toString(group));
  }

  /** The same, free to take part. */
  public ClusterFile withFormed(List<Integer> made) {
    return new ClusterFile(
        uuid, true, clusterId, node, incarnation, generation, groups, made, known, skipping);
  }

  /** The same, which knows something else of the nodes. */
  public ClusterFile withKnown(Map<String, Known> nodes) {
    return new ClusterFile(
        uuid,
        formed,
        clusterId,
        node,
        incarnation,
        generation,
        groups,
        initialised,
        nodes,
        skipping);
  }

  /** The same, of another generation, whose groups have to jump before they are led. */
  public ClusterFile withGeneration(long newGeneration, List<Integer> toSkip) {
    return new ClusterFile(
        uuid,
        formed,
        clusterId,
        node,
        incarnation,
        newGeneration,
        groups,
        initialised,
        known,
        toSkip);
  }

  /**
   * Reads a data directory's file.
   *
   * @return null when the directory is of no cluster
   * @throws IOException in one line: damaged, of a later format, out of reach, or gone while groups
   *     are there
   */
  public static ClusterFile read(Disk disk, Path root) throws IOException {
    Path file = path(root);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      requireNoGroups(root);
      return null;
    }
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + " is no file");
    }
    byte[] content;
    try {
      content = disk.readAll(file);
    } catch (IOException e) {
      throw new IOException(file + " cannot be read: " + Reasons.of(e), e);
    }
    return parse(file, content);
  }

  private static void requireNoGroups(Path root) throws IOException {
    Path groups = root.resolve(GROUPS);
    if (!Files.isDirectory(groups)) {
      return;
    }
    try (DirectoryStream<Path> all = Files.newDirectoryStream(groups)) {
      for (Path group : all) {
        if (Files.exists(group.resolve("vote")) || Files.exists(group.resolve("log"))) {
          throw new IOException(
              "data path " + root + " has " + group + " of a cluster, but no " + NAME);
        }
      }
    }
  }

  private static ClusterFile parse(Path file, byte[] content) throws IOException {
    JsonNode tree;
    try {
      tree = JSON.readTree(content);
    } catch (JsonProcessingException e) {
      throw damaged(file, "it is no JSON");
    }
    if (!(tree instanceof ObjectNode object)) {
      throw damaged(file, "it is no JSON object");
    }
    JsonNode stated = object.remove(JsonChecksum.FIELD);
    String expected = JsonChecksum.of(object);
    if (stated == null || !stated.asText().equals(expected)) {
      throw damaged(
          file,
          "checksum is " + (stated == null ? "missing" : stated.asText()) + ", not " + expected);
    }
    int format = (int) number(file, object, "format_version", 1, Integer.MAX_VALUE);
    if (format > FORMAT) {
      throw new IOException(
          file + " has format version " + format + ", this version knows up to " + FORMAT);
    }
    List<Integer> initialised = new ArrayList<>();
    for (JsonNode group : field(file, object, "initialised", JsonNode::isArray)) {
      initialised.add(group.asInt());
    }
    List<Integer> skipping = new ArrayList<>();
    object.path("skipping").forEach(group -> skipping.add(group.asInt()));
    return new ClusterFile(
        field(file, object, "uuid", JsonNode::isTextual).asText(),
        field(file, object, "formed", JsonNode::isBoolean).asBoolean(),
        (int) number(file, object, "cluster_id", 0, MAX_CLUSTER_ID),
        field(file, object, "node", JsonNode::isTextual).asText(),
        (int) number(file, object, "incarnation", 0, Integer.MAX_VALUE),
        number(file, object, "generation", 0, Long.MAX_VALUE),
        (int) number(file, object, "groups", 1, MAX_GROUPS),
        initialised,
        known(file, object),
        skipping);
  }

  private static Map<String, Known> known(Path file, ObjectNode object) throws IOException {
    Map<String, Known> known = new TreeMap<>();
    if (object.path("known") instanceof ObjectNode nodes) {
      for (Iterator<String> names = nodes.fieldNames(); names.hasNext(); ) {
        String name = names.next();
        ObjectNode said = (ObjectNode) field(file, nodes, name, JsonNode::isObject);
        known.put(
            name,
            new Known(
                (int) number(file, said, "incarnation", 0, Integer.MAX_VALUE),
                said.path("address").asText(null)));
      }
    }
    return known;
  }

  private static JsonNode field(
      Path file, ObjectNode object, String name, Predicate<JsonNode> isGood) throws IOException {
    JsonNode value = object.path(name);
    if (!isGood.test(value)) {
      throw damaged(file, name + " is " + (value.isMissingNode() ? "missing" : value));
    }
    return value;
  }

  private static long number(Path file, ObjectNode object, String name, long min, long max)
      throws IOException {
    return field(
            file,
            object,
            name,
            value ->
                value.isIntegralNumber()
                    && value.canConvertToLong()
                    && value.asLong() >= min
                    && value.asLong() <= max)
        .asLong();
  }

  private static IOException damaged(Path file, String why) {
    return new IOException(file + " is damaged: " + why);
  }

  /** Replaces a data directory's file; on disk when this returns. */
  public void write(Disk disk, Path root) throws IOException {
    ObjectNode tree = JSON.createObjectNode();
    tree.put("format_version", FORMAT)
        .put("uuid", uuid)
        .put("formed", formed)
        .put("cluster_id", clusterId)
        .put("node", node)
        .put("incarnation", incarnation)
        .put("generation", generation)
        .put("groups", groups);
    initialised.forEach(tree.putArray("initialised")::add);
    if (!known.isEmpty()) {
      ObjectNode nodes = tree.putObject("known");
      known.forEach(
          (name, said) -> {
            ObjectNode written = nodes.putObject(name).put("incarnation", said.incarnation());
            if (said.address() != null) {
              written.put("address", said.address());
            }
          });
    }
    if (!skipping.isEmpty()) {
      skipping.forEach(tree.putArray("skipping")::add);
    }
    tree.put(JsonChecksum.FIELD, JsonChecksum.of(tree));
    DurableFiles.replace(disk, path(root), JSON.writeValueAsBytes(tree));
  }

  /**
   * Keeps those away who would take a node's topics for local ones, and lose what the other nodes
   * have of them.
   *
   * @param who cannot do what is asked, as the message says it
   * @throws IOException in one line, when the directory belongs to a cluster
   */
  public static void refuseMember(Disk disk, Path root, String who) throws IOException {
    ClusterFile file = read(disk, root);
    if (file != null) {
      throw new IOException(
          "data path "
              + root
              + " belongs to node "
              + file.node
              + " of cluster "
              + file.uuid
              + ": its topics are no local ones, "
              + who);
    }
  }
}
