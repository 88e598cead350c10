package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.GroupMembers;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.GroupStatus.Role;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.ClusterFile;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has this node go on alone when the others are gone for good. First a higher generation is on
 * disk, so that no old member is dealt with any more; then each group has one member; and before
 * anything is published there, all ordinals jump. For one thread.
 */
final class ForcedAlone {
  private static final Logger LOG = LoggerFactory.getLogger(ForcedAlone.class);

  private final ClusterConfig config;
  private final Membership membership;
  private final Disk disk;
  private final Peers peers;
  private final Participation participation;
  private boolean isUnderWay;

  ForcedAlone(
      ClusterConfig config,
      Membership membership,
      Disk disk,
      Peers peers,
      Participation participation) {
    this.config = config;
    this.membership = membership;
    this.disk = disk;
    this.peers = peers;
    this.participation = participation;
  }

  /**
   * Does it, or goes on with it.
   *
   * @param uuid has to be that of the cluster
   */
  LifeAnswer force(String uuid) throws IOException {
    ClusterFile file = membership.file();
    if (!file.uuid().equals(uuid)) {
      return LifeAnswer.refused("the cluster's uuid is " + file.uuid() + ", not " + uuid);
    }
    List<NodeGroup> groups = participation.groups();
    if (file.skipping().isEmpty() && groups.stream().allMatch(this::isLedAlone)) {
      isUnderWay = false;
      return LifeAnswer.DONE;
    }
    for (NodeGroup group : groups) {
      if (group.error() != null) {
        return LifeAnswer.refused("group " + group.group() + ": " + group.error());
      }
    }
    if (!isUnderWay) {
      if (groups.stream().allMatch(group -> group.leader() != null)) {
        return LifeAnswer.refused(
            "all groups have a leader: the cluster needs no force, see \"holdfast-tools cluster"
                + " status\"");
      }
      begin(file);
    }
    for (NodeGroup group : groups) {
      reset(group);
    }
    return LifeAnswer.BEGUN;
  }

  private void begin(ClusterFile file) throws IOException {
    long generation = file.generation() + 1;
    membership.change(
        disk,
        membership.state(),
        now ->
            now.withGeneration(generation, IntStream.range(0, config.groups()).boxed().toList()));
    isUnderWay = true;
    LOG.warn(
        "CLUSTER: {} goes on alone, generation {}: what it does not have is lost",
        config.node(),
        generation);
    participation.jumpFirst();
    peers.reconnect();
  }

  private void reset(NodeGroup group) {
    if (isAlone(group)) {
      return;
    }
    try {
      group.forceAlone();
    } catch (IOException e) {
      // Those that are gone may still count as its leader: once more, when asked again.
      LOG.info("CLUSTER: group {} is not alone yet: {}", group.group(), Reasons.of(e));
    }
  }

  /** Whether it was begun by this process and is not known to be done. */
  boolean isUnderWay() {
    return isUnderWay;
  }

  private boolean isAlone(NodeGroup group) {
    GroupMembers members = group.members();
    List<GroupPeer> voters = members.voters();
    return voters.size() == 1
        && voters.get(0).node().equals(config.node())
        && members.learners().isEmpty();
  }

  private boolean isLedAlone(NodeGroup group) {
    GroupStatus status = group.status();
    return isAlone(group) && status != null && status.role() == Role.LEADER;
  }
}
