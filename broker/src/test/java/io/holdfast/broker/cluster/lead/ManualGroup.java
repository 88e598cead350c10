package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.ClusterGroup;
import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.Proposal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * A group whose log is in memory and goes on only when the test says so; applying is what the
 * test's thread does. Proposals come from any thread.
 */
final class ManualGroup implements ClusterGroup {
  /** What an entry is, as its second byte says. */
  static final int LEDGER = 2;

  static final int DELETE_TOPIC = 4;
  static final int PAUSE = 7;
  static final int EMPTY = 8;
  static final int REWIND = 9;
  static final int SETTLE = 13;
  static final int TERM = 11;
  static final int SKIP = 16;
  static final int CARRY = 17;

  /** An entry of the log. */
  record Logged(long term, ByteBuffer entry) {}

  private record Waiting(long term, ByteBuffer entry, Proposal proposal) {
    boolean is(int type) {
      return entry.get(entry.position() + 1) == type;
    }
  }

  /** What was committed, in order. */
  final List<Logged> log = new ArrayList<>();

  private final List<Waiting> proposed = new ArrayList<>();
  private GroupMember member;
  private long term;
  private boolean leads;

  void member(GroupMember told) throws IOException {
    member = told;
    for (int i = 0; i < log.size(); i++) {
      Logged logged = log.get(i);
      member.apply(i + 1, logged.term(), logged.entry().duplicate());
    }
  }

  /** This node leads, in the next term. */
  void lead() {
    long newTerm;
    synchronized (this) {
      newTerm = ++term;
      leads = true;
    }
    member.startsLeading(newTerm);
  }

  /** Again in the same term, as after a handover that failed. */
  void leadAgain() {
    member.startsLeading(term);
  }

  /** Somebody else leads; nobody told what is under way. */
  void lose() {
    synchronized (this) {
      leads = false;
    }
    member.stopsLeading(term);
  }

  @Override
  public void propose(long inTerm, ByteBuffer entry, Proposal proposal) {
    synchronized (this) {
      if (leads && inTerm == term) {
        proposed.add(new Waiting(inTerm, entry, proposal));
        notifyAll();
        return;
      }
    }
    proposal.refused("this node does not lead in term " + inTerm);
  }

  private synchronized List<Waiting> take(Predicate<Waiting> which) {
    List<Waiting> taken = proposed.stream().filter(which).toList();
    proposed.removeAll(taken);
    return taken;
  }

  /** Commits and applies all that was proposed until now, but of this type. */
  void commitAllBut(int type) throws IOException {
    for (Waiting waiting : take(each -> !each.is(type))) {
      commit(waiting);
    }
  }

  /** Commits and applies all that was proposed until now. */
  void commit() throws IOException {
    commitAllBut(-1);
  }

  /** Somebody else committed this. */
  void append(Logged logged) throws IOException {
    log.add(logged);
    member.apply(log.size(), logged.term(), logged.entry().duplicate());
  }

  private void commit(Waiting waiting) throws IOException {
    ByteBuffer copy = ByteBuffer.allocate(waiting.entry().remaining());
    copy.put(waiting.entry().duplicate()).flip();
    log.add(new Logged(waiting.term(), copy));
    member.apply(log.size(), waiting.term(), copy.duplicate());
    waiting.proposal().applied(log.size());
  }

  /** Commits whatever comes, until something is done. */
  void commitUntil(CompletableFuture<?> done) throws IOException, InterruptedException {
    done.whenComplete((result, failure) -> wake());
    while (!done.isDone()) {
      commit();
      synchronized (this) {
        if (proposed.isEmpty() && !done.isDone()) {
          wait(100);
        }
      }
    }
    commit();
  }

  private synchronized void wake() {
    notifyAll();
  }

  /** Returns when something of this type was proposed. */
  synchronized void await(int type) throws InterruptedException {
    while (proposed.stream().noneMatch(waiting -> waiting.is(type))) {
      wait(100);
    }
  }

  /** How many are proposed of this type. */
  synchronized long count(int type) {
    return proposed.stream().filter(waiting -> waiting.is(type)).count();
  }

  /** All that was proposed is refused. */
  void refuse(String reason) {
    take(all -> true).forEach(waiting -> waiting.proposal().refused(reason));
  }

  /** Nobody knows what becomes of all that was proposed; it is given back, to be logged or not. */
  List<Logged> forget(String reason) {
    List<Waiting> forgotten = take(all -> true);
    forgotten.forEach(waiting -> waiting.proposal().unknown(reason));
    return forgotten.stream().map(w -> new Logged(w.term(), w.entry())).toList();
  }

  @Override
  public void start() {
    throw new UnsupportedOperationException();
  }

  @Override
  public GroupStatus status() {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Long> snapshot() {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> handOver(String node) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> changeMembers(List<GroupPeer> voters, List<GroupPeer> learners) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void forceAlone() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void stop() {
    throw new UnsupportedOperationException();
  }
}
