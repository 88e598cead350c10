package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.PeerId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives a node of JRaft the {@link ElectionPace}. For one thread. */
final class JraftPace {
  private static final Logger LOG = LoggerFactory.getLogger(JraftPace.class);

  /**
   * Heartbeats come this often, however long they are waited for. Each wakes eight threads, which
   * is most of what an idle cluster costs.
   */
  static final int HEARTBEATS_IN_FIRST = 5;

  private final int group;
  private final PeerId self;
  private final JraftLink link;
  private final int firstMs;
  private final ElectionPace pace;
  private int timeoutMs;

  /** Who led last as far as this node knows; null for nobody. */
  private PeerId last;

  /**
   * Of a node that was started with this election timeout.
   *
   * @param self this node
   */
  JraftPace(int group, PeerId self, JraftLink link, int firstMs) {
    this.group = group;
    this.self = self;
    this.link = link;
    this.firstMs = firstMs;
    timeoutMs = firstMs;
    pace = new ElectionPace(firstMs);
  }

  /**
   * Looks at how it stands.
   *
   * @param leader null when nobody is known
   */
  void look(NodeImpl node, long term, PeerId leader) {
    boolean isThere = last != null && (last.equals(self) || link.isReachable(last.getEndpoint()));
    int now = pace.timeoutMs(term, isThere, System.nanoTime());
    if (leader != null) {
      last = leader;
    }
    if (now != timeoutMs) {
      timeoutMs = now;
      LOG.info("CLUSTER: group {}: {} ms without a sign of a leader ask for another", group, now);
      node.getRaftOptions().setElectionHeartbeatFactor(HEARTBEATS_IN_FIRST * now / firstMs);
      node.resetElectionTimeoutMs(now);
    }
  }
}
