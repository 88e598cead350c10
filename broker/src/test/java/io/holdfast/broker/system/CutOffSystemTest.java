package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Somebody cuts off or removes files of a broker that runs, in each of its phases: it lives,
 * delivers what is left, counts what is not, and what is published from then on is safe.
 */
class CutOffSystemTest {
  private static final int BACKLOG = 150;
  private static final int FINISHED = 20;
  private static final int LATER = 15;
  private static final int BODY_BYTES = 500;

  /** What a publisher sends at most between two damages, so that all can be consumed in the end. */
  private static final int PACE = 3 * FINISHED;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @BeforeEach
  void onlyHoldfast() {
    Reference.holdfastOnly("these are Holdfast's files");
  }

  private interface Damage {
    void to(Path topicDir) throws IOException;
  }

  private static final String JOURNAL = "journal";
  private static final String LEDGER = "channels/c";

  private static Damage cut(String dir, long to) {
    return topicDir -> {
      for (Path file : files(topicDir, dir, ".cq4")) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(to);
        }
      }
    };
  }

  private static Damage remove(String dir, String suffix) {
    return topicDir -> {
      for (Path file : files(topicDir, dir, suffix)) {
        Files.deleteIfExists(file);
      }
    };
  }

  private static List<Path> files(Path topicDir, String dir, String suffix) throws IOException {
    try (Stream<Path> files = Files.list(topicDir.resolve(dir))) {
      return files.filter(f -> f.toString().endsWith(suffix)).sorted().toList();
    }
  }

  /** One topic for each. */
  private static Map<String, Damage> damages() {
    Map<String, Damage> damages = new LinkedHashMap<>();
    for (String dir : List.of(JOURNAL, LEDGER)) {
      String name = dir.equals(JOURNAL) ? "journal" : "ledger";
      damages.put(name + "-empty", cut(dir, 0));
      damages.put(name + "-100", cut(dir, 100));
      damages.put(name + "-page", cut(dir, 4096));
      damages.put(name + "-some", cut(dir, 60_001));
    }
    damages.put(
        "all-empty",
        topicDir -> {
          cut(JOURNAL, 0).to(topicDir);
          cut(LEDGER, 0).to(topicDir);
        });
    damages.put("ledger-gone", remove(LEDGER, ".cq4"));
    return damages;
  }

  private static String body(int number) {
    return (number + ":").concat("x".repeat(BODY_BYTES)).substring(0, BODY_BYTES);
  }

  private static int number(Frame.Msg message) {
    String text = message.text();
    int number = Integer.parseInt(text.substring(0, text.indexOf(':')));
    assertEquals(body(number), text);
    return number;
  }

  private static void publish(BrokerProcess broker, String topic, int from, int to) {
    RawNsqConnection[] conn = {broker.connect()};
    try {
      for (int i = from; i < to; i++) {
        int number = i;
        if (!tryPublish(conn[0], topic, number)) {
          // A force that found a file cut off is tried again within half a second.
          Awaitility.await("published after a refusal")
              .atMost(PATIENCE)
              .until(
                  () -> {
                    conn[0].close();
                    conn[0] = broker.connect();
                    return tryPublish(conn[0], topic, number);
                  });
        }
      }
    } finally {
      conn[0].close();
    }
  }

  /** False when it is refused, clearly; the connection is closed then, as nsqd does. */
  private static boolean tryPublish(RawNsqConnection conn, String topic, int number) {
    Frame reply = conn.command("PUB " + topic, body(number)).frame();
    assertTrue(
        reply.text().equals("OK") || reply.text().startsWith("E_PUB_FAILED "), reply::toString);
    return reply.text().equals("OK");
  }

  private static Set<Integer> consume(BrokerProcess broker, String topic, int count) {
    Set<Integer> got = new HashSet<>();
    try (RawNsqConnection conn = broker.subscribe(topic, "c").line("RDY 1")) {
      while (got.size() < count) {
        Frame.Msg message = conn.message();
        assertTrue(got.add(number(message)));
        conn.fin(message);
      }
      conn.line("RDY 0").flushed();
    }
    return got;
  }

  /** Everything until depth says there is no more. */
  private static Set<Integer> drain(BrokerProcess broker, String topic) {
    Set<Integer> got = new HashSet<>();
    long endNs = System.nanoTime() + PATIENCE.toNanos();
    try (RawNsqConnection conn = broker.subscribe(topic, "c").line("RDY 100")) {
      while (true) {
        Frame.Msg message = conn.pollMessage(Duration.ofMillis(50));
        if (message != null) {
          assertTrue(got.add(number(message)), () -> "twice " + number(message));
          conn.fin(message);
        } else if (depth(broker, topic) == 0) {
          return got;
        } else {
          assertTrue(
              System.nanoTime() < endNs,
              () -> depth(broker, topic) + " left in " + topic + "\n" + broker.log());
        }
      }
    }
  }

  /** Memory knows what a ledger said that was cut off: it is all written anew. */
  private static void awaitNewLedger(String topic, Path topicDir, List<Path> cut) {
    Awaitility.await(topic + " is summed up in a new file")
        .atMost(PATIENCE)
        .until(
            () -> {
              List<Path> now = files(topicDir, LEDGER, ".cq4");
              return !now.isEmpty() && now.stream().noneMatch(cut::contains);
            });
  }

  private static long depth(BrokerProcess broker, String topic) {
    JsonNode channel = broker.http().channel(topic, "c");
    return channel.path("depth").asLong(-1) + channel.path("in_flight_count").asLong();
  }

  private static long unreadable(BrokerProcess broker, String topic) {
    return broker.http().channel(topic, "c").path("unreadable_count").asLong();
  }

  private static void create(BrokerProcess broker, String topic) {
    broker.http().post("/topic/create?topic=" + topic).expect(200, "");
    broker.http().post("/channel/create?topic=" + topic + "&channel=c").expect(200, "");
  }

  private static Path dir(BrokerProcess broker, String topic) {
    return broker.dataPath().resolve("topics").resolve(topic);
  }

  private static void cutWithBacklog(boolean closed, String... flags) throws IOException {
    Map<String, Damage> damages = damages();
    try (BrokerProcess broker = BrokerProcess.started(flags)) {
      Map<String, Set<Integer>> finished = new LinkedHashMap<>();
      for (String topic : damages.keySet()) {
        create(broker, topic);
        publish(broker, topic, 0, BACKLOG);
        finished.put(topic, consume(broker, topic, FINISHED));
      }
      if (closed) {
        Awaitility.await("no file is open")
            .atMost(PATIENCE)
            .until(() -> broker.watch().mappedFiles().stream().noneMatch(f -> f.endsWith(".cq4")));
      }
      Map<String, List<Path>> before = new LinkedHashMap<>();
      for (Map.Entry<String, Damage> damage : damages.entrySet()) {
        before.put(damage.getKey(), files(dir(broker, damage.getKey()), LEDGER, ".cq4"));
        damage.getValue().to(dir(broker, damage.getKey()));
      }
      for (String topic : damages.keySet()) {
        publish(broker, topic, BACKLOG, BACKLOG + LATER);
      }
      for (String topic : damages.keySet()) {
        Set<Integer> got = drain(broker, topic);
        for (int i = BACKLOG; i < BACKLOG + LATER; i++) {
          int number = i;
          assertTrue(got.contains(i), () -> topic + " lost " + number + "\n" + broker.log());
        }
        got.addAll(finished.get(topic));
        assertEquals(
            BACKLOG + LATER,
            got.size() + unreadable(broker, topic),
            () -> topic + " got " + got.size() + "\n" + broker.log());
        if (!topic.contains("journal") && !topic.contains("all")) {
          assertEquals(0, unreadable(broker, topic), topic);
        }
      }
      for (String topic : damages.keySet()) {
        // Of a closed file that was cut off behind its data nothing is gone.
        boolean isSound = closed && (topic.contains("listing") || topic.endsWith("some"));
        if (!topic.startsWith("journal") && !isSound) {
          awaitNewLedger(topic, dir(broker, topic), before.get(topic));
        }
      }
      broker.kill9();
      broker.start();
      for (String topic : damages.keySet()) {
        assertEquals(Set.of(), drain(broker, topic), () -> topic + " again\n" + broker.log());
        publish(broker, topic, 0, 1);
        assertEquals(Set.of(0), drain(broker, topic), topic);
      }
    }
  }

  @Test
  void shouldGoOnWhenFilesAreCutWhileItIsIdle() throws Exception {
    cutWithBacklog(false, "--mem-queue-size=5");
  }

  @Test
  void shouldGoOnWhenFilesAreCutThatAreClosed() throws Exception {
    cutWithBacklog(true, "--mem-queue-size=5", "--idle-close=1s");
  }

  /** As for the whole directory: somebody removes what others publish to. */
  @Test
  void shouldRefuseToPublishWhenAFileOfAJournalIsRemoved() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=5")) {
      create(broker, "t");
      publish(broker, "t", 0, BACKLOG);
      remove(JOURNAL, ".cq4").to(dir(broker, "t"));
      Awaitility.await("the loss is seen")
          .atMost(PATIENCE)
          .until(() -> broker.http().get("/ping").status() != 200);
      try (RawNsqConnection conn = broker.connect()) {
        conn.command("PUB t", body(0)).expectErrorLike("E_PUB_FAILED PUB failed files of TOPIC(t)");
      }
      Set<Integer> got = drain(broker, "t");
      assertEquals(BACKLOG, got.size() + unreadable(broker, "t"));
      broker.terminate();
      broker.start();
      drain(broker, "t");
      publish(broker, "t", 0, LATER);
      assertEquals(LATER, drain(broker, "t").size());
    }
  }

  /** Publishes while it is asked for more, and knows what was OK. */
  private static final class Publisher {
    private final Set<Integer> ok = ConcurrentHashMap.newKeySet();
    private final Semaphore wanted = new Semaphore(PACE);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final BrokerProcess broker;
    private final Thread thread;
    private volatile boolean stop;

    Publisher(BrokerProcess broker, String topic) {
      this.broker = broker;
      thread = new Thread(() -> run(topic));
      thread.start();
    }

    private void run(String topic) {
      RawNsqConnection conn = broker.connect();
      try {
        for (int i = 0; ; i++) {
          wanted.acquire();
          if (stop) {
            return;
          }
          if (tryPublish(conn, topic, i)) {
            ok.add(i);
          } else {
            // Refused until the files are new and forced: it does not count.
            wanted.release();
            conn.close();
            conn = broker.connect();
          }
        }
      } catch (RuntimeException | Error | InterruptedException e) {
        failure.set(e);
      } finally {
        conn.close();
      }
    }

    void awaitMore() {
      int from = ok.size();
      wanted.release(PACE - wanted.availablePermits());
      Awaitility.await("publishing goes on")
          .atMost(PATIENCE)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(5))
          .until(() -> ok.size() >= from + FINISHED || failure.get() != null);
      wanted.release(PACE - wanted.availablePermits());
    }

    Set<Integer> end() throws InterruptedException {
      stop = true;
      wanted.release();
      thread.join(PATIENCE.toMillis());
      if (thread.isAlive() || failure.get() != null) {
        String alive = broker.isAlive() ? "the broker lives\n" : "the broker is dead\n";
        throw new AssertionError(alive + broker.output(), failure.get());
      }
      return ok;
    }
  }

  /** What was published since the last one is there, and of the rest what is not is counted. */
  private static void cutWhilePublished(boolean consumed) throws Exception {
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=5")) {
      create(broker, "t");
      Publisher publisher = new Publisher(broker, "t");
      publisher.awaitMore();
      Set<Integer> got = new HashSet<>();
      for (Damage damage : damages().values()) {
        if (consumed) {
          got.addAll(consume(broker, "t", FINISHED));
        }
        damage.to(dir(broker, "t"));
        publisher.awaitMore();
      }
      Set<Integer> ok = publisher.end();
      publish(broker, "t", 1_000_000, 1_000_000 + LATER);
      Set<Integer> rest = drain(broker, "t");
      for (int i = 0; i < LATER; i++) {
        assertTrue(rest.contains(1_000_000 + i));
      }
      got.addAll(rest);
      got.removeIf(number -> number < 1_000_000 && !ok.contains(number));
      long lost = (long) ok.size() + LATER - got.size();
      assertTrue(
          unreadable(broker, "t") >= lost,
          () -> "lost " + lost + ", counted " + unreadable(broker, "t") + "\n" + broker.log());
      broker.kill9();
      broker.start();
      drain(broker, "t");
    }
  }

  @Test
  void shouldGoOnWhenFilesAreCutWhileItIsPublishedTo() throws Exception {
    cutWhilePublished(false);
  }

  @Test
  void shouldGoOnWhenFilesAreCutWhileItIsConsumed() throws Exception {
    cutWhilePublished(true);
  }
}
