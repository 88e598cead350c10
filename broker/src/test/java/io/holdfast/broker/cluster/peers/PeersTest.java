package io.holdfast.broker.cluster.peers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.peers.PeerException.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests between nodes that speak as they should. */
@Timeout(120)
final class PeersTest {
  private static final int ECHO = 1;
  private static final int SILENT = 2;
  private static final int REVERSED = 3;
  private static final int REFUSING = 4;
  private static final int FAILING = 5;
  private static final int TOO_MUCH = 6;
  private static final int NOTED = 7;

  private final PeerNodes nodes = new PeerNodes("a", "b", "c");
  private final ConcurrentLinkedQueue<Reply> unanswered = new ConcurrentLinkedQueue<>();
  private final List<Integer> noted = Collections.synchronizedList(new ArrayList<>());

  private static final byte[] WORD = "word".getBytes(UTF_8);

  @AfterEach
  void everyBufferIsReleased() {
    nodes.close();
  }

  private Peers make(String node) {
    Peers peers = nodes.make(node);
    handlers(peers);
    return peers;
  }

  private void handlers(Peers peers) {
    peers.handle(ECHO, (from, payload, reply) -> reply.send(payload.retainedDuplicate()));
    peers.handle(SILENT, (from, payload, reply) -> unanswered.add(reply));
    peers.handle(REVERSED, (from, payload, reply) -> unanswered.add(reply));
    peers.handle(REFUSING, (from, payload, reply) -> reply.refuse("not for " + from));
    peers.handle(
        FAILING,
        (from, payload, reply) -> {
          throw new IllegalStateException("on purpose");
        });
    peers.handle(
        TOO_MUCH,
        (from, payload, reply) -> reply.send(Unpooled.buffer().writeZero(PeerNodes.MAX_FRAME)));
    peers.handle(NOTED, (from, payload, reply) -> noted.add(payload.getInt(0)));
  }

  private static byte[] bytes(ByteBuf buffer) {
    try {
      byte[] bytes = new byte[buffer.readableBytes()];
      buffer.readBytes(bytes);
      return bytes;
    } finally {
      buffer.release();
    }
  }

  private static CompletableFuture<ByteBuf> ask(Peers from, String node, int type, byte[] payload) {
    return from.request(node, type, Unpooled.copiedBuffer(payload), PeerNodes.LONG);
  }

  private static PeerException failure(CompletableFuture<?> answer) {
    return (PeerException)
        assertThrows(
                CompletionException.class,
                () -> answer.orTimeout(60, TimeUnit.SECONDS).join(),
                "an answer")
            .getCause();
  }

  @Test
  void threeNodesAskEachOther() throws Exception {
    List<Peers> all = List.of(make("a"), make("b"), make("c"));
    nodes.start();
    for (Peers from : all) {
      for (String to : from.others()) {
        nodes.awaitReachable(from, to);
        String word = "to " + to;
        assertEquals(
            word, new String(bytes(ask(from, to, ECHO, word.getBytes(UTF_8)).join()), UTF_8));
        assertTrue(from.lastContactMs(to) >= 0);
      }
    }
    assertEquals(List.of("b", "c"), all.get(0).others());
    assertThrows(IllegalArgumentException.class, () -> ask(all.get(0), "a", ECHO, WORD));
    assertThrows(IllegalArgumentException.class, () -> ask(all.get(0), "x", ECHO, WORD));
  }

  private static void note(Peers from, int number) {
    from.send("b", NOTED, Unpooled.buffer().writeInt(number));
  }

  @Test
  void whatAnEventLoopAsksDoesNotOvertakeWhatOthersAskedBefore() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    CompletableFuture<Void> done =
        ask(a, "b", ECHO, WORD)
            .thenAccept(
                answer -> {
                  answer.release();
                  for (int i = 0; i < 20; i += 2) {
                    int number = i;
                    CompletableFuture.runAsync(() -> note(a, number)).join();
                    note(a, number + 1);
                  }
                });
    done.get(60, TimeUnit.SECONDS);
    await().atMost(PeerNodes.LONG).until(() -> noted.size() == 20);
    assertEquals(IntStream.range(0, 20).boxed().toList(), noted);
  }

  @Test
  void requestsOfOneThreadAreHandledInTheirOrder() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    int count = 4_000;
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ByteBuf payload = Unpooled.buffer(4).writeInt(i);
      if (i % 2 == 0) {
        all.add(a.send("b", NOTED, payload));
      } else {
        // NOTED answers nothing: the request is left behind, its place in the order is not.
        a.request("b", NOTED, payload, PeerNodes.LONG);
      }
      if (i % 1_000 == 999) {
        ask(a, "b", ECHO, WORD).thenAccept(ByteBuf::release).join();
      }
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    await().atMost(PeerNodes.LONG).until(() -> noted.size() == count);
    for (int i = 0; i < count; i++) {
      assertEquals(i, noted.get(i));
    }
  }

  @Test
  void largeFramesPass() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    byte[] large = new byte[5 << 20];
    new Random(1).nextBytes(large);
    for (int i = 0; i < 3; i++) {
      assertTrue(Arrays.equals(large, bytes(ask(a, "b", ECHO, large).join())));
    }
    assertEquals(0, bytes(ask(a, "b", ECHO, new byte[0]).join()).length);
  }

  @Test
  void eachOfManyOutstandingRequestsGetsItsOwnAnswer() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    int count = 2_000;
    List<CompletableFuture<ByteBuf>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      answers.add(ask(a, "b", REVERSED, WORD));
    }
    await().atMost(PeerNodes.LONG).until(() -> unanswered.size() == count);
    List<Reply> replies = new ArrayList<>(unanswered);
    for (int i = count - 1; i >= 0; i--) {
      replies.get(i).send(Unpooled.buffer(4).writeInt(i));
      replies.get(i).refuse("a second answer is dropped");
    }
    for (int i = 0; i < count; i++) {
      ByteBuf answer = answers.get(i).join();
      assertEquals(i, answer.readInt());
      answer.release();
    }
  }

  @Test
  void whatIsNotAnsweredTimesOutAndAnAnswerTooLateIsDropped() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    PeerException late =
        failure(a.request("b", SILENT, Unpooled.copiedBuffer(WORD), Duration.ofMillis(50)));
    assertEquals(Kind.TIMEOUT, late.kind());
    assertEquals("no answer from b in time", late.getMessage());
    await().atMost(PeerNodes.LONG).until(() -> !unanswered.isEmpty());
    unanswered.remove().send(Unpooled.copiedBuffer(WORD));
    assertEquals(4, bytes(ask(a, "b", ECHO, WORD).join()).length);
  }

  @Test
  void refusalsAndFailuresSayWhy() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    PeerException refused = failure(ask(a, "b", REFUSING, WORD));
    assertEquals(Kind.REFUSED, refused.kind());
    assertEquals("not for a", refused.getMessage());
    PeerException failed = failure(ask(a, "b", FAILING, WORD));
    assertEquals(Kind.REFUSED, failed.kind());
    assertTrue(failed.getMessage().startsWith("internal error"), failed.getMessage());
    PeerException tooLong = failure(ask(a, "b", ECHO, new byte[PeerNodes.MAX_FRAME]));
    assertEquals(Kind.REFUSED, tooLong.kind());
    assertEquals("a request of 6291462 bytes to b, at most 6291456", tooLong.getMessage());
    PeerException muchToSay = failure(ask(a, "b", TOO_MUCH, WORD));
    assertEquals(Kind.REFUSED, muchToSay.kind());
    assertTrue(muchToSay.getMessage().startsWith("the answer has"), muchToSay.getMessage());
    assertEquals(4, bytes(ask(a, "b", ECHO, WORD).join()).length);
  }

  @Test
  void aTypeNobodyHandlesClosesTheConnection() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    assertEquals(Kind.LOST, failure(ask(a, "b", 99, WORD)).kind());
    nodes.awaitReachable(a, "b");
    assertEquals(4, bytes(ask(a, "b", ECHO, WORD).join()).length);
    assertThrows(IllegalStateException.class, () -> a.handle(9, (from, payload, reply) -> {}));
  }

  @Test
  void theDeathOfANodeIsToldToEachRequestOnce() throws Exception {
    Peers a = make("a");
    make("b");
    List<String> changes = Collections.synchronizedList(new ArrayList<>());
    a.listen(
        new PeersListener() {
          @Override
          public void reachable(String node, boolean isReachable) {
            changes.add(node + isReachable);
          }
        });
    nodes.start();
    nodes.awaitReachable(a, "b");
    int count = 1_000;
    AtomicInteger told = new AtomicInteger();
    List<CompletableFuture<ByteBuf>> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CompletableFuture<ByteBuf> answer = ask(a, "b", SILENT, WORD);
      answer.whenComplete((buffer, failed) -> told.incrementAndGet());
      answers.add(answer);
    }
    await().atMost(PeerNodes.LONG).until(() -> unanswered.size() == count);
    nodes.stop("b");
    for (CompletableFuture<ByteBuf> answer : answers) {
      assertEquals(Kind.LOST, failure(answer).kind());
    }
    unanswered.forEach(reply -> reply.send(Unpooled.copiedBuffer(WORD)));
    await().atMost(PeerNodes.LONG).until(() -> !a.isReachable("b"));
    PeerException away = failure(ask(a, "b", ECHO, WORD));
    assertEquals(Kind.UNREACHABLE, away.kind());
    assertEquals("b is not reachable", away.getMessage());
    assertEquals(0, a.queuedBytes("b"));

    make("b");
    nodes.startOne("b");
    nodes.awaitReachable(a, "b");
    assertEquals(4, bytes(ask(a, "b", ECHO, WORD).join()).length);
    assertEquals(count, told.get());
    await().atMost(PeerNodes.LONG).until(() -> changes.size() == 3);
    assertEquals(List.of("btrue", "bfalse", "btrue"), changes);
  }

  @Test
  void theEndIsToldToWhatIsUnderWay() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    CompletableFuture<ByteBuf> answer = ask(a, "b", SILENT, WORD);
    await().atMost(PeerNodes.LONG).until(() -> unanswered.size() == 1);
    a.close();
    assertEquals(Kind.LOST, failure(answer).kind());
    assertEquals(Kind.UNREACHABLE, failure(ask(a, "b", ECHO, WORD)).kind());
    assertFalse(a.isReachable("b"));
  }

  @Test
  void aHandlerThatAnswersLaterHoldsNobodyUp() throws Exception {
    Peers a = make("a");
    make("b");
    nodes.start();
    nodes.awaitReachable(a, "b");
    CompletableFuture<ByteBuf> slow = ask(a, "b", SILENT, WORD);
    assertEquals(4, bytes(ask(a, "b", ECHO, WORD).join()).length);
    CountDownLatch answered = new CountDownLatch(1);
    slow.thenAccept(
        buffer -> {
          buffer.release();
          answered.countDown();
        });
    await().atMost(PeerNodes.LONG).until(() -> !unanswered.isEmpty());
    unanswered.remove().send(Unpooled.EMPTY_BUFFER);
    assertTrue(answered.await(60, TimeUnit.SECONDS));
  }
}
