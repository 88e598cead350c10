package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.config.Logging;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a group's entries do on this node: to the group's state, and to the topics it leads here.
 */
public final class GroupReplica implements GroupMember {
  private static final Logger LOG = LoggerFactory.getLogger(GroupReplica.class);

  private final int group;
  private final GroupState state;
  private final LeaderTopics leader;
  private volatile boolean isInstalling;

  /**
   * @param group its number
   */
  public GroupReplica(int group, GroupState state, LeaderTopics leader) {
    this.group = group;
    this.state = state;
    this.leader = leader;
  }

  @Override
  public void apply(long index, long term, ByteBuffer entry) throws IOException {
    state.apply(index, term, entry);
  }

  @Override
  public void startsLeading(long term) {
    leader.startsLeading(term);
  }

  @Override
  public void stopsLeading(long term) {
    leader.stopsLeading(term);
  }

  @Override
  public void leaderIs(String node, long term) {
    if (node == null) {
      LOG.info("CLUSTER: group {}: no leader is known, term {}", group, term);
    } else {
      LOG.info(Logging.NOTED, "CLUSTER: group {}: leader is {}, term {}", group, node, term);
    }
    isInstalling = false;
    leader.leaderIs(node, term);
  }

  @Override
  public Snapshot snapshot(long index, long term) throws IOException {
    return state.snapshot(index, term);
  }

  @Override
  public void load(Path dir) throws IOException {
    state.load(dir);
  }

  @Override
  public void installing(String fromNode) {
    if (!isInstalling) {
      // It is sent again until it is there.
      isInstalling = true;
      LOG.info("CLUSTER: group {}: installing snapshot from {}", group, fromNode);
    }
  }

  @Override
  public void installed(long index) {
    isInstalling = false;
    LOG.info("CLUSTER: group {}: installed snapshot at {}", group, index);
  }

  @Override
  public void failed(String reason) {
    LOG.error("CLUSTER: group {} stopped: {}", group, reason);
    // Nothing that it knows ahead of the log will ever be in it.
    leader.stopsLeading(Long.MAX_VALUE);
  }
}
