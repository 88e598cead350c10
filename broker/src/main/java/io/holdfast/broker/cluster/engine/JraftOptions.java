package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;

/**
 * The options of a node, and what its {@link JraftClient} needs: JRaft hands them on as they are.
 */
final class JraftOptions extends NodeOptions {
  /** What one follower that does not answer can keep in memory is this many times the next. */
  private static final int MAX_APPENDS_UNDER_WAY = 16;

  private static final int MAX_APPEND_BYTES = 512 << 10;
  private static final int MAX_FORCE_BYTES = 2 << 20;
  private static final int MAX_CACHE_BYTES = 32 << 20;

  /** Entries under way in each of several places. */
  static final int RING_SLOTS = 4096;

  private static final int FILE_READ_BYTES = 512 << 10;
  private static final int INSTALL_TIMEOUT_MS = 3_600_000;
  private static final int RPC_THREADS = 6;

  private final JraftLink link;
  private final int group;
  private final JraftVoteStorage votes;
  private final JraftProgress progress;

  JraftOptions(JraftLink link, int group, JraftVoteStorage votes, JraftProgress progress) {
    this.link = link;
    this.group = group;
    this.votes = votes;
    this.progress = progress;
    // Asked for by size; and nobody changes the members over the network.
    setSnapshotIntervalSecs(0);
    setDisableCli(true);
    setSharedTimerPool(true);
    setSharedElectionTimer(true);
    setSharedVoteTimer(true);
    setSharedStepDownTimer(true);
    setSharedSnapshotTimer(true);
    setRpcProcessorThreadPoolSize(RPC_THREADS);
    setRpcInstallSnapshotTimeout(INSTALL_TIMEOUT_MS);
    RaftOptions raft = getRaftOptions();
    raft.setElectionHeartbeatFactor(JraftPace.HEARTBEATS_IN_FIRST);
    raft.setSync(true);
    raft.setSyncMeta(true);
    raft.setMaxReplicatorInflightMsgs(MAX_APPENDS_UNDER_WAY);
    raft.setMaxBodySize(MAX_APPEND_BYTES);
    raft.setMaxAppendBufferSize(MAX_FORCE_BYTES);
    raft.setMaxLogsInMemoryBytes(MAX_CACHE_BYTES);
    raft.setDisruptorBufferSize(RING_SLOTS);
    raft.setMaxByteCountPerRpc(FILE_READ_BYTES);
  }

  void setElectionTimeout(int ms) {
    setElectionTimeoutMs(ms);
    getRaftOptions().setMaxElectionDelayMs(ms / 2);
  }

  JraftLink link() {
    return link;
  }

  int group() {
    return group;
  }

  JraftVoteStorage votes() {
    return votes;
  }

  JraftProgress progress() {
    return progress;
  }
}
