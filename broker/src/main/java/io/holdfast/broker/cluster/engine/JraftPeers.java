package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.entity.PeerId;
import java.util.List;

/** Members as JRaft has them: address and incarnation. Stateless. */
final class JraftPeers {
  private JraftPeers() {}

  static PeerId id(GroupPeer member) {
    return new PeerId(member.host(), member.port(), member.incarnation());
  }

  static Configuration configuration(List<GroupPeer> voters, List<GroupPeer> learners) {
    Configuration configuration = new Configuration();
    for (GroupPeer voter : voters) {
      configuration.addPeer(id(voter));
    }
    for (GroupPeer learner : learners) {
      configuration.addLearner(id(learner));
    }
    return configuration;
  }
}
