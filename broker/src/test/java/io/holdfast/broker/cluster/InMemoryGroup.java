package io.holdfast.broker.cluster;

import io.holdfast.broker.cluster.engine.ClusterGroup;
import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.GroupStatus;
import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * A group whose log is a list in memory: an entry is committed when it is appended. Each member
 * applies it when somebody has it do so: {@link Node#run}, which is the apply thread; with {@link
 * Node#start} a thread of its own does. Members can be killed and come back with their snapshot and
 * the log behind it. Which proposals are refused or stay unknown is drawn from a seed.
 */
public final class InMemoryGroup {
  private static final String SNAPSHOT = "snapshot-";
  private static final String TEMPORARY = "making";

  private final Random random;
  private final List<Committed> log = new ArrayList<>();
  private final Map<String, Node> nodes = new TreeMap<>();
  private long term;
  private String leader;
  private double refused;
  private double unknown;

  private record Committed(long term, ByteBuffer entry) {}

  private record Waiting(long index, Proposal proposal) {}

  /** A group without members. */
  public InMemoryGroup(long seed) {
    random = new Random(seed);
  }

  /** From now on this part of the proposals is refused, and this part stays unknown; 0 to 1. */
  public synchronized void disturb(double refusedPart, double unknownPart) {
    refused = refusedPart;
    unknown = unknownPart;
  }

  /** A member, which has to be started or run. */
  public synchronized Node join(String name, GroupMember member, Path snapshots, Disk disk) {
    Node node = new Node(name, member, snapshots, disk);
    nodes.put(name, node);
    return node;
  }

  /** Appends an entry, whoever leads; its index. */
  public synchronized long append(ByteBuffer entry) {
    log.add(new Committed(term, copy(entry)));
    notifyAll();
    return log.size();
  }

  /** The index of the last entry, 0 for none. */
  public synchronized long last() {
    return log.size();
  }

  /** An entry by its index, from 1. */
  public synchronized ByteBuffer entry(long index) {
    return log.get((int) index - 1).entry().duplicate();
  }

  private static ByteBuffer copy(ByteBuffer entry) {
    ByteBuffer copy = ByteBuffer.allocate(entry.remaining());
    return copy.put(entry.duplicate()).flip();
  }

  /** The term, 0 before the first leader. */
  public synchronized long term() {
    return term;
  }

  /**
   * A node leads from now on, in a new term; null for none. What the one before it proposed and has
   * not applied is unknown to it.
   */
  public void lead(String node) {
    List<Waiting> lost = List.of();
    synchronized (this) {
      Node before = leader == null ? null : nodes.get(leader);
      Node after = node == null ? null : nodes.get(node);
      if (before != null) {
        lost = new ArrayList<>(before.waiting);
        before.waiting.clear();
        // One that has not begun to lead has nothing to stop.
        before.stopsLeadingIn = before.startsLeadingBehind < 0 ? term : 0;
        before.startsLeadingBehind = -1;
      }
      term++;
      leader = node;
      if (after != null) {
        after.startsLeadingBehind = log.size();
      }
      notifyAll();
    }
    lost.forEach(each -> each.proposal().unknown("leader lost"));
    for (Node each : List.copyOf(nodes.values())) {
      if (!each.killed) {
        each.member.leaderIs(node, term);
      }
    }
  }

  /** One member. */
  public final class Node implements ClusterGroup {
    private final String name;
    private final GroupMember member;
    private final Path snapshots;
    private final Disk disk;
    private final List<Waiting> waiting = new ArrayList<>();
    private long applied;
    private long snapshotIndex;
    private long startsLeadingBehind = -1;
    private long stopsLeadingIn;
    private boolean loaded;
    private volatile boolean killed;
    private String error;
    private Thread thread;

    private Node(String name, GroupMember member, Path snapshots, Disk disk) {
      this.name = name;
      this.member = member;
      this.snapshots = snapshots;
      this.disk = disk;
    }

    /** Loads the last finished snapshot, if there is one. */
    public void load() throws IOException {
      loaded = true;
      Path newest = newestSnapshot();
      if (newest != null) {
        member.load(newest);
        snapshotIndex = indexOf(newest);
        applied = snapshotIndex;
      }
    }

    private Path newestSnapshot() throws IOException {
      Path newest = null;
      if (Files.isDirectory(snapshots)) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(snapshots, SNAPSHOT + "*")) {
          for (Path each : all) {
            newest = newest == null || indexOf(each) > indexOf(newest) ? each : newest;
          }
        }
      }
      return newest;
    }

    private static long indexOf(Path snapshot) {
      return Long.parseLong(snapshot.getFileName().toString().substring(SNAPSHOT.length()));
    }

    /**
     * Applies what is committed, in this thread.
     *
     * @param max entries
     * @return how many
     */
    public int run(int max) throws IOException {
      if (!loaded) {
        load();
      }
      int count = 0;
      while (count < max && !killed) {
        if (!applyNext()) {
          break;
        }
        count++;
      }
      if (count > 0) {
        member.endOfRun();
      }
      return count;
    }

    private boolean applyNext() throws IOException {
      Committed next;
      long startsIn = 0;
      long stopsIn;
      synchronized (InMemoryGroup.this) {
        stopsIn = stopsLeadingIn;
        stopsLeadingIn = 0;
        if (applied == startsLeadingBehind) {
          startsLeadingBehind = -1;
          startsIn = name.equals(leader) ? term : 0;
        }
        next = applied < log.size() ? log.get((int) applied) : null;
      }
      if (stopsIn > 0) {
        member.stopsLeading(stopsIn);
      }
      if (startsIn > 0) {
        member.startsLeading(startsIn);
      }
      if (next == null) {
        return false;
      }
      member.apply(applied + 1, next.term(), next.entry().duplicate());
      Proposal told = null;
      synchronized (InMemoryGroup.this) {
        applied++;
        if (!waiting.isEmpty() && waiting.get(0).index() == applied) {
          told = waiting.remove(0).proposal();
        }
        InMemoryGroup.this.notifyAll();
      }
      if (told != null) {
        told.applied(applied);
      }
      return true;
    }

    /** Up to here it is applied. */
    public long applied() {
      synchronized (InMemoryGroup.this) {
        return applied;
      }
    }

    /** The process is gone: nothing is called any more, and nobody is told anything. */
    public void kill() {
      killed = true;
      synchronized (InMemoryGroup.this) {
        waiting.clear();
        nodes.remove(name, this);
        if (name.equals(leader)) {
          leader = null;
          term++;
        }
        InMemoryGroup.this.notifyAll();
      }
      join();
    }

    private void join() {
      boolean interrupted = false;
      while (thread != null && thread.isAlive() && thread != Thread.currentThread()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    /** Has a thread apply what comes. */
    @Override
    public void start() throws IOException {
      load();
      thread = new Thread(this::applyAll, "apply-" + name);
      thread.setDaemon(true);
      thread.start();
    }

    private void applyAll() {
      try {
        while (!killed) {
          if (run(Integer.MAX_VALUE) == 0) {
            synchronized (InMemoryGroup.this) {
              boolean isIdle = applied == log.size() && startsLeadingBehind != applied;
              if (!killed && isIdle && stopsLeadingIn == 0) {
                InMemoryGroup.this.wait();
              }
            }
          }
        }
      } catch (IOException e) {
        error = e.getMessage();
        member.failed(error);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void propose(long inTerm, ByteBuffer entry, Proposal proposal) {
      String refusal = null;
      boolean isUnknown = false;
      synchronized (InMemoryGroup.this) {
        if (killed || inTerm != term || !name.equals(leader)) {
          refusal = "not leading in term " + inTerm;
        } else if (random.nextDouble() < refused) {
          refusal = "busy";
        } else {
          isUnknown = random.nextDouble() < unknown;
          if (!isUnknown || random.nextBoolean()) {
            long index = append(entry);
            if (!isUnknown) {
              waiting.add(new Waiting(index, proposal));
            }
          }
        }
      }
      if (refusal != null) {
        proposal.refused(refusal);
      } else if (isUnknown) {
        proposal.unknown("drawn");
      }
    }

    @Override
    public GroupStatus status() {
      synchronized (InMemoryGroup.this) {
        GroupStatus.Role role =
            error != null
                ? GroupStatus.Role.FAILED
                : name.equals(leader) ? GroupStatus.Role.LEADER : GroupStatus.Role.FOLLOWER;
        return new GroupStatus(
            role,
            term,
            leader,
            1,
            log.size(),
            log.size(),
            applied,
            snapshotIndex,
            0,
            error,
            List.of());
      }
    }

    /** A snapshot that was noted and is still to be written. */
    public final class Making {
      private final long index;
      private final GroupMember.Snapshot snapshot;

      private Making(long index, GroupMember.Snapshot snapshot) {
        this.index = index;
        this.snapshot = snapshot;
      }

      /** Writes it, and makes it the one that the next start begins with. */
      public long finish() throws IOException {
        Path dir = write();
        Path to = snapshots.resolve(SNAPSHOT + index);
        if (!Files.exists(to)) {
          disk.move(dir, to);
          disk.forceDirectory(snapshots);
        }
        snapshotIndex = index;
        removeOlder(index);
        return index;
      }

      /** Writes it, and no more: the process ends, say. */
      public Path write() throws IOException {
        DurableFiles.createDirectory(disk, snapshots);
        Path dir = snapshots.resolve(TEMPORARY);
        DurableFiles.deleteTree(disk, dir);
        disk.createDirectory(dir);
        snapshot.writeTo(dir);
        return dir;
      }
    }

    /** Notes the state; on the apply thread. */
    public Making beginSnapshot() throws IOException {
      return new Making(applied, member.snapshot(applied, term));
    }

    private void removeOlder(long than) throws IOException {
      List<Path> older = new ArrayList<>();
      try (DirectoryStream<Path> all = Files.newDirectoryStream(snapshots, SNAPSHOT + "*")) {
        for (Path each : all) {
          if (indexOf(each) < than) {
            older.add(each);
          }
        }
      }
      for (Path each : older) {
        DurableFiles.deleteTree(disk, each);
      }
    }

    /**
     * Takes over another node's snapshot: its files are copied, as over a network.
     *
     * @return false when it has none that is newer
     */
    public boolean installFrom(Node other) throws IOException {
      Path theirs = other.newestSnapshot();
      if (theirs == null || indexOf(theirs) <= applied) {
        return false;
      }
      DurableFiles.createDirectory(disk, snapshots);
      Path dir = snapshots.resolve(TEMPORARY);
      DurableFiles.deleteTree(disk, dir);
      disk.createDirectory(dir);
      try (DirectoryStream<Path> files = Files.newDirectoryStream(theirs)) {
        for (Path file : files) {
          Path copy = dir.resolve(file.getFileName().toString());
          Files.copy(file, copy);
          disk.force(copy, true);
        }
      }
      disk.forceDirectory(dir);
      Path to = snapshots.resolve(theirs.getFileName().toString());
      disk.move(dir, to);
      disk.forceDirectory(snapshots);
      removeOlder(indexOf(to));
      load();
      return true;
    }

    @Override
    public CompletableFuture<Long> snapshot() {
      try {
        return CompletableFuture.completedFuture(beginSnapshot().finish());
      } catch (IOException e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    @Override
    public CompletableFuture<Void> handOver(String node) {
      lead(node);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> changeMembers(List<GroupPeer> voters, List<GroupPeer> learners) {
      return CompletableFuture.failedFuture(new UnsupportedOperationException("members are fixed"));
    }

    @Override
    public void forceAlone() throws IOException {
      throw new IOException("members are fixed");
    }

    @Override
    public void stop() {
      kill();
    }
  }

  /** How far each member has come, for messages to people. */
  @Override
  public synchronized String toString() {
    Map<String, Long> at = new HashMap<>();
    nodes.forEach((name, node) -> at.put(name, node.applied));
    return "term " + term + " leader " + leader + " last " + log.size() + " applied " + at;
  }
}
