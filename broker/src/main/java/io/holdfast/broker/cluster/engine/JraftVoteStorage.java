package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.EnumOutter.ErrorType;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.raft.RaftLog;
import io.holdfast.storage.raft.VoteFile;
import java.io.IOException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link VoteFile} as JRaft wants it, and the one place that keeps this node from voting: for
 * others or for itself, a vote that is not written here is not given. That is so after an error of
 * the disk, for good; and while the log may have lost entries that this node has answered ({@link
 * RaftLog#doubtfulTo}).
 */
final class JraftVoteStorage implements RaftMetaStorage {
  private static final Logger LOG = LoggerFactory.getLogger(JraftVoteStorage.class);

  private final VoteFile file;
  private final RaftLog log;
  private final Function<PeerId, String> names;
  private volatile boolean doubtDismissed;
  private volatile String failure;
  private volatile long term;
  private NodeImpl node;

  /**
   * @param names of nodes, for people who read the file: in front of whom JRaft voted for
   */
  JraftVoteStorage(VoteFile file, RaftLog log, Function<PeerId, String> names) {
    this.file = file;
    this.log = log;
    this.names = names;
    term = file.term();
  }

  /** Somebody decided that what this node has is all there is. */
  void dismissDoubt() {
    doubtDismissed = true;
  }

  /** Whether this node may vote and stand for election. */
  boolean mayVote() {
    return failure == null && (doubtDismissed || log.doubtfulTo() == 0);
  }

  /** Why the disk refused, null when it did not. */
  String failure() {
    return failure;
  }

  @Override
  public boolean init(RaftMetaStorageOptions options) {
    node = options.getNode();
    return true;
  }

  @Override
  public void shutdown() {
    // Nothing is open.
  }

  @Override
  public boolean setTerm(long newTerm) {
    return set(newTerm, newTerm == file.term() ? file.vote() : "");
  }

  /** The newest one; waits for nobody. */
  @Override
  public long getTerm() {
    return term;
  }

  @Override
  public boolean setVotedFor(PeerId peer) {
    return vote(file.term(), peer);
  }

  @Override
  public PeerId getVotedFor() {
    PeerId peer = new PeerId();
    String vote = file.vote().substring(file.vote().lastIndexOf(' ') + 1);
    if (!vote.isEmpty() && !peer.parse(vote)) {
      throw new IllegalStateException("vote for " + vote + " in " + file);
    }
    return peer;
  }

  @Override
  public boolean setTermAndVotedFor(long newTerm, PeerId peer) {
    return vote(newTerm, peer);
  }

  private boolean vote(long newTerm, PeerId peer) {
    if (peer.isEmpty()) {
      return set(newTerm, "");
    }
    if (!mayVote()) {
      LOG.warn(
          "{}: no vote in term {}: up to entry {} something may be missing here",
          log.dir(),
          newTerm,
          log.doubtfulTo());
      set(newTerm, newTerm == file.term() ? file.vote() : "");
      return false;
    }
    boolean isThere = newTerm == file.term() && peer.equals(getVotedFor());
    return set(newTerm, isThere ? file.vote() : names.apply(peer) + " " + peer);
  }

  private boolean set(long newTerm, String vote) {
    if (failure != null) {
      return false;
    }
    try {
      file.set(newTerm, vote);
      term = newTerm;
      return true;
    } catch (IOException | IllegalArgumentException e) {
      failure = Reasons.of(e);
      LOG.error("{}: {}", file, failure);
      RaftException error = new RaftException(ErrorType.ERROR_TYPE_META);
      error.setStatus(new com.alipay.sofa.jraft.Status(RaftError.EIO, "%s", failure));
      node.onError(error);
      return false;
    }
  }
}
