package io.holdfast.broker.cluster.forward;

import java.util.List;

/**
 * Which node publishes here.
 *
 * @param node its name
 * @param names of all nodes, in the order of {@code cluster_nodes}
 * @param start see {@link StartNumber}
 * @param groups how many there are
 */
public record ForwardPlace(String node, List<String> names, long start, int groups) {
  /** Copies. */
  public ForwardPlace {
    names = List.copyOf(names);
  }

  /** This node's place among them. */
  int index() {
    return names.indexOf(node);
  }
}
