package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.cluster.engine.GroupFiles;
import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.broker.cluster.engine.GroupPeer;
import io.holdfast.broker.cluster.engine.JraftGroup;
import io.holdfast.broker.cluster.engine.JraftLink;
import io.holdfast.broker.cluster.lead.GroupReplica;
import io.holdfast.broker.cluster.lead.HandClock;
import io.holdfast.broker.cluster.lead.LeadContext;
import io.holdfast.broker.cluster.lead.LeaderListener;
import io.holdfast.broker.cluster.lead.LeaderPlace;
import io.holdfast.broker.cluster.lead.LeaderTopics;
import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.limits.RunningTime;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.raft.RaftLogOptions;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A node with one group, decided by JRaft with others in this JVM, that takes publishes:
 * connections on loopback, logs and journals on disk. Consumers it has none.
 */
final class ForwardNode implements Closeable {
  private static final int FILE_BYTES = 64 << 10;
  private static final int PUBLISH_TYPE = 1;

  /** Where the section of a PUBLISH begins, and behind its first length the body. */
  private static final int BODY_OFFSET = 14 + 1 + 4 * Long.BYTES + Integer.BYTES + Integer.BYTES;

  private static final PeersConfig.Times TIMES =
      new PeersConfig.Times(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(200),
          Duration.ofSeconds(20));

  final String name;
  final PublishForwarder forwarder;
  final List<String> stored = Collections.synchronizedList(new ArrayList<>());
  JraftGroup group;
  private final Path dir;
  private final Peers peers;
  private final JraftLink link;
  private final LeaderTopics leader;
  private final GroupState state;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final ExecutorService workers = Executors.newFixedThreadPool(2);

  ForwardNode(Path dir, String name, List<String> names, Transport transport) throws IOException {
    this.dir = dir;
    this.name = name;
    Files.createDirectories(dir.resolve("groups"));
    Map<String, HostPort> addresses = new TreeMap<>();
    names.forEach(other -> addresses.put(other, null));
    addresses.put(name, new HostPort("127.0.0.1", 0));
    PeersConfig config = new PeersConfig(name, addresses, 6 << 20, 8 << 20, null, TIMES);
    Handshake own =
        new Handshake(name, 0, null, 0, names, 900, 1, 1, 1, "member", true, 0, Map.of(name, 0));
    peers = new Peers(config, () -> own, other -> null, transport);
    link = new JraftLink(peers);
    HandClock clock = new HandClock();
    StorageOptions options = new StorageOptions(FILE_BYTES, FILE_BYTES, false, 0, clock::wallNs);
    state = new GroupState(new GroupPlace(0, 1, dir), options, syncThread);
    long start = StartNumber.next(Disk.LOCAL, dir, clock::wallMs);
    leader =
        new LeaderTopics(
            new LeaderPlace(0, 900, names.indexOf(name), start),
            state,
            new LeadContext(clock, options),
            workers,
            LeaderListener.NONE);
    ForwardPlace place = new ForwardPlace(name, names, start, 1);
    PeersLeaderLink leaders =
        new PeersLeaderLink(
            peers, place, List.of(LedTopics.of(() -> leader)), (section, count) -> null);
    forwarder = new PublishForwarder(place, leaders, () -> null, 16 << 20, RunningTime::nowNs);
    state.watch(forwarder.watch(0));
    peers.start();
    forwarder.start();
  }

  GroupPeer peer() {
    return new GroupPeer(name, "127.0.0.1", peers.port(), 0);
  }

  void start(List<GroupPeer> members, int electionTimeoutMs) throws IOException {
    link.know(members);
    for (GroupPeer member : members) {
      if (!member.node().equals(name)) {
        peers.moved(member.node(), new HostPort(member.host(), member.port()));
      }
    }
    GroupFiles files =
        new GroupFiles(
            dir.resolve("groups").resolve("0"),
            Disk.LOCAL,
            new RaftLogOptions(1 << 20, 256 << 10),
            LastStop.CLEAN);
    files.create();
    GroupReplica replica = new GroupReplica(0, state, leader);
    group =
        new JraftGroup(0, peer(), members, files, link, new Watched(replica), electionTimeoutMs);
    leader.of(group);
    group.start();
  }

  boolean isServing() {
    return leader.isServing();
  }

  /** It is gone for the others, and says nothing to its clients any more. */
  void kill() {
    peers.close();
    group.stop();
  }

  @Override
  public void close() {
    forwarder.close();
    if (group != null) {
      group.stop();
    }
    peers.close();
    link.close();
    state.close();
    syncThread.close();
    workers.shutdownNow();
  }

  /** Notes what is stored, and tells the forwarder who leads. */
  private final class Watched implements GroupMember {
    private final GroupReplica replica;

    Watched(GroupReplica replica) {
      this.replica = replica;
    }

    @Override
    public void apply(long index, long term, ByteBuffer entry) throws IOException {
      boolean isPublish = entry.get(entry.position() + 1) == PUBLISH_TYPE;
      ByteBuffer body = entry.duplicate();
      replica.apply(index, term, entry);
      if (isPublish && !state.wasVoid()) {
        body.position(body.position() + BODY_OFFSET);
        stored.add(StandardCharsets.US_ASCII.decode(body).toString());
      }
    }

    @Override
    public void startsLeading(long term) {
      replica.startsLeading(term);
    }

    @Override
    public void stopsLeading(long term) {
      replica.stopsLeading(term);
    }

    @Override
    public void leaderIs(String node, long term) {
      replica.leaderIs(node, term);
      forwarder.leaderIs(0, node, term);
    }

    @Override
    public Snapshot snapshot(long index, long term) throws IOException {
      return replica.snapshot(index, term);
    }

    @Override
    public void load(Path from) throws IOException {
      replica.load(from);
    }

    @Override
    public void failed(String reason) {
      replica.failed(reason);
    }
  }
}
