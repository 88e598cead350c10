package io.holdfast.broker.cluster.peers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.peers.PeerFrame.Kind;
import io.holdfast.broker.net.HostPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Others that do not speak as nodes do: they harm nobody, and cost what is bounded. */
@Timeout(120)
final class HostilePeersTest {
  private static final int ECHO = 1;
  private static final int KEPT = 2;
  private static final List<String> NAMES = List.of("a", "b", "c");

  private final PeerNodes nodes = new PeerNodes("a", "b", "c");

  @AfterEach
  void everyBufferIsReleased() {
    nodes.close();
  }

  private Peers make(String node) {
    Peers peers = nodes.make(node);
    peers.handle(ECHO, (from, payload, reply) -> reply.send(payload.retainedDuplicate()));
    return peers;
  }

  private static PeerException failure(CompletableFuture<?> answer) {
    return (PeerException)
        assertThrows(CompletionException.class, () -> answer.orTimeout(60, TimeUnit.SECONDS).join())
            .getCause();
  }

  private static void assertAnswers(Peers from, String node) {
    ByteBuf answer = from.request(node, ECHO, Unpooled.copyInt(7), PeerNodes.LONG).join();
    assertEquals(7, answer.readInt());
    answer.release();
  }

  private static ServerSocket listener() throws Exception {
    return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  }

  @Test
  void whatIsNoHandshakeEndsItsOwnConnectionAlone() throws Exception {
    Peers a = make("a");
    Peers b = make("b");
    nodes.start();
    nodes.awaitReachable(b, "a");
    byte[] noise = new byte[4096];
    new Random(16).nextBytes(noise);
    noise[0] = 1; // A long frame.
    byte[] hello = PeerNodes.handshake("c", NAMES).toJson();
    List<byte[]> rubbish =
        List.of(
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII),
            "  V2".getBytes(US_ASCII),
            "\r\n\r\n".getBytes(US_ASCII),
            new byte[64],
            noise);
    for (byte[] bytes : rubbish) {
      try (RawPeer stranger = RawPeer.connect(a.port())) {
        stranger.write(bytes);
        stranger.awaitEnd();
      }
    }
    for (Kind kind : Kind.values()) {
      try (RawPeer stranger = RawPeer.connect(a.port())) {
        stranger.write(kind, ECHO, 1, kind == Kind.HELLO ? "[]".getBytes(US_ASCII) : hello);
        stranger.awaitEnd();
      }
    }
    try (RawPeer namesless = RawPeer.connect(a.port())) {
      namesless.write(Kind.HELLO, 0, 0, "{\"node\":\"c\",\"state\":\"member\"}".getBytes(US_ASCII));
      namesless.awaitEnd();
    }
    RawPeer.connect(a.port()).close(); // A port scanner.
    assertTrue(b.isReachable("a"));
    assertAnswers(b, "a");
  }

  @Test
  void whoSaysNothingIsClosed() throws Exception {
    nodes.times =
        new PeersConfig.Times(
            nodes.times.connect(),
            Duration.ofMillis(200),
            nodes.times.retry(),
            nodes.times.ping(),
            nodes.times.silence());
    Peers a = make("a");
    nodes.start();
    try (RawPeer halfOpen = RawPeer.connect(a.port());
        RawPeer halfSaid = RawPeer.connect(a.port())) {
      halfSaid.writeInt(100);
      halfSaid.awaitEnd();
      halfOpen.awaitEnd();
    }
  }

  @Test
  void manyWhoSayNothingLeaveRoomForNodesAgain() throws Exception {
    Peers a = make("a");
    nodes.start();
    List<RawPeer> strangers = new ArrayList<>();
    for (int i = 0; i < AcceptedConnections.MAX_STRANGERS; i++) {
      strangers.add(RawPeer.connect(a.port()));
    }
    RawPeer.connect(a.port()).awaitEnd();
    for (RawPeer stranger : strangers) {
      stranger.close();
    }
    await()
        .atMost(PeerNodes.LONG)
        .ignoreExceptions()
        .until(
            () -> {
              RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES);
              b.close();
              return true;
            });
  }

  @Test
  void framesThatAreTooLongOrUnknownCloseTheConnection() throws Exception {
    Peers a = make("a");
    nodes.start();
    try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
      b.writeInt(PeerNodes.MAX_FRAME + 1);
      b.awaitEnd();
    }
    try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
      b.writeInt(PeerFrame.HEAD_BYTES - 1);
      b.awaitEnd();
    }
    try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
      b.writeInt(-1);
      b.awaitEnd();
    }
    try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
      b.write(Kind.ONE_WAY, 200, 0, new byte[1]);
      b.awaitEnd();
    }
    for (Kind kind : List.of(Kind.NONE, Kind.HELLO, Kind.RESPONSE, Kind.ERROR)) {
      try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
        b.write(kind, ECHO, 0, PeerNodes.handshake("b", NAMES).toJson());
        b.awaitEnd();
      }
    }
  }

  @Test
  void aNodeThatIsNotOfTheConfigurationIsRefused() throws Exception {
    Peers a = make("a");
    nodes.start();
    for (String node : List.of("x", "a")) {
      try (RawPeer peer = RawPeer.connect(a.port())) {
        peer.write(Kind.HELLO, 0, 0, PeerNodes.handshake(node, NAMES).toJson());
        RawPeer.Read answer = peer.read();
        assertEquals(Kind.REFUSED, answer.kind());
        assertEquals(
            node + " is none of the other nodes: a, b, c",
            Handshake.Refused.parse(answer.payload()).reason());
        peer.awaitEnd();
      }
    }
  }

  @Test
  void whatWaitsForANodeThatDoesNotReadIsBounded() throws Exception {
    Peers a = make("a");
    nodes.start();
    try (ServerSocket listener = listener()) {
      a.moved("b", new HostPort("127.0.0.1", listener.getLocalPort()));
      List<CompletableFuture<ByteBuf>> answers = new ArrayList<>();
      AtomicInteger told = new AtomicInteger();
      try (RawPeer b = RawPeer.acceptAs(listener, "b", NAMES)) {
        nodes.awaitReachable(a, "b");
        CompletableFuture<ByteBuf> last;
        do {
          last = a.request("b", ECHO, Unpooled.buffer().writeZero(1 << 20), PeerNodes.LONG);
          last.whenComplete((answer, failed) -> told.incrementAndGet());
          answers.add(last);
          assertTrue(a.queuedBytes("b") <= PeerNodes.MAX_QUEUED, () -> "" + a.queuedBytes("b"));
        } while (!last.isDone());
        PeerException full = failure(last);
        assertEquals(PeerException.Kind.UNREACHABLE, full.kind());
        assertTrue(full.getMessage().startsWith("b is too slow: "), full.getMessage());
        assertTrue(answers.size() >= 8, () -> "" + answers.size());
        assertTrue(a.isReachable("b"));
        listener.close();
      }
      answers.remove(answers.size() - 1);
      for (CompletableFuture<ByteBuf> answer : answers) {
        assertEquals(PeerException.Kind.LOST, failure(answer).kind());
      }
      await().atMost(PeerNodes.LONG).until(() -> a.queuedBytes("b") == 0);
      assertEquals(answers.size() + 1, told.get());
    }
  }

  @Test
  void aNodeThatIsSilentIsNotReachableAnyMore() throws Exception {
    nodes.times =
        new PeersConfig.Times(
            nodes.times.connect(),
            nodes.times.handshake(),
            nodes.times.retry(),
            Duration.ofMillis(50),
            Duration.ofMillis(500));
    Peers a = make("a");
    nodes.start();
    try (ServerSocket listener = listener()) {
      a.moved("b", new HostPort("127.0.0.1", listener.getLocalPort()));
      try (RawPeer b = RawPeer.acceptAs(listener, "b", NAMES)) {
        b.awaitEnd();
        await().atMost(PeerNodes.LONG).until(() -> !a.isReachable("b"));
        assertTrue(a.lastContactMs("b") >= 400, () -> "" + a.lastContactMs("b"));
        assertEquals(-1, a.lastContactMs("c"));
      }
    }
  }

  /** Also one that goes on asking without taking the answers. */
  @Test
  void whoDoesNotReadItsAnswersGetsNoMoreOfThemAndIsClosed() throws Exception {
    nodes.times =
        new PeersConfig.Times(
            nodes.times.connect(),
            nodes.times.handshake(),
            nodes.times.retry(),
            Duration.ofMillis(50),
            Duration.ofMillis(500));
    Peers a = make("a");
    nodes.start();
    int bytes = 1 << 20;
    int count = 64;
    try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
      Thread writer =
          new Thread(
              () -> {
                try {
                  for (int i = 0; i < count; i++) {
                    b.write(Kind.REQUEST, ECHO, i, new byte[bytes]);
                  }
                } catch (java.io.IOException closed) {
                  return;
                }
              });
      writer.start();
      long most = 0;
      while (writer.isAlive()) {
        most = Math.max(most, nodes.usedBytes());
        writer.join(5);
      }
      long seen = most;
      assertTrue(seen < 32L << 20, () -> seen + " bytes");
      b.awaitEnd();
    }
  }

  /** Requests that nobody answers do not pile up either. */
  @Test
  void requestsUnderWayAreBounded() throws Exception {
    Peers a = make("a");
    AtomicInteger kept = new AtomicInteger();
    a.handle(KEPT, (from, payload, reply) -> kept.incrementAndGet());
    nodes.start();
    int count = 2 * AcceptedConnection.MAX_UNDER_WAY;
    try (RawPeer b = RawPeer.connectAs(a.port(), "b", NAMES)) {
      Thread writer =
          new Thread(
              () -> {
                try {
                  for (int i = 0; i < count; i++) {
                    b.write(Kind.REQUEST, KEPT, i, new byte[8]);
                  }
                  b.write(Kind.PING, 0, 0, new byte[0]);
                } catch (java.io.IOException closed) {
                  return;
                }
              });
      writer.start();
      await().atMost(PeerNodes.LONG).until(() -> kept.get() >= AcceptedConnection.MAX_UNDER_WAY);
      writer.join(1_000); // It may also be held up.
      // What was read before reading stopped is handled, and no more than that.
      assertTrue(kept.get() < count, () -> kept + " of " + count);
    }
  }

  @Test
  void aNodeThatConnectsAnewTakesItsOldConnectionsPlace() throws Exception {
    Peers a = make("a");
    nodes.start();
    try (RawPeer first = RawPeer.connectAs(a.port(), "b", NAMES);
        RawPeer second = RawPeer.connectAs(a.port(), "b", NAMES)) {
      first.awaitEnd();
      second.write(Kind.REQUEST, ECHO, 5, new byte[3]);
      RawPeer.Read answer = second.read();
      while (answer.kind() == Kind.PING) {
        answer = second.read();
      }
      assertEquals(Kind.RESPONSE, answer.kind());
      assertEquals(5, answer.id());
    }
  }
}
