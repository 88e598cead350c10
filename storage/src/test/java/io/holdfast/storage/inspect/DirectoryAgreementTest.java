package io.holdfast.storage.inspect;

import static io.holdfast.storage.inspect.AgreementImage.BATCHES;
import static io.holdfast.storage.inspect.AgreementImage.LATE;
import static io.holdfast.storage.inspect.AgreementImage.OLD;
import static io.holdfast.storage.inspect.AgreementImage.TOPIC;
import static io.holdfast.storage.inspect.DamagedFiles.cut;
import static io.holdfast.storage.inspect.DamagedFiles.files;
import static io.holdfast.storage.inspect.DamagedFiles.flip;
import static io.holdfast.storage.inspect.DamagedFiles.indexOf;
import static io.holdfast.storage.inspect.DamagedFiles.overwrite;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever is damaged, those who look at a directory see what a broker makes of it: export is what
 * it delivers, summary its depths, verify says so, and a repaired copy delivers the same. Looking
 * changes nothing.
 *
 * <p>More: {@code -Dholdfast.agreement.images=5000 -Dholdfast.agreement.seed=...}.
 */
class DirectoryAgreementTest {
  private static final int IMAGES = Integer.getInteger("holdfast.agreement.images", 60);

  @TempDir Path dir;

  private AgreementImage at;

  @BeforeEach
  void write() throws IOException {
    at = new AgreementImage(dir);
  }

  @AfterEach
  void stop() {
    at.close();
  }

  @Test
  void shouldAgreeOnWhatIsIntact() throws Exception {
    at.copy();
    AgreementImage.Seen seen = at.look();
    assertEquals(List.of(), seen.defects);
    assertEquals(at.lateFrom, seen.begins);
    Map<Long, String> late = seen.exported.get(LATE);
    assertTrue(late.keySet().stream().allMatch(ordinal -> ordinal >= at.lateFrom));
    at.assertAgreed("intact", seen);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1", // magic
    "2, 3", // format version
    "3, 1", // type
    "5, 16", // checksum
    "8, 64", // record length, far too long
    "11, 1", // record length, by one
    "12, 64", // count
    "15, 2", // count
    "16, 64", // ordinal, huge
    "16, 128", // ordinal, negative
    "22, 1", // ordinal
    "30, 1", // time
    "33, 1", // deferral
    "43, 4", // length of the first body
    "60, 128", // body
    "-4, 8", // excerpt's length, a little off
    "-3, 4", // excerpt's length, by a kilobyte
    "-2, 255", // excerpt's length, beyond what follows
    "-1, 32", // excerpt's length, beyond the file
    "-1, 64", // "metadata" bit
    "-1, 128", // "not complete" bit
  })
  void shouldAgreeOnDamagedRecords(int offset, int bits) throws Exception {
    at.copy();
    for (int batch : new int[] {0, 17, 41, BATCHES - 1}) {
      Batch hit = at.batches.get(batch);
      flip(at.journalFile(hit), Position.offset(hit.position()) + offset, bits);
    }
    AgreementImage.Seen seen = at.look();
    assertFalse(seen.defects.isEmpty(), "verify says nothing");
    at.assertAgreed(offset + " ^ " + bits, seen);
  }

  /** A file's first page, and what the broker's start makes of it. */
  @ParameterizedTest
  @ValueSource(strings = {"byte", "page"})
  void shouldAgreeOnDamagedFileHeads(String what) throws Exception {
    at.copy();
    for (Path file :
        List.of(at.journalFile(at.batches.get(0)), at.journalFile(at.batches.get(30)))) {
      if (what.equals("byte")) {
        flip(file, 9, 0x10);
      } else {
        overwrite(file, 0, new byte[512]);
      }
    }
    AgreementImage.Seen seen = at.look();
    assertFalse(seen.defects.isEmpty(), "verify says nothing");
    at.assertAgreed(what, seen);
    AgreementImage.Seen afterwards = at.look();
    assertEquals(seen.exported, afterwards.exported, "the broker has put files aside");
    at.assertAgreed(what + " again", afterwards);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cut off",
        "cut off at the end",
        "emptied",
        "gone",
        "newest gone",
        "strangers",
        "ledger head",
        "ledger record",
        "ledger emptied",
        "ledger gone",
        "metadata",
        "no metadata"
      })
  void shouldAgreeOnDamagedFiles(String what) throws Exception {
    at.copy();
    damage(what);
    at.assertAgreed(what, at.look());
  }

  private void damage(String what) throws IOException {
    Path topic = at.image.resolve("topics").resolve(TOPIC);
    Path first = at.journalFile(at.batches.get(0));
    Path newest = at.journalFile(at.batches.get(BATCHES - 1));
    List<Path> ledger = files(topic.resolve("channels").resolve(OLD));
    switch (what) {
      case "cut off" -> cut(first, Position.offset(at.batches.get(5).position()) + 100);
      case "cut off at the end" ->
          cut(newest, Position.offset(at.batches.get(BATCHES - 1).position()) + 50);
      case "emptied" -> cut(first, 0);
      case "gone" -> Files.delete(first);
      case "newest gone" -> Files.delete(newest);
      case "strangers" -> {
        Files.writeString(topic.resolve("journal/20380101-000000.cq4"), "garbage ".repeat(99));
        Files.createDirectory(topic.resolve("journal/20380101-000001.cq4"));
        Files.writeString(topic.resolve("channels/old/19700101-000000.cq4"), "garbage");
        Files.writeString(topic.resolve("README"), "not ours");
      }
      case "ledger head" -> overwrite(ledger.get(0), 0, new byte[512]);
      case "ledger record" -> {
        byte[] bytes = Files.readAllBytes(ledger.get(0));
        flip(ledger.get(0), indexOf(bytes, new byte[] {0x48, 0x4c, 1, 4}) + 9, 0x10);
      }
      case "ledger emptied" -> {
        for (Path file : ledger) {
          cut(file, 0);
        }
      }
      case "ledger gone" -> {
        for (Path file : ledger) {
          Files.delete(file);
        }
      }
      case "metadata" -> flip(at.image.resolve("meta.json"), 60, 0x10);
      case "no metadata" -> Files.delete(at.image.resolve("meta.json"));
      default -> throw new IllegalArgumentException(what);
    }
  }

  /** As {@code DamagedImageTest}: bits, zeros and cuts anywhere in journal and ledgers. */
  @Test
  void shouldAgreeWhateverIsDamaged() throws Exception {
    long seed = Long.getLong("holdfast.agreement.seed", 20_261_129);
    for (int i = 0; i < IMAGES; i++) {
      Random random = new Random(new SplittableRandom(seed + i).nextLong());
      at.copy();
      String what = "seed " + (seed + i) + " (with images=1): " + damage(random);
      at.assertAgreed(what, at.look());
    }
  }

  private String damage(Random random) throws IOException {
    List<Path> files = new ArrayList<>(files(at.image.resolve("topics/t/journal")));
    if (random.nextInt(4) == 0) {
      files = new ArrayList<>(files(at.image.resolve("topics/t/channels/old")));
      files.addAll(files(at.image.resolve("topics/t/channels/late")));
    }
    Path file = files.get(random.nextInt(files.size()));
    long dataEnd = DurableFiles.dataEnd(file);
    // The head of a file is where the most can go wrong.
    long offset = random.nextInt(4) == 0 ? random.nextInt(1024) : random.nextLong(dataEnd);
    String place = at.image.relativize(file) + ":" + offset + " ";
    switch (random.nextInt(10)) {
      case 0 -> {
        cut(file, offset);
        return place + "cut off";
      }
      case 1 -> {
        byte[] zeros = new byte[1 + random.nextInt(4096)];
        overwrite(file, offset, zeros);
        return place + zeros.length + " zeros";
      }
      default -> {
        int bits = random.nextBoolean() ? 1 << random.nextInt(8) : 1 + random.nextInt(255);
        flip(file, offset, bits);
        return place + "^ " + bits;
      }
    }
  }
}
