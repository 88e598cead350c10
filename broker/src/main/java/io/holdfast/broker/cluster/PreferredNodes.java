package io.holdfast.broker.cluster;

import java.util.List;
import java.util.function.Function;

/**
 * Which node is to lead a group when it can: one after the other, in the order of {@code
 * cluster_nodes}. Where the nodes' options have different orders all go by the same one, that of
 * the first node by name of which it is known; else groups would be handed to and fro. Thread-safe.
 */
final class PreferredNodes {
  private final ClusterConfig config;
  private final Function<String, List<String>> orders;

  /**
   * @param orders the order in another node's options; null when it has not said
   */
  PreferredNodes(ClusterConfig config, Function<String, List<String>> orders) {
    this.config = config;
    this.orders = orders;
  }

  /** Of a group, by its number. */
  String of(int group) {
    List<String> order = order();
    return order.get(group % order.size());
  }

  private List<String> order() {
    for (String name : config.names()) {
      if (name.equals(config.node())) {
        return config.order();
      }
      List<String> said = orders.apply(name);
      if (said != null && said.stream().sorted().toList().equals(config.names())) {
        return said;
      }
    }
    return config.order();
  }
}
