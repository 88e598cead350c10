package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.storage.inspect.DataDirCheck;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.MessageView;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A few unfinished messages do not keep the disk from being given back. */
class RelocationSystemTest {
  private static final int FILE_BYTES = 1 << 20;
  private static final int BODY_BYTES = 2000;
  private static final int BATCH = 100;

  /** A message takes this much beside its body. */
  private static final int HEAD_BYTES = 64;

  /** A file rolls when it is larger than it should be; blocks are reserved ahead. */
  private static final long LARGEST_FILE_BYTES =
      FILE_BYTES + BATCH * (BODY_BYTES + HEAD_BYTES) + FILE_BYTES / 4;

  @BeforeAll
  static void isHoldfast() {
    Reference.holdfastOnly("nsqd has no journal");
  }

  private static String body(int number) {
    String head = number + ":";
    return head + "x".repeat(BODY_BYTES - head.length());
  }

  private static int number(String body) {
    int number = Integer.parseInt(body.substring(0, body.indexOf(':')));
    assertEquals(body(number), body);
    return number;
  }

  private static void publish(RawNsqConnection publisher, int from, int to) {
    for (int i = from; i < to; i += BATCH) {
      String[] bodies = new String[BATCH];
      for (int j = 0; j < BATCH; j++) {
        bodies[j] = body(i + j);
      }
      publisher.mpub("t", bodies);
    }
  }

  /** Takes messages until all of a range came; finishes those that are not to be kept. */
  private static void consume(
      RawNsqConnection conn, int from, int to, Map<Integer, String> howToKeep) {
    Set<Integer> seen = new HashSet<>();
    conn.line("RDY 500");
    while (seen.size() < to - from) {
      Frame.Msg message = conn.message();
      int number = number(message.text());
      if (number >= from) {
        seen.add(number);
      }
      String how = howToKeep.get(number % 1000);
      if (how == null) {
        conn.fin(message);
      } else if (!how.isEmpty()) {
        conn.line(how.replace("ID", message.id()));
      }
    }
    conn.line("RDY 0").flushed();
  }

  private static long journalBytes(BrokerProcess broker) throws Exception {
    try (TopicView topic = DataDirView.open(broker.dataPath()).topic("t")) {
      return topic.diskBytes();
    }
  }

  private static void awaitJournalBytes(BrokerProcess broker, int unfinished) {
    long bound = 2L * unfinished * (BODY_BYTES + HEAD_BYTES) + 2 * LARGEST_FILE_BYTES;
    Awaitility.await("journal of at most " + bound + " bytes")
        .atMost(Duration.ofSeconds(20))
        .until(() -> journalBytes(broker) <= bound);
  }

  private static Set<Integer> unfinishedOnDisk(BrokerProcess broker, String channel)
      throws Exception {
    TreeSet<Integer> found = new TreeSet<>();
    List<Defect> defects = new ArrayList<>();
    DataDirView dir = DataDirView.open(broker.dataPath());
    new DataDirCheck(dir, defects::add, n -> {}).checkTopic("t");
    defects.removeIf(Defect::harmless);
    assertEquals(List.of(), defects);
    MessageView message = new MessageView();
    try (TopicView topic = dir.topic("t");
        JournalScan journal = topic.scan(defects::add)) {
      while (journal.nextBatchOrCopy(topic)) {
        while (journal.nextMessage(message)) {
          if (!topic.channel(channel).state().isFinished(message.ordinal())) {
            String text = StandardCharsets.US_ASCII.decode(message.body()).toString();
            assertTrue(found.add(number(text)), "twice: " + number(text));
          }
        }
      }
    }
    return found;
  }

  private static Map<Integer, Integer> drain(BrokerProcess broker, String channel, int count) {
    Map<Integer, Integer> attempts = new TreeMap<>();
    try (RawNsqConnection conn = broker.subscribe("t", channel)) {
      conn.line("RDY 100");
      while (attempts.size() < count) {
        Frame.Msg message = conn.message();
        attempts.put(number(message.text()), message.attempts());
        conn.fin(message);
      }
      conn.flushed();
    }
    return attempts;
  }

  private static Set<Integer> numbers(int end, int... remainders) {
    TreeSet<Integer> numbers = new TreeSet<>();
    for (int base = 0; base < end; base += 1000) {
      for (int remainder : remainders) {
        numbers.add(base + remainder);
      }
    }
    return numbers;
  }

  @Test
  void shouldGiveBackFilesThatFewMessagesAreLeftIn() throws Exception {
    int first = 20_000;
    int second = 26_000;
    Map<Integer, String> keptByA = Map.of(7, "REQ ID 3600000", 8, "");
    Map<Integer, String> keptByB = Map.of(8, "REQ ID 4000", 9, "");
    try (BrokerProcess broker =
        BrokerProcess.started(
            "--max-bytes-per-file=" + FILE_BYTES, "--msg-timeout=10m", "--mem-queue-size=5000")) {
      broker.http().post("/topic/create?topic=t").expect(200, "");
      broker.http().post("/channel/create?topic=t&channel=a").expect(200, "");
      broker.http().post("/channel/create?topic=t&channel=b").expect(200, "");
      // Never delivered, in memory: pinned as well as what is in flight or deferred.
      broker.http().post("/channel/create?topic=t&channel=idle").expect(200, "");
      try (RawNsqConnection publisher = broker.connect();
          RawNsqConnection a = broker.subscribe("t", "a");
          RawNsqConnection b = broker.subscribe("t", "b")) {
        publish(publisher, 0, 1000);
        broker.http().post("/channel/pause?topic=t&channel=idle").expect(200, "");
        consume(a, 0, 1000, keptByA);
        consume(b, 0, 1000, keptByB);
        broker.http().post("/channel/empty?topic=t&channel=idle").expect(200, "");
        broker.http().post("/channel/delete?topic=t&channel=idle").expect(200, "");
        publish(publisher, 1000, first);
        consume(a, 1000, first, keptByA);
        consume(b, 1000, first, keptByB);
        // 7 for a, 8 for both, 9 for b.
        awaitJournalBytes(broker, 3 * first / 1000);
        broker.kill9();
      }
      assertEquals(numbers(first, 7, 8), unfinishedOnDisk(broker, "a"));
      assertEquals(numbers(first, 8, 9), unfinishedOnDisk(broker, "b"));
      broker.start();
      broker.http().awaitChannel("t", "a", c -> c.path("deferred_count").asInt() == first / 1000);
      // Once more, so that what was relocated is relocated again.
      try (RawNsqConnection publisher = broker.connect();
          RawNsqConnection b = broker.subscribe("t", "b")) {
        publish(publisher, first, second);
        Map<Integer, Integer> atA = drain(broker, "a", second - first + first / 1000);
        numbers(first, 8).forEach(n -> assertEquals(2, atA.get(n), "attempts of " + n));
        Set<Integer> wanted = numbers(first, 8);
        for (int i = first; i < second; i++) {
          wanted.add(i);
        }
        assertEquals(wanted, new TreeSet<>(atA.keySet()));
        awaitJournalBytes(broker, 3 * first / 1000 + second - first);
        b.line("RDY 1");
        b.fin(b.message()).flushed();
        broker.kill9();
      }
      broker.start();
      Map<Integer, Integer> atB = drain(broker, "b", second - first + 2 * first / 1000 - 1);
      numbers(first, 8, 9).stream()
          .filter(atB::containsKey)
          .forEach(n -> assertTrue(atB.get(n) >= 2, "attempts of " + n));
      awaitJournalBytes(broker, first / 1000);
      broker
          .http()
          .awaitChannel(
              "t", "b", c -> c.path("depth").asInt() == 0 && c.path("deferred_count").asInt() == 0);
      broker.kill9();
      assertEquals(numbers(first, 7), unfinishedOnDisk(broker, "a"));
      assertEquals(new TreeSet<>(), unfinishedOnDisk(broker, "b"));
    }
  }
}
