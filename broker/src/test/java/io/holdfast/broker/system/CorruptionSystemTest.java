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
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Files damaged in every way, one topic for each: the broker starts, what is lost is exactly what
 * was hit, it is counted and logged, and everything else comes. Hundreds of random places are in
 * storage's {@code DamagedImageTest}.
 */
class CorruptionSystemTest {
  private static final int BATCHES = 30;
  private static final int PER_BATCH = 10;
  private static final int BODY_BYTES = 5000;
  private static final int JOURNAL_HEAD_BYTES = 40;
  private static final int SIZE_BYTES = 4;

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("these are Holdfast's files");
  }

  private interface Damage {
    /** Does it; returns the numbers of the messages that are lost. */
    Set<Integer> to(Path topicDir, String topic) throws IOException;
  }

  private static String body(String topic, int number) {
    String key = topic + "-" + number + ":";
    return key + "x".repeat(BODY_BYTES - key.length());
  }

  private static void publish(BrokerProcess broker, String topic, int batches) {
    try (RawNsqConnection conn = broker.connect()) {
      for (int i = 0; i < batches; i++) {
        String[] bodies = new String[PER_BATCH];
        for (int m = 0; m < PER_BATCH; m++) {
          bodies[m] = body(topic, i * PER_BATCH + m);
        }
        conn.mpub(topic, bodies);
      }
    }
  }

  private static List<Path> files(Path dir) throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.filter(f -> f.toString().endsWith(".cq4")).sorted().toList();
    }
  }

  private static List<Path> journal(Path topicDir) throws IOException {
    return files(topicDir.resolve("journal"));
  }

  private static List<Path> ledger(Path topicDir) throws IOException {
    return files(topicDir.resolve("channels/ch"));
  }

  /** Where in which journal file a message's body begins. */
  private static Map.Entry<Path, Integer> find(Path topicDir, String topic, int number)
      throws IOException {
    for (Path file : journal(topicDir)) {
      int at = indexOf(file, topic + "-" + number + ":");
      if (at >= 0) {
        return Map.entry(file, at);
      }
    }
    throw new AssertionError("message " + number + " is in no file of " + topicDir);
  }

  private static int indexOf(Path file, String text) throws IOException {
    return new String(data(file), StandardCharsets.ISO_8859_1).indexOf(text);
  }

  /** Files are sparse and larger than what they hold. */
  private static byte[] data(Path file) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      byte[] bytes = new byte[(int) Math.min(in.length(), 3 << 20)];
      in.readFully(bytes);
      return bytes;
    }
  }

  private static void flip(Path file, long at) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int value = bytes.read();
      bytes.seek(at);
      bytes.write(value ^ 0x10);
    }
  }

  private static Set<Integer> batchOf(int number) {
    return numbers(number / PER_BATCH * PER_BATCH, number / PER_BATCH * PER_BATCH + PER_BATCH);
  }

  private static Set<Integer> numbers(int from, int to) {
    Set<Integer> numbers = new TreeSet<>();
    for (int i = from; i < to; i++) {
      numbers.add(i);
    }
    return numbers;
  }

  /** The messages of the first journal file that do not end before an offset. */
  private static Set<Integer> behind(Path topicDir, String topic, int offset) throws IOException {
    Path first = journal(topicDir).get(0);
    Set<Integer> lost = new TreeSet<>();
    for (int i = 0; i < BATCHES; i++) {
      int last = i * PER_BATCH + PER_BATCH - 1;
      int at = indexOf(first, topic + "-" + last + ":");
      if (at >= 0 && at + BODY_BYTES > offset) {
        lost.addAll(batchOf(last));
      }
    }
    return lost;
  }

  private static Map<String, Damage> damages() {
    Map<String, Damage> damages = new LinkedHashMap<>();
    damages.put(
        "body",
        (dir, topic) -> {
          Map.Entry<Path, Integer> place = find(dir, topic, 105);
          flip(place.getKey(), place.getValue() + 2000);
          return batchOf(105);
        });
    damages.put(
        "lastbody",
        (dir, topic) -> {
          Map.Entry<Path, Integer> place = find(dir, topic, BATCHES * PER_BATCH - 1);
          flip(place.getKey(), place.getValue() + 2000);
          return batchOf(BATCHES * PER_BATCH - 1);
        });
    for (int offset = 0; offset < JOURNAL_HEAD_BYTES; offset += 6) {
      int at = offset;
      damages.put(
          "head" + offset,
          (dir, topic) -> {
            Map.Entry<Path, Integer> place = find(dir, topic, 150);
            flip(place.getKey(), place.getValue() - SIZE_BYTES - JOURNAL_HEAD_BYTES + at);
            return batchOf(150);
          });
    }
    damages.put(
        "chronicle",
        (dir, topic) -> {
          Map.Entry<Path, Integer> place = find(dir, topic, 150);
          flip(place.getKey(), place.getValue() - SIZE_BYTES - JOURNAL_HEAD_BYTES - 3);
          return Set.of();
        });
    damages.put(
        "index",
        (dir, topic) -> {
          flip(journal(dir).get(0), 1027);
          flip(journal(dir).get(1), 9000);
          return Set.of();
        });
    damages.put(
        "fileheader",
        (dir, topic) -> {
          flip(journal(dir).get(0), 9);
          return Set.of();
        });
    damages.put(
        "zeropage",
        (dir, topic) -> {
          for (Path file : journal(dir)) {
            try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
              bytes.write(new byte[4096]);
            }
          }
          return Set.of();
        });
    damages.put(
        "cutoff",
        (dir, topic) -> {
          int at = find(dir, topic, 95).getValue() + 100;
          Set<Integer> lost = behind(dir, topic, at);
          try (RandomAccessFile bytes = new RandomAccessFile(journal(dir).get(0).toFile(), "rw")) {
            bytes.setLength(at);
          }
          return lost;
        });
    damages.put(
        "emptied",
        (dir, topic) -> {
          Set<Integer> lost = behind(dir, topic, 0);
          Files.write(journal(dir).get(0), new byte[0]);
          return lost;
        });
    damages.put(
        "gone",
        (dir, topic) -> {
          Set<Integer> lost = behind(dir, topic, 0);
          Files.delete(journal(dir).get(0));
          return lost;
        });
    damages.put(
        "strangers",
        (dir, topic) -> {
          Files.writeString(dir.resolve("journal/20380101-000000.cq4"), "garbage ".repeat(99));
          Files.createDirectory(dir.resolve("journal/20380101-000001.cq4"));
          Files.writeString(dir.resolve("channels/ch/19700101-000000.cq4"), "garbage");
          Files.writeString(dir.resolve("README"), "not ours");
          return Set.of();
        });
    damages.put(
        "ledger",
        (dir, topic) -> {
          Path file = ledger(dir).get(0);
          // The magic of the first record, which says where the channel begins.
          int at = indexOf(file, "HL\u0001\u0004");
          flip(file, at + 9L);
          return Set.of();
        });
    damages.put(
        "noledger",
        (dir, topic) -> {
          for (Path file : ledger(dir)) {
            Files.delete(file);
          }
          return Set.of();
        });
    return damages;
  }

  /** Reads and finishes everything; returns how often each message came. */
  private static Set<Integer> drain(BrokerProcess broker, String topic, int atLeast) {
    Set<Integer> numbers = new TreeSet<>();
    try (RawNsqConnection conn = broker.subscribe(topic, "ch")) {
      conn.line("RDY 100");
      while (true) {
        Duration patience = Duration.ofMillis(numbers.size() < atLeast ? 10_000 : 200);
        Frame.Msg message = conn.pollMessage(patience);
        if (message == null) {
          conn.flushed();
          return numbers;
        }
        String text = message.text();
        int number = Integer.parseInt(text.substring(text.indexOf('-') + 1, text.indexOf(':')));
        assertEquals(body(topic, number), text);
        assertTrue(numbers.add(number), () -> topic + " has twice " + number);
        conn.fin(message);
      }
    }
  }

  @Test
  void shouldLoseAndCountExactlyWhatWasHit() throws Exception {
    Map<String, Damage> damages = damages();
    try (BrokerProcess broker =
        BrokerProcess.started("--max-bytes-per-file=1048576", "--mem-queue-size=10")) {
      for (String topic : damages.keySet()) {
        broker.http().post("/topic/create?topic=" + topic).expect(200, "");
        broker.http().post("/channel/create?topic=" + topic + "&channel=ch").expect(200, "");
        publish(broker, topic, BATCHES);
      }
      broker.http().post("/topic/pause?topic=body").expect(200, "");
      broker.http().post("/topic/unpause?topic=body").expect(200, "");
      broker.kill9();
      Map<String, Set<Integer>> lost = new LinkedHashMap<>();
      for (Map.Entry<String, Damage> damage : damages.entrySet()) {
        Path dir = broker.dataPath().resolve("topics").resolve(damage.getKey());
        lost.put(damage.getKey(), damage.getValue().to(dir, damage.getKey()));
      }
      flip(broker.dataPath().resolve("meta.json"), 60);
      Files.writeString(broker.dataPath().resolve("holdfast.lock"), "garbage, not a process id");
      assertVerifyFinds(broker.dataPath(), lost);
      broker.start();
      assertTrue(Files.exists(broker.dataPath().resolve("meta.json.damaged")));
      List<String> wrong = new ArrayList<>();
      for (String topic : damages.keySet()) {
        Set<Integer> expected = numbers(0, BATCHES * PER_BATCH);
        expected.removeAll(lost.get(topic));
        Set<Integer> got = drain(broker, topic, expected.size());
        if (!got.equals(expected)) {
          wrong.add(topic + ": got " + got.size() + " of " + expected.size());
        }
        long counted = broker.http().channel(topic, "ch").path("unreadable_count").asLong();
        if (counted != lost.get(topic).size()) {
          wrong.add(topic + ": lost " + lost.get(topic).size() + ", counted " + counted);
        }
        if (broker.http().channel(topic, "ch").path("depth").asLong() != 0) {
          wrong.add(topic + ": depth is not 0");
        }
        long lines =
            Pattern.compile("topics/" + topic + "/journal.* message\\(s\\), .* cannot be read")
                .matcher(broker.log())
                .results()
                .count();
        if (lines != (lost.get(topic).isEmpty() ? 0 : 1)) {
          wrong.add(topic + ": log lines " + lines);
        }
      }
      assertEquals(List.of(), wrong, broker::output);
      assertTrue(broker.http().get("/stats").body().contains(" unreadable: 10 "));
      assertTrue(
          Files.exists(broker.dataPath().resolve("topics/fileheader/journal"))
              && broker.output().contains(".damaged"));
    }
  }

  /** {@code holdfast-tools verify} sees a defect where messages are lost. */
  private static void assertVerifyFinds(Path dataPath, Map<String, Set<Integer>> lost)
      throws IOException {
    for (Map.Entry<String, Set<Integer>> topic : lost.entrySet()) {
      if (!topic.getValue().isEmpty()) {
        List<Defect> defects = new ArrayList<>();
        DataDirCheck check =
            new DataDirCheck(DataDirView.open(dataPath), defects::add, messages -> {});
        check.checkTopic(topic.getKey());
        assertTrue(defects.stream().anyMatch(d -> !d.harmless()), topic.getKey());
      }
    }
  }

  /** Under a running broker: in a body, and in Chronicle's header, of the file being written. */
  @Test
  void shouldSkipWhatIsDamagedWhileItRuns() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=5")) {
      broker.http().post("/topic/create?topic=live").expect(200, "");
      broker.http().post("/channel/create?topic=live&channel=ch").expect(200, "");
      publish(broker, "live", BATCHES);
      Path dir = broker.dataPath().resolve("topics/live");
      Map.Entry<Path, Integer> inBody = find(dir, "live", 103);
      flip(inBody.getKey(), inBody.getValue() + 50);
      Map.Entry<Path, Integer> inHeader = find(dir, "live", 200);
      flip(inHeader.getKey(), inHeader.getValue() - SIZE_BYTES - JOURNAL_HEAD_BYTES - 3);
      Set<Integer> expected = numbers(0, BATCHES * PER_BATCH);
      expected.removeAll(batchOf(103));
      assertEquals(expected, drain(broker, "live", expected.size()));
      broker.http().awaitChannelCount("live", "ch", "unreadable_count", PER_BATCH);
      assertEquals(0, broker.http().channel("live", "ch").path("depth").asInt());
      // And it goes on, in memory and behind it.
      publish(broker, "live", 3);
      assertEquals(numbers(0, 30), drain(broker, "live", 30));
      broker.http().awaitChannelCount("live", "ch", "depth", 0);
      assertEquals(PER_BATCH, broker.http().channel("live", "ch").path("unreadable_count").asInt());
    }
  }
}
