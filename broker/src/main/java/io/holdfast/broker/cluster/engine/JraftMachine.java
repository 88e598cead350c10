package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.LeaderChangeContext;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Between JRaft's state machine and a {@link GroupMember}: what JRaft says of leading and following
 * becomes "starts" and "stops" of a term, each once. JRaft says "stop" when a handover begins, and
 * "start" of the same term when it fails; when it works, and when the node steps down in the middle
 * of it, JRaft says nothing. So here a handover changes nothing by itself, and whoever watches the
 * node calls {@link #endLeading}.
 *
 * <p>JRaft calls on its one apply thread; the lock keeps endLeading apart from that.
 */
final class JraftMachine extends StateMachineAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(JraftMachine.class);

  /** What JRaft and the seal add to a snapshot's files; without room for that the group stops. */
  private static final long OWN_BYTES = 256 << 10;

  private final GroupMember member;
  private final PeerId self;
  private final Function<PeerId, String> names;
  private final GroupFiles files;
  private final SnapshotThread writing;
  private final JraftProposals proposals;
  private final UnaryOperator<String> causeOf;
  private final LongSupplier passed;
  private final ReentrantLock calls = new ReentrantLock();

  /** The last term in which this node led and does not any more. */
  @GuardedBy("calls")
  private long ended;

  /** Of the entry applied last. */
  @GuardedBy("calls")
  private long appliedTerm;

  /** Why the member stops the group: JRaft has its own words around it. */
  private volatile String cause;

  private volatile long leading;
  private volatile boolean isHandingOver;
  private volatile PeerId leader;
  private volatile long applied;
  private volatile long noted;
  private volatile long snapshot;
  private volatile String error;
  private volatile boolean isStarted;
  private final AtomicLong installs = new AtomicLong();

  /**
   * @param names of members
   * @param writing where snapshots are written
   * @param causeOf the better reason when log or vote have one for an error that JRaft reports
   * @param passed up to here JRaft has dealt with the log, its own entries too, which nobody
   *     applies
   */
  JraftMachine(
      GroupMember member,
      PeerId self,
      Function<PeerId, String> names,
      GroupFiles files,
      SnapshotThread writing,
      JraftProposals proposals,
      UnaryOperator<String> causeOf,
      LongSupplier passed) {
    this.member = member;
    this.self = self;
    this.names = names;
    this.files = files;
    this.writing = writing;
    this.proposals = proposals;
    this.causeOf = causeOf;
    this.passed = passed;
  }

  /** The term in which this node leads, 0 when it does not. */
  long leading() {
    return leading;
  }

  /** Whether the leadership is being handed over: nothing can be proposed. */
  boolean isHandingOver() {
    return isHandingOver;
  }

  /** Who leads, null when nobody is known. */
  PeerId leader() {
    return leader;
  }

  /** Up to here nothing is left to be applied. */
  long applied() {
    return Math.max(applied, passed.getAsLong());
  }

  /** Up to here the newest snapshot has everything. */
  long snapshot() {
    return snapshot;
  }

  /** The snapshot that was asked for is finished; its index. */
  long finishSnapshot() {
    snapshot = Math.max(snapshot, noted);
    return snapshot;
  }

  /** What is loaded from now on comes from another node. */
  void started() {
    isStarted = true;
  }

  /** Snapshots of other nodes that were loaded. */
  long installs() {
    return installs.get();
  }

  /** Why the group has stopped here, null when it has not. */
  String error() {
    return error;
  }

  @Override
  public void onApply(Iterator entries) {
    calls.lock();
    try {
      while (entries.hasNext()) {
        long index = entries.getIndex();
        try {
          member.apply(index, entries.getTerm(), entries.getData().duplicate());
        } catch (IOException | RuntimeException | Error e) {
          cause = Reasons.of(e);
          entries.setErrorAndRollback(1, new Status(RaftError.ESTATEMACHINE, "%s", cause));
          return;
        }
        applied = index;
        appliedTerm = entries.getTerm();
        if (entries.done() instanceof JraftProposal proposal) {
          proposal.applied(index);
        }
        entries.next();
      }
      member.endOfRun();
    } finally {
      calls.unlock();
    }
  }

  @Override
  public void onLeaderStart(long term) {
    calls.lock();
    try {
      isHandingOver = false;
      if (term <= ended || term == leading) {
        return;
      }
      endLeading(leading);
      leading = term;
      leader = self;
      member.leaderIs(names.apply(self), term);
      member.startsLeading(term);
    } finally {
      calls.unlock();
    }
  }

  @Override
  public void onLeaderStop(Status status) {
    if (status.getRaftError() == RaftError.ETRANSFERLEADERSHIP) {
      isHandingOver = true;
      return;
    }
    calls.lock();
    try {
      endLeading(leading);
    } finally {
      calls.unlock();
    }
  }

  /**
   * The leading of a term is over, if it was not already. For those who are not called by JRaft.
   */
  void endLeading(long term) {
    calls.lock();
    try {
      if (term == 0 || term != leading) {
        return;
      }
      leading = 0;
      isHandingOver = false;
      ended = term;
      leader = null;
      member.stopsLeading(term);
      member.leaderIs(null, term);
    } finally {
      calls.unlock();
    }
  }

  @Override
  public void onStartFollowing(LeaderChangeContext context) {
    endLeading(leading);
    leader = context.getLeaderId();
    member.leaderIs(names.apply(leader), context.getTerm());
  }

  @Override
  public void onStopFollowing(LeaderChangeContext context) {
    leader = null;
    member.leaderIs(null, context.getTerm());
  }

  @Override
  public void onSnapshotSave(SnapshotWriter writer, Closure done) {
    GroupMember.Snapshot state;
    calls.lock();
    try {
      state = member.snapshot(applied, appliedTerm);
      noted = applied();
    } catch (IOException | RuntimeException | Error e) {
      done.run(new Status(RaftError.EIO, "%s", Reasons.of(e)));
      return;
    } finally {
      calls.unlock();
    }
    CompletableFuture<Void> written = new CompletableFuture<>();
    writing.write(written, () -> write(state, writer));
    written.whenComplete(
        (nothing, failure) ->
            done.run(
                failure == null
                    ? Status.OK()
                    : new Status(errorOf(failure), "%s", Reasons.of(failure))));
  }

  /** EIO stops the group. A disk without room has not failed, and the next snapshot finds some. */
  private RaftError errorOf(Throwable failure) {
    if (!NoSpaceException.isCauseOf(failure)) {
      return RaftError.EIO;
    }
    boolean isMade = files.makeRoom().test(new IOException(failure));
    LOG.debug("{}: no room for a snapshot; made for the next one: {}", files.dir(), isMade);
    return RaftError.EAGAIN;
  }

  private Void write(GroupMember.Snapshot state, SnapshotWriter writer) throws IOException {
    Path dir = Path.of(writer.getPath());
    for (String name : state.writeTo(dir)) {
      if (!writer.addFile(name)) {
        throw new IOException("the snapshot does not take " + name);
      }
    }
    DurableFiles.forceTree(files.disk(), dir);
    if (Files.getFileStore(dir).getUsableSpace() < OWN_BYTES) {
      throw new NoSpaceException("no space left on device: " + dir);
    }
    return null;
  }

  @Override
  public boolean onSnapshotLoad(SnapshotReader reader) {
    calls.lock();
    try {
      Path dir = Path.of(reader.getPath());
      SnapshotMeta meta = reader.load();
      // JRaft has forced the files that it copied, and not the names of those in sub-directories.
      DurableFiles.forceTree(files.disk(), dir);
      member.load(dir);
      applied = meta.getLastIncludedIndex();
      appliedTerm = meta.getLastIncludedTerm();
      noted = applied;
      snapshot = applied;
      if (isStarted) {
        installs.incrementAndGet();
        member.installed(applied);
      }
      return true;
    } catch (IOException | RuntimeException | Error e) {
      fail(Reasons.of(e));
      return false;
    } finally {
      calls.unlock();
    }
  }

  @Override
  public void onError(RaftException e) {
    fail(cause == null ? causeOf.apply(e.getStatus().getErrorMsg()) : cause);
  }

  private void fail(String reason) {
    synchronized (proposals) {
      if (error != null) {
        return;
      }
      error = reason;
    }
    endLeading(leading);
    proposals.unknown(reason);
    member.failed(reason);
  }
}
