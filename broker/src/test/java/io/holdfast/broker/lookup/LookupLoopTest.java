package io.holdfast.broker.lookup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LookupLoopTest {
  private static final BrokerIdentity IDENTITY =
      new BrokerIdentity("broker.example", "host", 4151, 4150, "r", "z", "1.3.0");
  private static final String IDENTIFY =
      "IDENTIFY {\"broadcast_address\":\"broker.example\",\"hostname\":\"host\",\"http_port\":4151,"
          + "\"tcp_port\":4150,\"topology_region\":\"r\",\"topology_zone\":\"z\","
          + "\"version\":\"1.3.0\"}";
  private static final long NEVER_MS = 3_600_000;

  private final List<Registration> truth = new CopyOnWriteArrayList<>();
  private final List<LookupLoop> loops = new ArrayList<>();
  private FakeLookupd lookupd;

  @BeforeEach
  void start() throws IOException {
    lookupd = new FakeLookupd();
  }

  @AfterEach
  void stop() throws IOException {
    loops.forEach(LookupLoop::close);
    lookupd.close();
  }

  private LookupLoop loop(long pingIntervalMs, int capacity, String... addresses) {
    LookupLoop loop =
        new LookupLoop(
            IDENTITY, List.of(addresses), 1024, () -> List.copyOf(truth), pingIntervalMs, capacity);
    loops.add(loop);
    return loop;
  }

  private LookupLoop started() {
    LookupLoop loop = loop(NEVER_MS, 100, lookupd.address());
    loop.start();
    eventually(() -> assertEquals(1, loop.identifiedPeers().size()));
    return loop;
  }

  private static void eventually(ThrowingRunnable assertion) {
    Awaitility.await().untilAsserted(assertion);
  }

  @Test
  void shouldIdentifyAndAnnounceAllAtConnect() {
    truth.add(new Registration("lonely", null));
    truth.add(new Registration("t", null));
    truth.add(new Registration("t", "c1"));
    truth.add(new Registration("t", "c2#ephemeral"));
    LookupLoop loop = started();
    assertEquals(
        List.of(
            "CONNECT  V1", IDENTIFY, "REGISTER lonely", "REGISTER t c1", "REGISTER t c2#ephemeral"),
        lookupd.received);
    assertEquals(List.of(new PeerInfo("127.0.0.1", "h", 4161, 1, "1.3.0")), loop.identifiedPeers());
  }

  @Test
  void shouldAnnounceEventsByWhatIsTrueWhenSending() {
    LookupLoop loop = started();
    lookupd.received.clear();
    truth.add(new Registration("t", null));
    loop.topicCreated("t");
    eventually(() -> assertEquals(List.of("REGISTER t"), lookupd.received));
    truth.add(new Registration("t", "c"));
    loop.channelCreated("t", "c");
    eventually(() -> assertEquals("REGISTER t c", last()));
    truth.remove(new Registration("t", "c"));
    loop.channelDeleted("t", "c");
    eventually(() -> assertEquals("UNREGISTER t c", last()));
    lookupd.received.clear();
    loop.topicDeleted("t"); // Created again before this was sent: must not win.
    loop.channelCreated("t", "gone"); // Deleted again before this was sent.
    truth.add(new Registration("u", null));
    loop.topicCreated("u");
    eventually(() -> assertEquals(List.of("REGISTER u"), lookupd.received));
    truth.clear();
    loop.topicDeleted("t");
    eventually(() -> assertEquals("UNREGISTER t", last()));
  }

  @Test
  void shouldRegisterWhatExistsWhateverTheOrderOfTheEvents() {
    LookupLoop loop = started();
    lookupd.received.clear();
    loop.channelCreated("t", "c"); // Taken over: the topic is not to be seen yet.
    truth.add(new Registration("t", null));
    truth.add(new Registration("t", "c"));
    loop.topicCreated("t");
    eventually(
        () ->
            assertEquals(
                List.of("REGISTER t", "REGISTER t c"),
                lookupd.received.stream().distinct().sorted().toList()));
    lookupd.received.clear();
    truth.remove(new Registration("t", "c"));
    truth.add(new Registration("t", "d"));
    loop.topicDeleted("t"); // And created again meanwhile, with another channel.
    loop.topicCreated("t");
    eventually(
        () -> assertTrue(lookupd.received.containsAll(List.of("UNREGISTER t c", "REGISTER t d"))));
  }

  @Test
  void shouldMakeWhatIsRegisteredWhatExistsWithEachPing() {
    truth.add(new Registration("lost", "c"));
    loop(50, 100, lookupd.address()).start();
    eventually(() -> assertTrue(lookupd.received.contains("REGISTER lost c")));
    truth.clear();
    truth.add(new Registration("new", "c"));
    eventually(() -> assertTrue(lookupd.received.contains("REGISTER new c")));
    eventually(() -> assertTrue(lookupd.received.contains("UNREGISTER lost")));
    int pings = lookupd.received.size();
    eventually(() -> assertTrue(lookupd.received.size() > pings + 3));
    assertEquals(1, lookupd.received.stream().filter("REGISTER new c"::equals).count());
  }

  private String last() {
    return lookupd.received.isEmpty() ? "" : lookupd.received.get(lookupd.received.size() - 1);
  }

  @Test
  void shouldPingAndReconnectWithEverythingWhenTheConnectionBroke() throws IOException {
    truth.add(new Registration("t", "c"));
    loop(50, 100, lookupd.address()).start();
    eventually(() -> assertTrue(lookupd.received.contains("PING")));
    // In this order: it can be back before the next line.
    lookupd.received.clear();
    lookupd.dropConnections();
    eventually(
        () ->
            assertTrue(
                String.join("|", lookupd.received)
                    .contains("CONNECT  V1|" + IDENTIFY + "|REGISTER t c|PING")));
  }

  @Test
  void shouldReconnectAtOnceWhenAnEventFindsTheConnectionBroken() throws IOException {
    LookupLoop loop = started();
    int port = lookupd.port();
    lookupd.close();
    // The kernel takes a moment to free the port.
    lookupd =
        Awaitility.await().ignoreExceptions().until(() -> new FakeLookupd(port), made -> true);
    truth.add(new Registration("t", null));
    loop.topicCreated("t");
    eventually(() -> assertEquals("REGISTER t", last()));
    assertEquals("CONNECT  V1", lookupd.received.get(0));
  }

  @Test
  void shouldTakeBackAndAnnounceAllWhenTheQueueOverflowed() {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch answer = new CountDownLatch(1);
    truth.add(new Registration("old", "c"));
    truth.add(new Registration("kept", "gone"));
    LookupLoop loop =
        new LookupLoop(
            IDENTITY,
            List.of(lookupd.address()),
            1024,
            () -> {
              if (truth.contains(new Registration("block", null))) {
                asked.countDown();
                awaitQuietly(answer);
              }
              return List.copyOf(truth);
            },
            NEVER_MS,
            2);
    loops.add(loop);
    loop.start();
    eventually(() -> assertEquals("REGISTER kept gone", last()));
    truth.add(new Registration("block", null));
    loop.topicCreated("block");
    awaitQuietly(asked);
    truth.clear();
    for (int i = 0; i < 10; i++) {
      truth.add(new Registration("new" + i, null));
      loop.topicCreated("new" + i);
    }
    truth.add(new Registration("kept", null));
    loop.topicDeleted("old");
    loop.channelDeleted("kept", "gone");
    assertEquals(10, loop.droppedNotes());
    answer.countDown();
    eventually(
        () -> {
          for (int i = 0; i < 10; i++) {
            assertTrue(lookupd.received.contains("REGISTER new" + i));
          }
          assertTrue(lookupd.received.contains("UNREGISTER old"));
          assertTrue(lookupd.received.contains("UNREGISTER kept gone"));
        });
    assertFalse(lookupd.received.contains("UNREGISTER kept"));
    assertFalse(lookupd.received.contains("UNREGISTER old c"), "goes with its topic");
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void shouldReplacePeersAtRunTime() throws IOException {
    LookupLoop loop = started();
    try (FakeLookupd other = new FakeLookupd()) {
      loop.setAddresses(List.of(other.address()));
      eventually(() -> assertEquals(List.of("CONNECT  V1", IDENTIFY), other.received));
      eventually(() -> assertEquals("DISCONNECT", last()));
      loop.setAddresses(List.of());
      eventually(() -> assertTrue(other.received.contains("DISCONNECT")));
      eventually(() -> assertEquals(List.of(), loop.identifiedPeers()));
    }
  }

  @Test
  void shouldServeTheLivingWhileOthersAreDeadOrSilent() throws IOException {
    try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        FakeLookupd silent = new FakeLookupd()) {
      silent.silence();
      String dead = "127.0.0.1:" + unused.getLocalPort();
      unused.close();
      LookupLoop loop = loop(NEVER_MS, 1000, dead, silent.address(), "nonsense", lookupd.address());
      long before = System.nanoTime();
      loop.start();
      for (int i = 0; i < 500; i++) {
        truth.add(new Registration("t" + i, null));
        loop.topicCreated("t" + i);
      }
      long tookMs = (System.nanoTime() - before) / 1_000_000;
      assertTrue(tookMs < 1000, "callers waited " + tookMs + " ms");
      eventually(
          () -> {
            for (int i = 0; i < 500; i++) {
              assertTrue(lookupd.received.contains("REGISTER t" + i));
            }
          });
      assertEquals(1, loop.identifiedPeers().size());
    }
  }

  @Test
  void shouldCloseOnAnUnusableReplyToIdentify() {
    lookupd.replyToIdentify("E_INVALID");
    loop(NEVER_MS, 100, lookupd.address()).start();
    eventually(
        () -> assertEquals(List.of("CONNECT  V1", IDENTIFY, "DISCONNECT"), lookupd.received));
  }
}
