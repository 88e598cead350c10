package io.holdfast.broker.cluster.engine;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.ConcurrentTest;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.group.SnapshotSeal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Three members of a group in one JVM, decided by JRaft, over real connections. */
class JraftGroupTest {
  /** Where somebody has to be elected. */
  private static final int ELECTION_MS = 2000;

  @TempDir Path dir;
  private GroupNodes nodes;

  @AfterEach
  void close() {
    if (nodes != null) {
      nodes.close();
    }
  }

  private GroupNodes.Node formed(int electionTimeoutMs) throws Exception {
    nodes = new GroupNodes(dir, electionTimeoutMs, "a", "b", "c");
    return nodes.form("a", "b", "c");
  }

  /** Proposes until one of each is applied; what was. */
  private static List<String> propose(GroupNodes.Node leader, int from, int to) throws Exception {
    List<Told> told = new ArrayList<>();
    List<String> entries = new ArrayList<>();
    for (int i = from; i < to; i++) {
      entries.add("entry " + i);
      told.add(leader.propose("entry " + i));
    }
    for (Told one : told) {
      assertTrue(one.isApplied(), one.get());
    }
    return entries;
  }

  @ConcurrentTest
  void allApplyTheSameInTheSameOrder() throws Exception {
    GroupNodes.Node leader = formed(GroupNodes.STABLE_MS);
    List<String> expected = propose(leader, 0, 1000);
    assertEquals(expected, leader.member.entries());
    for (GroupNodes.Node follower : nodes.others(leader)) {
      follower.awaitSameAs(leader);
      assertEquals(List.of(), follower.member.events(), follower.name);
      assertEquals(leader.name, follower.member.leader());
      assertEquals(leader.name, follower.group.status().leader());
      assertEquals(GroupStatus.Role.FOLLOWER, follower.group.status().role());
      assertTrue(follower.propose("x").get().startsWith("refused "));
    }
    GroupStatus status = leader.group.status();
    assertEquals(List.of("starts " + status.term()), leader.member.events());
    assertEquals(leader.name, status.leader());
    assertEquals(status.last(), status.committed());
    assertNull(status.error());
    assertEquals(2, status.peers().size());
    await()
        .atMost(GroupNodes.LONG)
        .until(() -> leader.group.status().peers().stream().allMatch(peer -> peer.lag() == 0));
    String old = Told.of(leader.group, status.term() - 1, "of an old term").get();
    assertEquals("refused this node does not lead in term " + (status.term() - 1), old);
    assertTrue(leader.propose("").get().startsWith("refused an entry of 0 bytes"));
    String large = "x".repeat(GroupDirs.OPTIONS.maxEntryBytes() - GroupFiles.ENTRY_HEAD_BYTES);
    assertTrue(leader.propose(large).isApplied());
    assertTrue(leader.propose(large + "x").get().startsWith("refused an entry of "));
  }

  @ConcurrentTest
  void whatWasAppliedSurvivesTheLeader() throws Exception {
    GroupNodes.Node leader = formed(ELECTION_MS);
    List<Told> told = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      told.add(leader.propose("entry " + i));
      if (i == 300) {
        leader.cut();
      }
    }
    for (Told one : told) {
      one.get();
    }
    GroupNodes.Node next = nodes.awaitLeader(nodes.others(leader));
    List<String> there = next.member.entries();
    assertEquals(there, there.stream().distinct().collect(Collectors.toList()));
    for (int i = 0; i < told.size(); i++) {
      String what = told.get(i).get();
      boolean isThere = there.contains("entry " + i);
      assertTrue(!what.startsWith("applied") || isThere, what + ": entry " + i);
      assertTrue(!what.startsWith("refused") || !isThere, what + ": entry " + i);
    }
    // Without a majority it leads no more; it comes back as one of the others.
    await().atMost(GroupNodes.LONG).until(() -> leader.member.leads() == 0);
    leader.comeBack();
    proposeAnywhere("last");
    for (GroupNodes.Node one : nodes.all()) {
      await("the last entry at " + one.name)
          .atMost(GroupNodes.LONG)
          .until(() -> one.member.entries().contains("last"));
      assertEquals(there, one.member.entries().subList(0, there.size()), one.name);
    }
  }

  /** Proposes until it is applied, at whoever leads. */
  private void proposeAnywhere(String entry) throws Exception {
    String told = "";
    while (!told.startsWith("applied")) {
      told = nodes.awaitLeader(nodes.all()).propose(entry).get();
    }
  }

  @ConcurrentTest
  void aFollowerCatchesUpByTheLogAndBySnapshot() throws Exception {
    GroupNodes.Node leader = formed(GroupNodes.STABLE_MS);
    GroupNodes.Node behind = nodes.others(leader)[0];
    propose(leader, 0, 10);
    behind.awaitSameAs(leader);
    behind.group.stop();
    propose(leader, 10, 2000);
    behind.start(LastStop.CLEAN);
    behind.awaitSameAs(leader);
    assertEquals(0, behind.member.loads());

    behind.group.stop();
    long last = behind.group.status().last();
    propose(leader, 2000, 3000);
    long firstSnapshot = leader.group.snapshot().get(60, SECONDS);
    propose(leader, 3000, 3500);
    long before = leader.group.status().logBytes();
    assertTrue(leader.group.snapshot().get(60, SECONDS) > firstSnapshot);
    await().atMost(GroupNodes.LONG).until(() -> leader.group.status().first() == firstSnapshot + 1);
    assertTrue(firstSnapshot > last);
    await().atMost(GroupNodes.LONG).until(() -> leader.group.status().logBytes() < before);
    behind.start(LastStop.CLEAN);
    behind.awaitSameAs(leader);
    assertTrue(behind.member.loads() > 0);
    propose(leader, 3500, 3600);
    behind.awaitSameAs(leader);

    // And each starts again from its own snapshot and log.
    behind.group.stop();
    behind.start(LastStop.CLEAN);
    behind.awaitSameAs(leader);
    assertEquals(1, behind.member.loads());

    // What JRaft has written into it has no checksum of its own.
    behind.group.stop();
    Path sealed = SnapshotSeal.newest(behind.dir.resolve("snapshot")).resolve(SnapshotSeal.SEALED);
    byte[] content = Files.readAllBytes(sealed);
    content[content.length / 2] ^= 1;
    Files.write(sealed, content);
    IOException e = assertThrows(IOException.class, () -> behind.start(LastStop.CLEAN));
    assertTrue(e.getMessage().startsWith("snapshot damaged: " + sealed + ":0: "), e.getMessage());
  }

  @ConcurrentTest
  void handsOverOrGoesOn() throws Exception {
    GroupNodes.Node leader = formed(GroupNodes.STABLE_MS);
    long term = leader.group.status().term();
    propose(leader, 0, 10);
    GroupNodes.Node next = nodes.others(leader)[0];
    leader.group.handOver(next.name).get(60, SECONDS);
    assertEquals(next, nodes.awaitLeader(nodes.all()));
    await()
        .atMost(GroupNodes.LONG)
        .until(() -> leader.member.events().equals(List.of("starts " + term, "stops " + term)));
    propose(next, 10, 20);

    ExecutionException e =
        assertThrows(ExecutionException.class, () -> next.group.handOver("z").get());
    assertTrue(e.getMessage().endsWith("there is no voter z"), e.getMessage());
  }

  @ConcurrentTest
  void aHandoverThatFailsChangesNothing() throws Exception {
    GroupNodes.Node leader = formed(ELECTION_MS);
    GroupNodes.Node away = nodes.others(leader)[0];
    long term = leader.group.status().term();
    away.cut();
    Throwable failure = leader.group.handOver(away.name).handle((nothing, e) -> e).get(60, SECONDS);
    // Else a busy machine had another election.
    if (leader.group.status().term() == term) {
      assertTrue(failure.getMessage().contains("did not take over"), failure.getMessage());
      assertEquals(List.of("starts " + term), leader.member.events());
      String told = leader.propose("on").get();
      assertTrue(told.startsWith("applied ") || leader.group.status().term() != term, told);
    }
  }

  @ConcurrentTest
  void damageStopsThatMemberOnlyAndItNeverWins() throws Exception {
    GroupNodes.Node leader = formed(GroupNodes.STABLE_MS);
    propose(leader, 0, 100);
    GroupNodes.Node damaged = nodes.others(leader)[0];
    GroupNodes.Node other = nodes.others(leader)[1];
    damaged.awaitSameAs(leader);
    damaged.group.stop();
    GroupDirs.damage(damaged.dir, "entry 50");
    IOException e = assertThrows(IOException.class, () -> damaged.start(LastStop.CLEAN));
    assertTrue(e.getMessage().startsWith("log damaged: "), e.getMessage());
    propose(leader, 100, 120);
    // Two of three go on, also when they elect again.
    leader.group.handOver(other.name).get(60, SECONDS);
    assertEquals(other, nodes.awaitLeader(leader, other));
    propose(other, 120, 130);
    leader.awaitSameAs(other);
    assertEquals(GroupStatus.Role.STOPPED, damaged.group.status().role());

    leader.group.stop();
    Files.delete(leader.dir.resolve("vote"));
    e = assertThrows(IOException.class, () -> leader.start(LastStop.CLEAN));
    assertTrue(e.getMessage().startsWith("vote missing: "), e.getMessage());
    // Alone it decides nothing any more.
    Told told = other.propose("of nobody");
    other.group.stop();
    assertFalse(told.isApplied(), told.get());
  }

  @ConcurrentTest
  void anEntryThatCannotBeAppliedStopsThatMemberOnly() throws Exception {
    GroupNodes.Node leader = formed(GroupNodes.STABLE_MS);
    GroupNodes.Node broken = nodes.others(leader)[0];
    broken.member.refuse("entry 5");
    propose(leader, 0, 10);
    await()
        .atMost(GroupNodes.LONG)
        .until(() -> broken.group.status().role() == GroupStatus.Role.FAILED);
    assertEquals("cannot do entry 5", broken.group.status().error());
    await()
        .atMost(GroupNodes.LONG)
        .until(() -> broken.member.events().contains("failed cannot do entry 5"));
    propose(leader, 10, 20);
    // Made again of the same files, it goes on where it was.
    broken.group.stop();
    broken.start(LastStop.CLEAN);
    broken.awaitSameAs(leader);
  }

  @ConcurrentTest
  void aLeaderWhoseDiskRefusesGivesUpAndAnotherLeads() throws Exception {
    AtomicBoolean isBroken = new AtomicBoolean();
    nodes = new GroupNodes(dir, GroupNodes.STABLE_MS, "a", "b", "c");
    for (GroupNodes.Node node : nodes.all()) {
      node.disk = brokenWhen(isBroken, node.name);
    }
    GroupNodes.Node leader = nodes.form("a", "b", "c");
    broken = leader.name;
    List<String> expected = new ArrayList<>(propose(leader, 0, 10));
    isBroken.set(true);
    Told told = leader.propose("lost or not");
    GroupNodes.Node next = nodes.awaitLeader(nodes.others(leader));
    String what = told.get();
    await()
        .atMost(GroupNodes.LONG)
        .until(() -> leader.group.status().role() == GroupStatus.Role.FAILED);
    assertTrue(leader.group.status().error().endsWith("broken"), leader.group.status().error());
    assertEquals(0, leader.member.leads());
    assertTrue(leader.propose("x").get().startsWith("refused "));
    propose(next, 10, 20);
    assertEquals(expected, next.member.entries().subList(0, 10));
    assertTrue(!what.startsWith("applied") || next.member.entries().contains("lost or not"), what);
  }

  private volatile String broken = "";

  private Disk brokenWhen(AtomicBoolean isBroken, String name) {
    return new Disk() {
      @Override
      public void force(Path file, boolean withSize) throws IOException {
        if (isBroken.get() && broken.equals(name)) {
          throw new IOException("the disk is broken");
        }
        super.force(file, withSize);
      }
    };
  }

  @ConcurrentTest
  void membersComeAndGo() throws Exception {
    nodes = new GroupNodes(dir, GroupNodes.STABLE_MS, "a", "b", "c", "d");
    GroupNodes.Node a = nodes.form("a", "b", "c");
    GroupNodes.Node b = nodes.node("b");
    GroupNodes.Node c = nodes.node("c");
    GroupNodes.Node d = nodes.node("d");
    propose(a, 0, 500);
    c.group.stop();
    // It is another one than any that was at this place before.
    d.incarnation = 1;
    d.create();
    d.start(LastStop.CLEAN, List.of());
    a.group
        .changeMembers(List.of(a.peer(), b.peer(), c.peer()), List.of(d.peer()))
        .get(60, SECONDS);
    d.awaitSameAs(a);
    await()
        .atMost(GroupNodes.LONG)
        .until(() -> d.group.status().role() == GroupStatus.Role.LEARNER);
    a.group.changeMembers(List.of(a.peer(), b.peer(), d.peer()), List.of()).get(60, SECONDS);
    await()
        .atMost(GroupNodes.LONG)
        .until(
            () ->
                a.group.status().peers().stream()
                    .anyMatch(
                        peer ->
                            peer.node().equals("d") && peer.voter() && peer.incarnation() == 1));
    // The engine's own entries are behind all others: nobody is behind because of them.
    for (GroupNodes.Node node : List.of(a, b, d)) {
      await()
          .atMost(GroupNodes.LONG)
          .until(
              () ->
                  node.group.status().applied() == a.group.status().last()
                      && node.group.status().committed() == a.group.status().last());
    }
    b.group.stop();
    propose(a, 500, 510);
    d.awaitSameAs(a);
  }

  @ConcurrentTest
  void theLastOneIsForcedToBeAlone() throws Exception {
    GroupNodes.Node leader = formed(ELECTION_MS);
    GroupNodes.Node survivor = nodes.others(leader)[0];
    GroupNodes.Node other = nodes.others(leader)[1];
    proposeAnywhere("before");
    await().atMost(GroupNodes.LONG).until(() -> survivor.member.entries().contains("before"));
    leader.group.stop();
    other.group.stop();
    // It may have been elected by one that is gone since: then it is refused until that is over.
    await()
        .atMost(GroupNodes.LONG)
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(
            () -> {
              survivor.group.forceAlone();
              return true;
            });
    assertEquals(survivor, nodes.awaitLeader(survivor));
    assertTrue(survivor.propose("alone").isApplied());
    survivor.group.stop();
    // It stays what it is.
    survivor.start(LastStop.CLEAN);
    assertEquals(survivor, nodes.awaitLeader(survivor));
    assertTrue(survivor.propose("again").isApplied());
    assertEquals(List.of("before", "alone", "again"), survivor.member.entries());
  }
}
