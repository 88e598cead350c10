package io.holdfast.broker.cluster.state;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.cluster.InMemoryGroup;
import io.holdfast.broker.cluster.LossyDisk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Three members of a group, from one seed: entries are applied at each in its own time, while they
 * are killed, lose power, make snapshots and install each other's. Whenever one has caught up it is
 * compared with the model.
 */
final class GroupSimulation implements AutoCloseable {
  private static final int MEMBERS = 3;

  private final Path home;
  private final Random random;
  private final GroupModel model = new GroupModel();
  private final GroupTraffic traffic;
  private final InMemoryGroup group;
  private final List<Member> members = new ArrayList<>();
  private final StringBuilder story = new StringBuilder();
  private final Map<String, Integer> counts;
  private int homes;

  /**
   * @param counts what happened how often; added to
   */
  GroupSimulation(Path home, long seed, Map<String, Integer> counts) throws IOException {
    this.home = home;
    this.counts = counts;
    random = new Random(seed);
    traffic = new GroupTraffic(random, model);
    group = new InMemoryGroup(seed);
    for (int i = 0; i < MEMBERS; i++) {
      members.add(new Member("m" + i));
    }
  }

  /** One node: its directory, and whatever process runs there now. */
  private final class Member {
    private final String name;
    private Path root;
    private Path removed;
    private LossyDisk disk;
    private GroupState state;
    private InMemoryGroup.Node node;

    /** Noted, and not written yet. */
    private InMemoryGroup.Node.Making making;

    Member(String name) throws IOException {
      this.name = name;
      root = Files.createDirectory(home.resolve(name + "-" + homes++));
      begin();
    }

    private void begin() throws IOException {
      removed = home.resolve("removed-" + homes++);
      disk = new LossyDisk(root, removed);
      SyncThread sync = SyncThread.stepped(disk);
      // Small files: they roll, and go.
      StorageOptions options =
          new StorageOptions(
              40 << 10,
              64 << 10,
              false,
              0,
              () -> {
                throw new AssertionError("no clock decides anything here");
              });
      state = new GroupState(new GroupPlace(0, 1, root), options, sync);
      node = group.join(name, new StateMember(state), root.resolve("groups/0/snapshot"), disk);
      making = null;
      state.observer(
          new GroupObserver() {
            @Override
            public void filesRemoved(ReplicatedTopic topic) {
              counts.merge("files removed", 1, Integer::sum);
            }
          });
      node.load();
    }

    void kill() throws IOException {
      node.kill();
      // What it has open is gone with it; what it wrote is there.
      state.close();
      begin();
    }

    void cutPower() throws IOException {
      node.kill();
      Path image = home.resolve(name + "-" + homes++);
      disk.cut(root, image, random.nextLong());
      state.close();
      DurableFiles.deleteTree(root);
      DurableFiles.deleteTree(removed);
      root = image;
      begin();
    }

    void compare() throws IOException {
      node.run(Integer.MAX_VALUE);
      assertEquals(group.last(), node.applied());
      model.compare(state);
      counts.merge("copies alone", model.copiesAlone, Integer::sum);
      model.copiesAlone = 0;
    }
  }

  void run(int steps) throws IOException {
    for (int step = 0; step < steps; step++) {
      step();
    }
    counts.merge("entries", (int) group.last(), Integer::sum);
    for (Member member : members) {
      member.compare();
      assertEquals(members.get(0).state.crc(), member.state.crc());
    }
  }

  private void step() throws IOException {
    Member member = members.get(random.nextInt(MEMBERS));
    int kind = random.nextInt(100);
    if (kind < 50) {
      for (int n = random.nextInt(12); n >= 0; n--) {
        if (group.append(traffic.next()) % GroupState.SETTLE_EVERY == 0) {
          model.settle();
        }
      }
    } else if (kind < 67) {
      member.node.run(random.nextInt(60));
    } else if (kind < 73) {
      told(member, "notes");
      member.making = member.node.beginSnapshot();
    } else if (kind < 81) {
      finishSnapshot(member);
    } else if (kind < 84) {
      told(member, "killed");
      member.kill();
      member.compare();
    } else if (kind < 87) {
      told(member, "loses power");
      member.cutPower();
      member.compare();
    } else if (kind < 97) {
      install(member);
    } else {
      member.state.closeIdle();
    }
  }

  private void install(Member member) throws IOException {
    for (Member other : members) {
      if (other != member && member.node.installFrom(other.node)) {
        told(member, "installs of " + other.name);
        // What was noted before would be of another life.
        member.making = null;
        member.compare();
        return;
      }
    }
  }

  private void finishSnapshot(Member member) throws IOException {
    if (member.making == null || member.node.applied() < 1) {
      return;
    }
    if (random.nextInt(5) == 0) {
      told(member, "writes, but does not finish");
      member.making.write();
    } else {
      told(member, "finishes " + member.making.finish());
      member.state.snapshotFinished(member.node.status().snapshot());
    }
    member.making = null;
  }

  private void told(Member member, String what) {
    counts.merge(what.substring(0, (what + " ").indexOf(' ')), 1, Integer::sum);
    story.append(member.name).append('@').append(member.node.applied()).append(' ');
    story.append(what).append('\n');
  }

  /** What happened, for failures. */
  @Override
  public String toString() {
    return story + group.toString();
  }

  @Override
  public void close() {
    members.forEach(member -> member.state.close());
  }
}
