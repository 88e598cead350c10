package io.holdfast.broker.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.engine.GroupMember;
import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.storage.files.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The group that tests take for a cluster keeps its word. */
class InMemoryGroupTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path dir;

  /** Remembers what it was told. */
  private static final class Remembering implements GroupMember {
    private final List<String> applied = Collections.synchronizedList(new ArrayList<>());
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void apply(long index, long term, ByteBuffer entry) {
      applied.add(StandardCharsets.UTF_8.decode(entry).toString());
    }

    @Override
    public void startsLeading(long term) {
      told.add("starts " + term + " behind " + applied.size());
    }

    @Override
    public void stopsLeading(long term) {
      told.add("stops " + term);
    }

    @Override
    public void leaderIs(String node, long term) {
      // Nobody asks.
    }

    @Override
    public Snapshot snapshot(long index, long term) {
      List<String> noted = List.copyOf(applied);
      return to -> {
        Files.write(to.resolve("all"), noted);
        return List.of("all");
      };
    }

    @Override
    public void load(Path from) throws IOException {
      applied.clear();
      applied.addAll(Files.readAllLines(from.resolve("all")));
    }

    @Override
    public void failed(String reason) {
      told.add("failed " + reason);
    }
  }

  private static ByteBuffer entry(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private static final class Outcome implements Proposal {
    private final String text;
    private final Set<String> ok;
    private final Set<String> refused;
    private final Set<String> unknown;

    Outcome(String text, Set<String> ok, Set<String> refused, Set<String> unknown) {
      this.text = text;
      this.ok = ok;
      this.refused = refused;
      this.unknown = unknown;
    }

    @Override
    public void applied(long index) {
      assertTrue(ok.add(text));
    }

    @Override
    public void refused(String reason) {
      assertTrue(refused.add(text));
    }

    @Override
    public void unknown(String reason) {
      assertTrue(unknown.add(text));
    }
  }

  @Test
  void membersApplyTheSameAndEachProposalIsToldOnce() throws Exception {
    InMemoryGroup group = new InMemoryGroup(7);
    List<Remembering> members = new ArrayList<>();
    List<InMemoryGroup.Node> nodes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      members.add(new Remembering());
      nodes.add(group.join("n" + i, members.get(i), dir.resolve("s" + i), Disk.LOCAL));
      nodes.get(i).start();
    }
    final Set<String> ok = ConcurrentHashMap.newKeySet();
    final Set<String> refused = ConcurrentHashMap.newKeySet();
    final Set<String> unknown = ConcurrentHashMap.newKeySet();
    group.disturb(0.1, 0.1);
    for (int n = 0; n < 300; n++) {
      if (n % 100 == 0) {
        Remembering leader = members.get(n / 100);
        group.lead("n" + n / 100);
        await().atMost(LONG).until(() -> !leader.told.isEmpty());
      }
      String text = "entry " + n;
      nodes
          .get(n / 100)
          .propose(group.term(), entry(text), new Outcome(text, ok, refused, unknown));
    }
    nodes.get(0).propose(group.term(), entry("x"), new Outcome("x", ok, refused, unknown));
    await()
        .atMost(LONG)
        .until(() -> members.stream().allMatch(m -> m.applied.size() == group.last()));
    await().atMost(LONG).until(() -> ok.size() + refused.size() + unknown.size() == 301);
    assertTrue(refused.contains("x"));
    assertEquals(members.get(0).applied, members.get(1).applied);
    assertEquals(members.get(0).applied, members.get(2).applied);
    Set<String> there = Set.copyOf(members.get(0).applied);
    assertTrue(there.containsAll(ok));
    assertTrue(refused.stream().noneMatch(there::contains));
    assertFalse(unknown.isEmpty());
    await().atMost(LONG).until(() -> members.get(0).told.contains("stops 1"));
    assertTrue(members.get(2).told.get(0).startsWith("starts 3 behind"));

    nodes.get(1).snapshot().get();
    nodes.get(1).kill();
    group.append(entry("later"));
    Remembering again = new Remembering();
    InMemoryGroup.Node back = group.join("n1", again, dir.resolve("s1"), Disk.LOCAL);
    back.start();
    await().atMost(LONG).until(() -> again.applied.size() == group.last());
    await().atMost(LONG).until(() -> members.get(0).applied.size() == group.last());
    assertEquals(members.get(0).applied, again.applied);
    nodes.get(0).stop();
    nodes.get(2).stop();
    back.stop();
  }
}
