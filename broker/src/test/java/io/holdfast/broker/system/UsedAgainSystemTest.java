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
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A busy topic's journal files are used again, and nothing of what they held is seen. */
class UsedAgainSystemTest {
  private static final int BATCH = 50;
  private static final int BODY_BYTES = 10_000;
  private static final int MOST_ROUNDS = 400;

  /** Where a salt stands in a file that was another one before. */
  private static final int SALT_PLACE = 6144;

  private int published;

  @BeforeAll
  static void isHoldfast() {
    Reference.holdfastOnly("nsqd has no journal");
  }

  private Set<String> publish(RawNsqConnection publisher) {
    Set<String> bodies = new TreeSet<>();
    for (int i = 0; i < BATCH; i++) {
      bodies.add(published++ + ":" + "x".repeat(BODY_BYTES));
    }
    publisher.mpub("t", bodies.toArray(String[]::new));
    return bodies;
  }

  private static List<Path> journal(BrokerProcess broker) {
    try (Stream<Path> files = Files.list(broker.dataPath().resolve("topics/t/journal"))) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isUsedAgain(Path file) {
    byte[] magic = new byte[8];
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(SALT_PLACE);
      return file.toString().endsWith(".cq4")
          && in.read(magic) == magic.length
          && new String(magic, StandardCharsets.US_ASCII).equals("HFSALT01");
    } catch (IOException e) {
      // Removed, or renamed, between the listing and the look.
      return false;
    }
  }

  private static List<Defect> defects(BrokerProcess broker) throws IOException {
    List<Defect> defects = new ArrayList<>();
    new DataDirCheck(DataDirView.open(broker.dataPath()), defects::add, n -> {}).checkTopic("t");
    return defects;
  }

  @ParameterizedTest
  @ValueSource(strings = {"written", "synced"})
  void shouldKeepAllInFilesThatAreUsedAgain(String durability) throws Exception {
    try (BrokerProcess broker =
        BrokerProcess.started("--max-bytes-per-file=1048576", "--durability=" + durability)) {
      Set<String> left = new TreeSet<>();
      try (RawNsqConnection publisher = broker.connect();
          RawNsqConnection consumer = broker.subscribe("t", "c")) {
        consumer.line("RDY 200");
        int rounds = 0;
        while (journal(broker).stream().noneMatch(UsedAgainSystemTest::isUsedAgain)) {
          assertTrue(rounds++ < MOST_ROUNDS, () -> "no file is used again: " + journal(broker));
          publish(publisher);
          consumer.finish(BATCH);
          // Files go, or become the next ones, by housekeeping every half a second.
          Thread.sleep(20);
        }
        consumer.line("RDY 0").flushed();
        for (int i = 0; i < 5; i++) {
          left.addAll(publish(publisher));
        }
      }
      assertTrue(
          Files.readString(broker.dataPath().resolve("meta.json"))
              .replaceAll("\\s", "")
              .contains("\"format_version\":2"));
      broker.kill9();
      assertEquals(
          List.of(), defects(broker).stream().filter(defect -> !defect.harmless()).toList());
      broker.start();
      Set<String> read = new TreeSet<>();
      try (RawNsqConnection consumer = broker.subscribe("t", "c")) {
        consumer.line("RDY 200");
        while (read.size() < left.size()) {
          Frame.Msg message = consumer.message();
          if (left.contains(message.text())) {
            read.add(message.text());
          }
          consumer.fin(message);
        }
        consumer.flushed();
      }
      assertEquals(left, read);
      assertEquals(0, broker.terminate());
      assertEquals(
          List.of(),
          journal(broker).stream().filter(file -> !file.toString().endsWith(".cq4")).toList());
      assertEquals(List.of(), defects(broker));
    }
  }
}
