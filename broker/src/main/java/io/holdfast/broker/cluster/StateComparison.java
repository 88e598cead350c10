package io.holdfast.broker.cluster;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares what this node has made of the groups' logs with what the others have: the same, unless
 * one of them applies wrongly. Raises the alarm for each that differs, and finds out when it is
 * this one. For one thread; what it has found is read by any.
 */
final class StateComparison {
  private static final Logger LOG = LoggerFactory.getLogger(StateComparison.class);

  /** Of each group, the nodes that differ. */
  private final Map<Integer, List<String>> differing = new ConcurrentHashMap<>();

  /**
   * Compares a group.
   *
   * @param own checksums of this node's state, by index
   * @param others of the other two, by name; a node is missing when it cannot be compared
   * @return why this node's is the wrong one, when both others agree on another; else null
   */
  String look(int group, Map<Long, Integer> own, Map<String, Map<Long, Integer>> others) {
    List<String> found =
        others.entrySet().stream()
            .filter(other -> differs(group, own, other.getKey(), other.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    differing.put(group, found);
    return found.size() == 2 ? outvoted(own, others) : null;
  }

  private boolean differs(
      int group, Map<Long, Integer> own, String node, Map<Long, Integer> other) {
    // Each sums up all before: the newest says it.
    Long at = newest(own, List.of(other));
    if (at == null || own.get(at).equals(other.get(at))) {
      return false;
    }
    if (!differing(group).contains(node)) {
      LOG.error(
          "CLUSTER: group {}: the state of {} at {} is {}, not {}: one of the nodes applies the log"
              + " wrongly",
          group,
          node,
          at,
          hex(other.get(at)),
          hex(own.get(at)));
    }
    return true;
  }

  private static String outvoted(Map<Long, Integer> own, Map<String, Map<Long, Integer>> others) {
    Long at = newest(own, others.values());
    if (at == null) {
      return null;
    }
    TreeSet<Integer> said = new TreeSet<>();
    others.values().forEach(other -> said.add(other.get(at)));
    return said.size() == 1 && !said.contains(own.get(at))
        ? String.format(
            Locale.ROOT,
            "the state here at %d is %s, that of %s %s",
            at,
            hex(own.get(at)),
            String.join(" and ", new TreeMap<>(others).keySet()),
            hex(said.first()))
        : null;
  }

  /** The newest index that all know; null for none. */
  private static Long newest(Map<Long, Integer> own, Iterable<Map<Long, Integer>> others) {
    return own.keySet().stream()
        .filter(
            index -> {
              for (Map<Long, Integer> other : others) {
                if (!other.containsKey(index)) {
                  return false;
                }
              }
              return true;
            })
        .max(Long::compare)
        .orElse(null);
  }

  private static String hex(Integer crc) {
    return String.format(Locale.ROOT, "%08x", Objects.requireNonNull(crc));
  }

  /** The nodes that have another state of a group. Any thread. */
  List<String> differing(int group) {
    return differing.getOrDefault(group, List.of());
  }

  /** In words, for each group and node. Any thread. */
  List<String> differences() {
    return new TreeMap<>(differing)
        .entrySet().stream()
            .flatMap(
                group ->
                    group.getValue().stream()
                        .map(
                            node -> "the state of group " + group.getKey() + " differs at " + node))
            .toList();
  }
}
