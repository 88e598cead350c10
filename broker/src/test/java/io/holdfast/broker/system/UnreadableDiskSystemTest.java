package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.FailingDisk;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.storage.inspect.DataDirCheck;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Blocks of a real disk that cannot be read: what is in them is lost and counted, all else is
 * delivered, at each start again, and no block ends the process or keeps it from starting.
 */
class UnreadableDiskSystemTest {
  private static final int MESSAGES = 300;
  private static final int BODY_BYTES = 1000;

  /** Of a record, before the body of its only message. */
  private static final int HEAD_BYTES = 44;

  @TempDir Path work;
  private BrokerProcess broker;
  private FailingDisk disk;

  @BeforeEach
  void mount() throws IOException {
    Reference.holdfastOnly("these are Holdfast's files");
    broker = BrokerProcess.of("--mem-queue-size=5");
    disk = FailingDisk.mount(broker.dataPath(), work);
  }

  @AfterEach
  void unmount() {
    if (disk != null) {
      disk.close();
    }
    broker.close();
  }

  private static String body(int number) {
    return (number + ":").concat("x".repeat(BODY_BYTES)).substring(0, BODY_BYTES);
  }

  private void publish(int from, int to) {
    RawNsqConnection conn = broker.connect();
    try {
      for (int i = from; i < to; i++) {
        Frame reply = conn.command("PUB t", body(i)).frame();
        if (!reply.text().equals("OK")) {
          // Clearly refused once: the next one goes to a new file.
          assertTrue(reply.text().startsWith("E_PUB_FAILED PUB failed cannot "), reply::toString);
          conn.close();
          conn = broker.connect();
          conn.pub("t", body(i));
        }
      }
    } finally {
      conn.close();
    }
  }

  private void createAndPublish() {
    broker.start();
    broker.http().post("/topic/create?topic=t").expect(200, "");
    broker.http().post("/channel/create?topic=t&channel=c").expect(200, "");
    publish(0, MESSAGES);
  }

  private Path newest(String dir) throws IOException {
    try (Stream<Path> files = Files.list(broker.dataPath().resolve("topics/t").resolve(dir))) {
      return files.filter(f -> f.toString().endsWith(".cq4")).max(Path::compareTo).orElseThrow();
    }
  }

  /** Where in a file the messages' records begin, by number. */
  private NavigableMap<Integer, Long> records(Path file) throws IOException {
    String bytes = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    TreeMap<Integer, Long> records = new TreeMap<>();
    int at = 0;
    for (int number = 0; at >= 0; number++) {
      at = bytes.indexOf(body(number), at);
      if (at >= 0) {
        records.put(number, (long) at - HEAD_BYTES);
      }
    }
    return records;
  }

  /** Those of which a byte is in one of these blocks. */
  private Set<Integer> in(Path file, long... offsets) throws IOException {
    Set<Integer> hit = new TreeSet<>();
    records(file)
        .forEach(
            (number, begin) -> {
              for (long offset : offsets) {
                long block = offset / FailingDisk.BLOCK_BYTES * FailingDisk.BLOCK_BYTES;
                if (begin < block + FailingDisk.BLOCK_BYTES
                    && begin + HEAD_BYTES + BODY_BYTES > block) {
                  hit.add(number);
                }
              }
            });
    return hit;
  }

  private static Set<Integer> all(int to, Collection<Integer> but) {
    Set<Integer> numbers = new TreeSet<>();
    for (int i = 0; i < to; i++) {
      numbers.add(i);
    }
    numbers.removeAll(but);
    return numbers;
  }

  /** Reads, and finishes unless told not to, until it has so many; then nothing more may come. */
  private void assertDelivers(Set<Integer> expected, boolean finish) {
    Set<Integer> got = new TreeSet<>();
    try (RawNsqConnection conn = broker.subscribe("t", "c").line("RDY 2500")) {
      while (got.size() < expected.size()) {
        Frame.Msg message = conn.pollMessage(Duration.ofSeconds(15));
        if (message == null) {
          break;
        }
        String text = message.text();
        int number = Integer.parseInt(text.substring(0, text.indexOf(':')));
        assertEquals(body(number), text);
        assertTrue(got.add(number), () -> "twice " + number);
        if (finish) {
          conn.fin(message);
        }
      }
      assertEquals(expected, got, broker::log);
      conn.expectSilence(Duration.ofMillis(200)).flushed();
    }
  }

  private void assertCounts(int unreadable) {
    // It is shown once there is one.
    broker
        .http()
        .awaitChannel(
            "t",
            "c",
            c ->
                c.path("unreadable_count").asLong() == unreadable
                    && c.path("depth").asLong(-1) == 0);
  }

  private List<String> defects() throws IOException {
    List<Defect> defects = new ArrayList<>();
    new DataDirCheck(DataDirView.open(broker.dataPath()), defects::add, messages -> {})
        .checkTopic("t");
    return defects.stream().map(Defect::toString).toList();
  }

  @Test
  void shouldLoseOnlyWhatIsInTheBlockAtEachStart() throws Exception {
    createAndPublish();
    broker.kill9();
    Path file = newest("journal");
    NavigableMap<Integer, Long> records = records(file);
    // Not the last one: nobody can say how many messages a tail that cannot be read has.
    long[] blocks = {records.get(100) + 500, records.get(200) + 500, records.get(250) + 500};
    Set<Integer> lost = in(file, blocks);
    assertTrue(lost.size() >= 6, lost::toString);
    disk.breakBlocks(file, blocks);
    String found = String.join("\n", defects());
    for (long block : blocks) {
      assertTrue(found.contains("" + block / 4096 * 4096), () -> block + " is not in " + found);
    }
    broker.start();
    assertDelivers(all(MESSAGES, lost), false);
    // They count as finished, so a later process does not count them again.
    broker.http().awaitChannelCount("t", "c", "unreadable_count", lost.size());
    broker.kill9();
    broker.start();
    assertDelivers(all(MESSAGES, lost), true);
    assertCounts(0);
    publish(0, 10);
    assertDelivers(all(10, Set.of()), true);
    broker.terminate();
    broker.start();
    assertDelivers(Set.of(), true);
    assertCounts(0);
  }

  /** Chronicle's header and its index are in the first blocks. */
  @Test
  void shouldStartWithoutTheFirstBlocks() throws Exception {
    createAndPublish();
    broker.kill9();
    Path journal = newest("journal");
    Path ledger = newest("channels/c");
    long first = records(journal).get(0);
    long[] blocks = LongStream.range(0, first / 4096).map(i -> i * 4096).toArray();
    assertTrue(blocks.length > 0);
    Set<Integer> lost = in(journal, blocks);
    disk.breakBlocks(journal, blocks);
    disk.breakBlocks(ledger, 0, 4096, 8192, 12288, 16384, 20480);
    broker.start();
    assertDelivers(all(MESSAGES, lost), true);
    assertCounts(lost.size());
    broker.kill9();
    broker.start();
    assertEquals(0, broker.http().channel("t", "c").path("depth").asInt());
  }

  @Test
  void shouldDeliverAgainWhatALedgerCannotSay() throws Exception {
    createAndPublish();
    assertDelivers(all(MESSAGES, Set.of()), true);
    broker.kill9();
    Path ledger = newest("channels/c");
    long size = Files.size(ledger);
    long[] blocks = LongStream.range(0, Math.min(64, size / 4096)).map(i -> i * 4096).toArray();
    disk.breakBlocks(ledger, blocks);
    broker.start();
    assertDelivers(all(MESSAGES, Set.of()), true);
    assertCounts(0);
    broker.kill9();
    broker.start();
    assertDelivers(Set.of(), true);
  }

  /** No file of the directory keeps it from starting. */
  @Test
  void shouldStartThoughNoBlockOfAFileCanBeRead() throws Exception {
    createAndPublish();
    broker.terminate();
    for (String name : List.of("meta.json", "holdfast.lock", "holdfast.spare")) {
      Path file = broker.dataPath().resolve(name);
      if (Files.exists(file)) {
        disk.breakBlocks(file, 0);
        broker.start();
        assertEquals(MESSAGES, broker.http().channel("t", "c").path("depth").asInt(), name);
        broker.kill9();
      }
    }
    broker.start();
    assertDelivers(all(MESSAGES, Set.of()), true);
  }

  /** Of the file that is being appended to, behind what the process has in its own memory. */
  @Test
  void shouldGoOnWhenBlocksCannotBeReadAnyMore() throws Exception {
    createAndPublish();
    Path file = newest("journal");
    NavigableMap<Integer, Long> records = records(file);
    long[] blocks = {records.get(150) + 500, records.get(220) + 500};
    Set<Integer> lost = in(file, blocks);
    disk.breakBlocks(file, blocks);
    publish(MESSAGES, MESSAGES + 50);
    assertDelivers(all(MESSAGES + 50, lost), true);
    assertCounts(lost.size());
    broker.kill9();
    broker.start();
    assertDelivers(Set.of(), true);
  }
}
