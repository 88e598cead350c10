package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.core.DefaultJRaftServiceFactory;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.storage.SnapshotStorage;

/** Gives JRaft the log and the vote that are open already, and its snapshots without holes. */
final class JraftServiceFactory extends DefaultJRaftServiceFactory {
  private final JraftLogStorage log;
  private final JraftVoteStorage votes;
  private final GroupFiles files;

  JraftServiceFactory(JraftLogStorage log, JraftVoteStorage votes, GroupFiles files) {
    this.log = log;
    this.votes = votes;
    this.files = files;
  }

  @Override
  public LogStorage createLogStorage(String uri, RaftOptions options) {
    return log;
  }

  @Override
  public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions options) {
    return votes;
  }

  @Override
  public SnapshotStorage createSnapshotStorage(NodeOptions options) {
    return new JraftSnapshotStorage(options.getSnapshotUri(), options.getRaftOptions(), files);
  }
}
