package io.holdfast.broker.cluster.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.raft.RaftEntry;
import io.holdfast.storage.raft.RaftLog;
import io.holdfast.storage.raft.VoteFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A group of one: what is proposed is appended, forced and applied, without elections. One force
 * for all that came while the force before was under way. Each start is a term.
 *
 * <p>Threads: one appends and forces, one applies, one writes snapshots. After an error of the
 * disk, or of the member, the group has stopped for good: another one is made of the same files.
 */
public final class LocalGroup implements ClusterGroup {
  /** So much may be under way, from a proposal to its answer. */
  static final long MAX_UNDER_WAY_BYTES = 32 << 20;

  private enum State {
    NEW,
    RUNNING,
    STOPPED,
    FAILED
  }

  private final String node;
  private final GroupFiles files;
  private final GroupMember member;
  private final LocalSnapshots snapshots;
  private final Thread appender;
  private final Thread applier;
  private final SnapshotThread snapshotThread;
  private final CompletableFuture<Void> isRecovered = new CompletableFuture<>();
  private final Object lock = new Object();

  @GuardedBy("lock")
  private State state = State.NEW;

  /** Not in the log yet. */
  @GuardedBy("lock")
  private List<LocalProposal> proposed = new ArrayList<>();

  /** On disk, and not applied yet. */
  @GuardedBy("lock")
  private final ArrayDeque<LocalProposal> forced = new ArrayDeque<>();

  /** Snapshots that were asked for. */
  @GuardedBy("lock")
  private final ArrayDeque<CompletableFuture<Long>> wanted = new ArrayDeque<>();

  @GuardedBy("lock")
  private long underWayBytes;

  @GuardedBy("lock")
  private boolean appenderEnded;

  @GuardedBy("lock")
  private String error;

  private volatile RaftLog log;
  private volatile long term;
  private volatile long committed;
  private volatile long applied;
  private volatile long snapshotIndex;

  /** Of the entry applied last; the apply thread's. */
  private long appliedTerm;

  /**
   * Makes the group; {@link #start} opens it.
   *
   * @param name of the group, for its threads
   * @param node the name of this node
   */
  public LocalGroup(String name, String node, GroupFiles files, GroupMember member) {
    this.node = node;
    this.files = files;
    this.member = member;
    snapshots = new LocalSnapshots(files.snapshotDir(), files.disk());
    appender = new Thread(this::append, "group-" + name + "-log");
    applier = new Thread(this::apply, "group-" + name + "-apply");
    snapshotThread = new SnapshotThread("group-" + name + "-snapshot");
    appender.setDaemon(true);
    applier.setDaemon(true);
  }

  @Override
  public void start() throws IOException {
    VoteFile vote = files.openVote();
    RaftLog opened = files.openLog(vote.term());
    boolean done = false;
    try {
      log = opened;
      vote.set(vote.term() + 1, node);
      term = vote.term();
      synchronized (lock) {
        state = State.RUNNING;
      }
      applier.start();
      isRecovered.get();
      appender.start();
      done = true;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(Reasons.of(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      if (!done) {
        fail("it did not start");
        opened.close();
      }
    }
  }

  @Override
  public void propose(long inTerm, ByteBuffer entry, Proposal proposal) {
    String refusal = null;
    int bytes = entry.remaining();
    LocalProposal waiting = new LocalProposal(0, entry, proposal);
    synchronized (lock) {
      if (state != State.RUNNING || inTerm != term) {
        refusal = "this node does not lead in term " + inTerm;
      } else if (bytes == 0 || bytes > files.maxProposalBytes()) {
        refusal = "an entry of " + bytes + " bytes is not within 1 to " + files.maxProposalBytes();
      } else if (underWayBytes > 0 && underWayBytes + waiting.bytes() > MAX_UNDER_WAY_BYTES) {
        refusal = BUSY;
      } else {
        underWayBytes += waiting.bytes();
        proposed.add(waiting);
        lock.notifyAll();
      }
    }
    if (refusal != null) {
      proposal.refused(refusal);
    }
  }

  /** The appending thread. */
  private void append() {
    try {
      List<LocalProposal> batch = nextBatch();
      while (!batch.isEmpty()) {
        append(batch);
        batch = nextBatch();
      }
    } finally {
      synchronized (lock) {
        appenderEnded = true;
        lock.notifyAll();
      }
    }
  }

  /** What is to be appended next; nothing when the group stops. */
  private List<LocalProposal> nextBatch() {
    synchronized (lock) {
      while (state == State.RUNNING && proposed.isEmpty()) {
        await();
      }
      if (state != State.RUNNING) {
        return List.of();
      }
      List<LocalProposal> batch = proposed;
      proposed = new ArrayList<>();
      return batch;
    }
  }

  @GuardedBy("lock")
  @SuppressWarnings("WaitNotInLoop") // Its callers have the loop.
  private void await() {
    try {
      lock.wait();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts these threads", e);
    }
  }

  private void append(List<LocalProposal> batch) {
    long first = log.lastIndex() + 1;
    List<RaftEntry> entries = new ArrayList<>(batch.size());
    for (LocalProposal waiting : batch) {
      entries.add(new RaftEntry(first + entries.size(), term, waiting.entry()));
    }
    int appended = batch.size();
    try {
      try {
        log.append(entries);
      } catch (NoSpaceException full) {
        appended = (int) (log.lastIndex() + 1 - first);
        for (LocalProposal refused : batch.subList(appended, batch.size())) {
          told(refused).refused(full.getMessage());
        }
      }
      log.force();
    } catch (IOException | RuntimeException | Error e) {
      fail(Reasons.of(e));
      for (LocalProposal unknown : batch.subList(0, appended)) {
        told(unknown).unknown(Reasons.of(e));
      }
      return;
    }
    committed = log.lastIndex();
    List<LocalProposal> late = List.of();
    synchronized (lock) {
      if (state == State.FAILED) {
        late = batch.subList(0, appended);
      } else {
        for (int i = 0; i < appended; i++) {
          forced.add(batch.get(i).at(first + i));
        }
        lock.notifyAll();
      }
    }
    for (LocalProposal unknown : late) {
      told(unknown).unknown("the group has stopped");
    }
  }

  private Proposal told(LocalProposal waiting) {
    synchronized (lock) {
      underWayBytes -= waiting.bytes();
    }
    return waiting.proposal();
  }

  /** The applying thread. */
  private void apply() {
    try {
      recover();
      isRecovered.complete(null);
    } catch (IOException | RuntimeException | Error e) {
      isRecovered.completeExceptionally(e);
      return;
    }
    try {
      member.leaderIs(node, term);
      member.startsLeading(term);
      boolean goesOn = true;
      while (goesOn) {
        goesOn = applyNext();
      }
      member.stopsLeading(term);
    } catch (IOException | RuntimeException | Error e) {
      fail(Reasons.of(e));
    }
  }

  private void recover() throws IOException {
    LocalRecovery recovered = LocalRecovery.run(files, snapshots, log, member);
    applied = recovered.applied();
    appliedTerm = recovered.appliedTerm();
    snapshotIndex = recovered.snapshot();
    committed = log.lastIndex();
  }

  /** Applies an entry, or begins a snapshot; false when the group has stopped. */
  private boolean applyNext() throws IOException {
    LocalProposal next;
    CompletableFuture<Long> snapshot;
    boolean isLast;
    synchronized (lock) {
      while (forced.isEmpty()
          && (state == State.RUNNING
              ? wanted.isEmpty()
              : state == State.STOPPED && !appenderEnded)) {
        await();
      }
      if (state == State.FAILED) {
        return false;
      }
      next = forced.peek();
      isLast = forced.size() <= 1;
      snapshot = next == null ? wanted.poll() : null;
      if (next == null && snapshot == null) {
        return false;
      }
    }
    if (next != null) {
      applyOne(next);
      if (isLast) {
        member.endOfRun();
      }
    } else {
      begin(snapshot);
    }
    return true;
  }

  private void applyOne(LocalProposal next) throws IOException {
    member.apply(next.index(), term, next.entry().duplicate());
    applied = next.index();
    appliedTerm = term;
    synchronized (lock) {
      forced.remove(next);
    }
    told(next).applied(next.index());
  }

  @Override
  public CompletableFuture<Long> snapshot() {
    CompletableFuture<Long> asked = new CompletableFuture<>();
    synchronized (lock) {
      if (state == State.RUNNING) {
        wanted.add(asked);
        lock.notifyAll();
        return asked;
      }
    }
    return CompletableFuture.failedFuture(new IOException("the group has stopped"));
  }

  private void begin(CompletableFuture<Long> asked) {
    long index = applied;
    long indexTerm = appliedTerm;
    if (index == snapshotIndex) {
      asked.complete(index);
      return;
    }
    try {
      GroupMember.Snapshot noted = member.snapshot(index, indexTerm);
      snapshotThread.write(
          asked,
          () -> {
            if (index > snapshotIndex) {
              snapshots.write(index, indexTerm, noted);
              snapshotIndex = index;
              log.truncatePrefix(index + 1);
            }
            return index;
          });
    } catch (IOException e) {
      asked.completeExceptionally(e);
    }
  }

  /** Stops for good; once. */
  private void fail(String reason) {
    List<LocalProposal> refused;
    List<LocalProposal> unknown;
    List<CompletableFuture<Long>> asked;
    synchronized (lock) {
      if (state == State.FAILED || state == State.NEW) {
        return;
      }
      state = State.FAILED;
      error = reason;
      refused = proposed;
      proposed = new ArrayList<>();
      unknown = new ArrayList<>(forced);
      forced.clear();
      asked = new ArrayList<>(wanted);
      wanted.clear();
      lock.notifyAll();
    }
    member.failed(reason);
    for (LocalProposal one : refused) {
      told(one).refused(reason);
    }
    for (LocalProposal one : unknown) {
      told(one).unknown(reason);
    }
    for (CompletableFuture<Long> one : asked) {
      one.completeExceptionally(new IOException(reason));
    }
  }

  @Override
  public GroupStatus status() {
    RaftLog opened = log;
    String failed;
    GroupStatus.Role role;
    synchronized (lock) {
      failed = error;
      role =
          switch (state) {
            case RUNNING -> GroupStatus.Role.LEADER;
            case FAILED -> GroupStatus.Role.FAILED;
            default -> GroupStatus.Role.STOPPED;
          };
    }
    return new GroupStatus(
        role,
        term,
        role == GroupStatus.Role.LEADER ? node : null,
        opened == null ? 1 : opened.firstIndex(),
        opened == null ? 0 : opened.lastIndex(),
        committed,
        applied,
        snapshotIndex,
        opened == null ? 0 : opened.bytes(),
        failed,
        List.of());
  }

  @Override
  public CompletableFuture<Void> handOver(String to) {
    return CompletableFuture.failedFuture(
        new IOException("there is no " + to + ": the group is " + node + " alone"));
  }

  @Override
  public CompletableFuture<Void> changeMembers(List<GroupPeer> voters, List<GroupPeer> learners) {
    return CompletableFuture.failedFuture(
        new IOException("a group without elections stays " + node + " alone"));
  }

  @Override
  public void forceAlone() {}

  @Override
  public void stop() {
    if (Thread.currentThread() == applier) {
      throw new IllegalStateException("a member cannot wait for itself");
    }
    List<LocalProposal> refused;
    synchronized (lock) {
      if (state == State.NEW || state == State.STOPPED) {
        return;
      }
      if (state == State.RUNNING) {
        state = State.STOPPED;
      }
      refused = proposed;
      proposed = new ArrayList<>();
      lock.notifyAll();
    }
    for (LocalProposal one : refused) {
      told(one).refused("the group stops");
    }
    SnapshotThread.join(appender);
    SnapshotThread.join(applier);
    snapshotThread.stop();
    try {
      log.close();
    } catch (IOException e) {
      fail(Reasons.of(e));
    }
  }
}
