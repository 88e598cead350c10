package io.holdfast.broker.config;

import java.util.List;

/**
 * The options {@code cluster_*} as they were given, not checked; null is not given.
 *
 * @param nodes {@code cluster_nodes}, each {@code NAME HOST:PORT}; empty for no cluster
 * @param node {@code cluster_node}
 * @param id {@code cluster_id}
 * @param groups {@code cluster_groups}
 * @param tls {@code cluster_tls}
 * @param cert {@code cluster_tls_cert}
 * @param key {@code cluster_tls_key}
 * @param ca {@code cluster_tls_ca}
 * @param isInit {@code --cluster-init}
 */
public record ClusterSettings(
    List<String> nodes,
    String node,
    String id,
    String groups,
    Boolean tls,
    String cert,
    String key,
    String ca,
    boolean isInit) {
  private static final ClusterSettings NOTHING =
      new ClusterSettings(List.of(), null, null, null, null, null, null, null, false);

  /** Whether none was given. */
  public boolean isNothing() {
    return equals(NOTHING);
  }
}
