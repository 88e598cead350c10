package io.holdfast.broker.cluster.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.holdfast.broker.queue.NoLeaderException;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two nodes with real connections; who leads is what the test says. */
@Timeout(120)
class LeaderRequestsTest {
  private static final int MAX_ANSWER = 1000;
  private static final List<String> NAMES = List.of("a", "b");
  private static final PeersConfig.Times TIMES =
      new PeersConfig.Times(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(200),
          Duration.ofSeconds(20));

  private static final Transport TRANSPORT = new Transport(2);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  /** What both nodes think. */
  private volatile String leader = "b";

  private volatile long term = 1;
  private final Node a = new Node("a");
  private final Node b = new Node("b");

  private record Asked(String node, TopicRequest request, Consumer<TopicAnswer> told) {}

  private final class Node implements LeaderFinder {
    private final String name;
    private final Peers peers;
    private final LeaderRequests requests;
    private final LinkedBlockingQueue<Asked> asked = new LinkedBlockingQueue<>();

    Node(String name) {
      this.name = name;
      Map<String, HostPort> addresses = new TreeMap<>();
      NAMES.forEach(other -> addresses.put(other, null));
      addresses.put(name, new HostPort("127.0.0.1", 0));
      Handshake own =
          new Handshake(name, 0, null, 0, NAMES, 900, 1, 1, 1, "member", true, 0, Map.of(name, 0));
      peers =
          new Peers(
              new PeersConfig(name, addresses, 1 << 20, 1 << 20, null, TIMES),
              () -> own,
              other -> null,
              TRANSPORT);
      requests = new LeaderRequests(name, peers, this, timer, MAX_ANSWER, () -> "here:1");
      requests.serve((node, request, told) -> asked.add(new Asked(node, request, told)));
    }

    @Override
    public CompletableFuture<String> leaderOf(String topic, long untilNs) {
      String now = leader;
      return now == null
          ? CompletableFuture.failedFuture(new NoLeaderException("no leader for topic " + topic))
          : CompletableFuture.completedFuture(now);
    }

    @Override
    public long servingTerm(String topic) {
      return name.equals(leader) ? term : 0;
    }

    Asked next() throws InterruptedException {
      return asked.poll(1, TimeUnit.MINUTES);
    }
  }

  @BeforeEach
  void start() throws IOException {
    a.peers.start();
    b.peers.start();
    a.peers.moved("b", new HostPort("127.0.0.1", b.peers.port()));
    b.peers.moved("a", new HostPort("127.0.0.1", a.peers.port()));
    Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> a.peers.isReachable("b"));
  }

  @AfterEach
  void close() {
    a.peers.close();
    b.peers.close();
    timer.shutdownNow();
  }

  @AfterAll
  static void closeTransport() {
    TRANSPORT.close();
  }

  private static TopicRequest request(String action) {
    return new TopicRequest(
        "t",
        "c",
        action,
        "topic=t&channel=c",
        "body".getBytes(StandardCharsets.UTF_8),
        false,
        new TopicRequest.Asker("bob", "admin", "10.0.0.1:5"));
  }

  private CompletableFuture<TopicAnswer> ask(String action) {
    CompletableFuture<TopicAnswer> told = new CompletableFuture<>();
    a.requests.ask(request(action), told::complete);
    return told;
  }

  private static TopicAnswer answer(int status, String body) {
    return new TopicAnswer(status, "text/plain", body.getBytes(StandardCharsets.UTF_8), false);
  }

  private static String text(CompletableFuture<TopicAnswer> told) throws Exception {
    TopicAnswer answer = told.get(1, TimeUnit.MINUTES);
    return answer.status() + " " + new String(answer.body(), StandardCharsets.UTF_8);
  }

  private static String message(String text) {
    return "{\"message\":\"" + text + "\"}";
  }

  /** One after the other on the same nodes: these take their time to come and go. */
  @Test
  void whoeverLeadsAnswers() throws Exception {
    goesToWhoeverLeads();
    withoutALeaderNothingIsDone();
    leader = "b";
    isAskedAgainWhereItWasNotDone();
    leader = "b";
    aLongAnswerIsToBeFetchedAtTheLeader();
  }

  private void goesToWhoeverLeads() throws Exception {
    CompletableFuture<TopicAnswer> told = ask("POST /topic/pause");
    Asked asked = b.next();
    assertEquals("a", asked.node());
    assertEquals("t", asked.request().topic());
    assertEquals("c", asked.request().channel());
    assertEquals("POST /topic/pause", asked.request().action());
    assertEquals("topic=t&channel=c", asked.request().query());
    assertEquals("body", new String(asked.request().body(), StandardCharsets.UTF_8));
    assertEquals(new TopicRequest.Asker("bob", "admin", "10.0.0.1:5"), asked.request().asker());
    asked.told().accept(answer(404, "no"));
    assertEquals("404 no", text(told));
    assertEquals("text/plain", told.get().contentType());

    leader = "a";
    told = ask("POST /topic/pause");
    asked = a.next();
    assertEquals("a", asked.node());
    asked.told().accept(answer(200, "yes"));
    assertEquals("200 yes", text(told));
  }

  private void withoutALeaderNothingIsDone() throws Exception {
    leader = null;
    assertEquals("503 " + message("no leader for topic t"), text(ask("POST /topic/pause")));
  }

  private void isAskedAgainWhereItWasNotDone() throws Exception {
    CompletableFuture<TopicAnswer> told = ask("POST /topic/pause");
    b.next().told().accept(new TopicAnswer(503, null, new byte[0], true));
    b.next().told().accept(new TopicAnswer(503, null, new byte[0], true));
    Asked asked = b.next();
    // Not found by one that has lost it meanwhile.
    term = 2;
    asked.told().accept(answer(404, "no"));
    leader = "a";
    a.next().told().accept(answer(200, "yes"));
    assertEquals("200 yes", text(told));
  }

  @Test
  void whatMayHaveBeenDoneIsNotAskedAgain() throws Exception {
    CompletableFuture<TopicAnswer> change = ask("POST /topic/empty");
    CompletableFuture<TopicAnswer> look = ask("GET /topic/peek");
    b.next();
    b.next();
    leader = "a";
    b.peers.close();
    assertEquals("503 " + message("leader of topic t lost, outcome unknown"), text(change));
    a.next().told().accept(answer(200, "seen"));
    assertEquals("200 seen", text(look));
  }

  @Test
  void aLeaderThatIsAwayIsWaitedFor() throws Exception {
    b.peers.close();
    Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> !a.peers.isReachable("b"));
    CompletableFuture<TopicAnswer> told = ask("POST /topic/empty");
    leader = "a";
    a.next().told().accept(answer(200, "yes"));
    assertEquals("200 yes", text(told));
  }

  private void aLongAnswerIsToBeFetchedAtTheLeader() throws Exception {
    CompletableFuture<TopicAnswer> told = ask("GET /topic/peek");
    b.next().told().accept(answer(200, "x".repeat(MAX_ANSWER + 1)));
    assertEquals(
        "503 " + message("the answer is too long to be passed on, 1001 bytes: ask b, here:1"),
        text(told));
  }

  @Test
  void whatIsNoRequestIsRefused() {
    for (String bad : List.of("", "xx", "\0\0\0\4null", "\0\0\0\2{}", "\0\0\1\0{}", "\177\0\0\0")) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              TopicRequest.read(Unpooled.wrappedBuffer(bad.getBytes(StandardCharsets.ISO_8859_1))));
    }
  }
}
