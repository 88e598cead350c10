package io.holdfast.broker.cluster.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.forward.FakeCluster.Node;
import io.holdfast.broker.cluster.state.Origin;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What clients are told, case by case; the texts are those that clients know. */
class PublishForwarderTest {
  private static final String NO_LEADER = "refused: no leader for topic t";
  private static final String UNKNOWN = "unknown: leader of topic t lost, outcome unknown";
  private static final int A = 0;
  private static final int B = 1;
  private static final int C = 2;
  private static final int TO_A = 3 * B + A;

  private final FakeCluster cluster = new FakeCluster(1);
  private final Node a = cluster.nodes.get(A);
  private final Node b = cluster.nodes.get(B);

  private static ByteBuffer section(String body) {
    byte[] bytes = body.getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes).flip();
  }

  private static Told publish(Node node, String body) {
    Told told = new Told();
    node.forwarder.publish("t", section(body), 1, 0, told);
    return told;
  }

  /** A leads, all know it, and the topic is there. */
  private void lead() {
    cluster.elect(A);
    cluster.nodes.forEach(cluster::tellLeader);
    Told told = publish(b, "first");
    for (int i = 0; i < 5; i++) {
      cluster.settle();
    }
    assertEquals("OK", told.now());
  }

  private List<String> stored() {
    return cluster.log.stream()
        .filter(FakeCluster.Entry::isPublish)
        .map(FakeCluster.Entry::body)
        .toList();
  }

  @Test
  void shouldStorePublishesOfAllNodesInOrder() {
    lead();
    Told one = publish(b, "one");
    Told two = publish(b, "two");
    Told own = publish(a, "own");
    cluster.settle();
    assertEquals(List.of("OK", "OK", "OK"), List.of(one.now(), two.now(), own.now()));
    List<String> stored = stored();
    assertTrue(stored.indexOf("one") < stored.indexOf("two"), stored.toString());
    assertEquals(4, stored.size());
  }

  @Test
  void shouldSayNoLeaderAfterFiveSeconds() {
    Told told = publish(b, "lost");
    cluster.pass(4_900);
    assertNull(told.now());
    cluster.pass(200);
    assertEquals(NO_LEADER, told.now());
    lead();
    assertEquals(List.of("first"), stored());
  }

  @Test
  void shouldWaitForATopicThatNobodyKnowsToBeMade() {
    cluster.elect(A);
    cluster.nodes.forEach(cluster::tellLeader);
    while (a.apply()) {
      // It serves then.
    }
    a.apply();
    Told told = publish(b, "patient");
    cluster.deliver(TO_A);
    assertEquals(1, a.waiting.size());
    // It steps down, and has not heard of that.
    a.waiting.remove(0).unknown().run();
    assertNull(told.now());
    for (int i = 0; i < 5; i++) {
      cluster.settle();
      cluster.pass(50);
    }
    assertEquals("OK", told.now());
  }

  @Test
  void shouldWaitForALeader() {
    Told told = publish(b, "patient");
    cluster.pass(4_000);
    lead();
    assertEquals("OK", told.now());
    assertEquals(List.of("patient", "first"), stored());
  }

  @Test
  void shouldSayUnknownWhenItCannotFindOut() {
    lead();
    Told told = publish(b, "proposed");
    cluster.deliver(TO_A);
    cluster.elect(-1);
    cluster.tellLeader(b);
    cluster.pass(4_900);
    assertNull(told.now());
    cluster.pass(200);
    assertEquals(UNKNOWN, told.now());
  }

  @Test
  void shouldSendAgainWhatALaterTermShowsNeverHappened() {
    lead();
    Told told = publish(b, "gone with a");
    Told behind = publish(b, "behind");
    cluster.deliver(TO_A);
    // What a has not committed is gone, and b hears of the next leader before its entry.
    a.waiting.clear();
    cluster.elect(C);
    cluster.tellLeader(b);
    cluster.pass(1_000);
    assertNull(told.now());
    for (int i = 0; i < 5; i++) {
      cluster.settle();
    }
    assertEquals("OK", told.now());
    assertEquals("OK", behind.now());
    assertEquals(List.of("first", "gone with a", "behind"), stored());
  }

  @Test
  void shouldTakeForDoneWhatItSeesApplied() {
    lead();
    Told told = publish(b, "seen");
    cluster.deliver(TO_A);
    cluster.commit(1);
    while (b.apply()) {
      // until the end; a's answer never comes
    }
    assertEquals("OK", told.now());
  }

  @Test
  void shouldNotProposeADelayedForwardInAnotherTerm() {
    lead();
    Told told = publish(b, "delayed");
    cluster.elect(C);
    cluster.elect(A);
    while (a.apply()) {
      // a leads again, and serves
    }
    // Sent in the first term.
    cluster.deliver(TO_A);
    assertEquals(0, a.waiting.size());
    cluster.tellLeader(b);
    for (int i = 0; i < 5; i++) {
      cluster.settle();
    }
    assertEquals("OK", told.now());
    assertEquals(List.of("first", "delayed"), stored());
  }

  @Test
  void shouldAskALeaderThatStaysWhatItHasTaken() {
    lead();
    Told taken = publish(b, "taken");
    Told lost = publish(b, "lost");
    cluster.deliver(TO_A);
    cluster.breakConnection(B, A, false);
    assertNull(taken.now());
    for (int i = 0; i < 5; i++) {
      cluster.settle();
    }
    assertEquals("OK", taken.now());
    assertEquals("OK", lost.now());
    assertEquals(List.of("first", "taken", "lost"), stored());
  }

  @Test
  void shouldNotTakeAgainWhatComesLateAfterItWasAsked() {
    lead();
    publish(b, "one");
    ForwardRequest one = b.lastAsked;
    ForwardRequest close = ForwardRequest.close(0, one.term(), one.start(), one.stream());
    ForwardRequest late =
        new ForwardRequest(
            false,
            0,
            one.term(),
            one.start(),
            one.stream(),
            one.position() + 1,
            one.sequence() + 1,
            0,
            1,
            "t",
            section("late"));
    cluster.deliver(TO_A);
    List<ForwardAnswer> answers = new ArrayList<>();
    a.intake.handle(B, close, answers::add);
    a.intake.handle(B, late, answers::add);
    assertEquals(
        List.of(ForwardAnswer.closed(one.position() + 1), ForwardAnswer.later("")), answers);
    cluster.settle();
    assertEquals(List.of("first", "one"), stored());
  }

  @Test
  void shouldSayUnknownWhenASnapshotPassedOverIt() {
    lead();
    Told told = publish(b, "passed over");
    cluster.deliver(TO_A);
    cluster.commit(1);
    cluster.elect(C);
    cluster.breakConnection(B, A, true);
    b.install(cluster.log.size());
    assertEquals(UNKNOWN, told.now());
    assertEquals(List.of("first", "passed over"), stored());
  }

  @Test
  void shouldWaitWhileLeadershipIsHandedOver() {
    lead();
    a.isHandingOver = true;
    Told told = publish(b, "parked");
    Told own = publish(a, "parked too");
    cluster.settle();
    cluster.pass(500);
    assertNull(told.now());
    assertNull(own.now());
    cluster.elect(C);
    cluster.nodes.forEach(cluster::tellLeader);
    for (int i = 0; i < 5; i++) {
      cluster.settle();
    }
    assertEquals("OK", told.now());
    assertEquals("OK", own.now());
    assertEquals(3, stored().size());
  }

  @Test
  void shouldTellWhatTheLeaderRefusesForGood() {
    lead();
    cluster.refusal = "disk is nearly full on a, b: 1, 2 bytes free, disk_free_limit is 3";
    Told told = publish(b, "too much");
    Told own = publish(a, "too much");
    cluster.settle();
    assertEquals("failed: " + cluster.refusal, told.now());
    assertEquals("failed: " + cluster.refusal, own.now());
    cluster.refusal = null;
    Told next = publish(b, "next");
    cluster.settle();
    assertEquals("OK", next.now());
  }

  @Test
  void shouldRefuseAtOnceWhereTheNodeIsNoMember() {
    ForwardPlace place = new ForwardPlace("b", FakeCluster.NAMES, 1, 3);
    try (PublishForwarder forwarder =
        new PublishForwarder(
            place,
            (node, request, told) -> told.accept(ForwardAnswer.lost()),
            () -> "this node is not a member of the cluster",
            1000,
            () -> 0)) {
      Told told = new Told();
      assertTrue(forwarder.publish("t", section("x"), 1, 0, told));
      assertEquals("refused: this node is not a member of the cluster", told.now());
      assertEquals(0, forwarder.bytes());
    }
  }

  @Test
  void shouldHaveCallersPauseWhenTooMuchIsUnderWay() {
    AtomicInteger goOn = new AtomicInteger();
    String large = "x".repeat(600_000);
    Told one = new Told();
    Told two = new Told();
    assertTrue(b.forwarder.publish("t", section(large), 1, 0, one));
    assertFalse(b.forwarder.publish("t", section(large), 1, 0, two));
    b.forwarder.whenRoom(goOn::incrementAndGet);
    assertEquals(0, goOn.get());
    // Who goes on is refused in the end.
    Told three = new Told();
    Told four = new Told();
    Told five = new Told();
    b.forwarder.publish("t", section(large), 1, 0, three);
    b.forwarder.publish("t", section(large), 1, 0, four);
    assertFalse(b.forwarder.publish("t", section(large), 1, 0, five));
    assertTrue(five.now().startsWith("refused: publishes of "), five.now());
    cluster.elect(A);
    cluster.nodes.forEach(cluster::tellLeader);
    for (int i = 0; i < 5; i++) {
      cluster.settle();
    }
    assertEquals(List.of("OK", "OK", "OK"), List.of(one.now(), two.now(), three.now()));
    assertEquals(1, goOn.get());
    assertEquals(0, b.forwarder.bytes());
    b.forwarder.whenRoom(goOn::incrementAndGet);
    assertEquals(2, goOn.get());
  }

  @Test
  void shouldNotTakeALeadersOwnPublishForOneOfItsClients() {
    cluster.elect(A);
    Told told = publish(b, "not stored");
    b.forwarder.watch(0).applied(new Origin(B, cluster.startOf(b), -1), true);
    b.forwarder.watch(0).applied(new Origin(B, cluster.startOf(b) - 1, 1), true);
    assertNull(told.now());
  }

  /** Nothing of a node may look at the time all the while for publishes that there are not. */
  @Test
  void shouldLookAtTheTimeOnlyWhileAnythingIsUnderWay() {
    AtomicLong nowNs = new AtomicLong();
    AtomicInteger looks = new AtomicInteger();
    ForwardPlace place = new ForwardPlace("b", FakeCluster.NAMES, 1, 1);
    LeaderLink nobody = (node, request, told) -> {};
    try (PublishForwarder forwarder =
        new PublishForwarder(
            place,
            nobody,
            () -> null,
            1 << 20,
            () -> {
              looks.incrementAndGet();
              return nowNs.get();
            })) {
      forwarder.start();
      for (int round = 0; round < 2; round++) {
        AtomicInteger before = new AtomicInteger(-1);
        Awaitility.await("no look in a while")
            .pollInterval(Duration.ofMillis(500))
            .atMost(Duration.ofSeconds(60))
            .until(() -> before.getAndSet(looks.get()) == looks.get());
        Told told = new Told();
        forwarder.publish("t", section("late"), 1, 0, told);
        nowNs.addAndGet(TimeUnit.MILLISECONDS.toNanos(GroupPublishes.MAX_WAIT_MS));
        assertEquals(NO_LEADER, told.answer.orTimeout(60, TimeUnit.SECONDS).join());
      }
    }
  }
}
