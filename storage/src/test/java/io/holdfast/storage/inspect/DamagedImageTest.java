package io.holdfast.storage.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.Batches;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.topic.ChannelBackends;
import io.holdfast.storage.topic.ChronicleBackend;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A topic's journal and a channel's ledger, damaged at random places: bits flipped in anything, a
 * file cut off, emptied, gone, or a stranger among them. What is lost is what was hit, as many are
 * counted, and everything else comes.
 *
 * <p>More: {@code -Dholdfast.damage.images=5000 -Dholdfast.damage.seed=...}.
 */
class DamagedImageTest {
  private static final int IMAGES = Integer.getInteger("holdfast.damage.images", 120);
  private static final long FILE_BYTES = 24 << 10;
  private static final int BATCHES = 60;

  /** Where a damage is: which file, and what it did to it. */
  private record Damage(Path file, long from, long to, String what) {}

  @TempDir Path dir;
  private final SyncThread syncThread = new SyncThread(3_600_000);
  private final List<Batch> batches = new ArrayList<>();
  private final List<String> bodies = new ArrayList<>();
  private Path original;
  private Path image;

  /** Ordinals the channel finished, as the undamaged ledger knows. */
  private final Set<Long> finished = new TreeSet<>();

  @BeforeEach
  void write() throws IOException {
    original = Files.createDirectory(dir.resolve("original"));
    image = dir.resolve("image");
    Files.createDirectory(original.resolve("journal"));
    Files.createDirectory(original.resolve("ledger"));
    try (ChronicleJournal journal = journal(original)) {
      ChronicleBackend backend = backend(original, journal);
      Random random = new Random(7);
      for (int i = 0; i < BATCHES; i++) {
        List<String> texts = new ArrayList<>();
        for (int m = 0; m <= i % 3; m++) {
          texts.add(bodies.size() + ":" + "x".repeat(random.nextInt(1200)));
          bodies.add(texts.get(m));
        }
        Batch batch = Batches.of(0, texts);
        journal.append(batch);
        backend.put(batch, 0);
        batches.add(batch);
      }
      MessageView view = new MessageView();
      OrdinalRanges done = new OrdinalRanges();
      for (int i = 0; i < bodies.size() / 2; i++) {
        assertTrue(backend.poll(view));
        done.clear();
        done.add(view.ordinal());
        backend.deliver(done);
        if (i % 4 != 2) {
          backend.finish(done);
          finished.add(view.ordinal());
        }
        if (i == bodies.size() / 4) {
          backend.checkpoint(List.<HeldMessage>of().iterator());
        }
      }
      backend.close();
      assertTrue(journal.files().size() >= 3);
    }
  }

  @AfterEach
  void stop() {
    syncThread.close();
  }

  private ChronicleJournal journal(Path root) throws IOException {
    return new ChronicleJournal(root.resolve("journal"), Batches.options(FILE_BYTES), syncThread);
  }

  private ChronicleBackend backend(Path root, ChronicleJournal journal) throws IOException {
    long first = journal.firstOrdinal();
    return ChannelBackends.open(root.resolve("ledger"), journal, syncThread, false, first, -1);
  }

  @Test
  void shouldLoseAndCountExactlyWhatWasHit() throws Exception {
    long seed = Long.getLong("holdfast.damage.seed", 20_261_129);
    int lostImages = 0;
    for (int i = 0; i < IMAGES; i++) {
      // Scrambled: neighbouring seeds of Random begin alike.
      Random random = new Random(new SplittableRandom(seed + i).nextLong());
      copyImage();
      Damage damage = damage(random);
      String what = "seed " + (seed + i) + " (with images=1): " + damage;
      Set<Long> lost =
          assertTimeoutPreemptively(Duration.ofSeconds(30), () -> read(damage, what), what);
      lostImages += lost.isEmpty() ? 0 : 1;
    }
    System.out.println(
        "damaged images " + IMAGES + ", with messages lost " + lostImages + ", seed " + seed);
    assertTrue(IMAGES < 100 || lostImages > IMAGES / 20, "hit too little: " + lostImages);
  }

  private Damage damage(Random random) throws IOException {
    boolean ofJournal = random.nextInt(4) > 0;
    List<Path> files = new ArrayList<>();
    try (Stream<Path> all = Files.list(image.resolve(ofJournal ? "journal" : "ledger"))) {
      all.filter(f -> f.toString().endsWith(".cq4")).sorted().forEach(files::add);
    }
    Path file = files.get(random.nextInt(files.size()));
    long dataEnd = DurableFiles.dataEnd(file);
    // The head of a file is where the most can go wrong.
    long at = random.nextInt(4) == 0 ? random.nextInt(1024) : random.nextLong(dataEnd);
    switch (random.nextInt(12)) {
      case 0 -> {
        truncate(file, at);
        return new Damage(file, at, Long.MAX_VALUE, "cut off");
      }
      case 1 -> {
        long cut = random.nextBoolean() ? 0 : Long.MAX_VALUE;
        if (cut == 0) {
          truncate(file, 0);
        } else {
          Files.delete(file);
        }
        return new Damage(file, 0, Long.MAX_VALUE, cut == 0 ? "emptied" : "gone");
      }
      case 2 -> {
        byte[] zeros = new byte[1 + random.nextInt(4096)];
        write(file, at, zeros);
        return new Damage(file, at, at + zeros.length, "zeros");
      }
      case 3 -> {
        Path stranger = file.resolveSibling(random.nextBoolean() ? "x" : "20380101-000000.cq4");
        byte[] garbage = new byte[random.nextInt(5000)];
        random.nextBytes(garbage);
        Files.write(stranger, garbage);
        return new Damage(stranger, 0, 0, "garbage of " + garbage.length);
      }
      default -> {
        int bits = random.nextBoolean() ? 1 << random.nextInt(8) : 1 + random.nextInt(255);
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
          bytes.seek(at);
          int value = bytes.read();
          bytes.seek(at);
          bytes.write(value ^ bits);
        }
        return new Damage(file, at, at + 1, "^" + bits);
      }
    }
  }

  private static void truncate(Path file, long bytes) throws IOException {
    try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
      to.setLength(bytes);
    }
  }

  private static void write(Path file, long at, byte[] bytes) throws IOException {
    try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
      to.seek(at);
      to.write(bytes);
    }
  }

  /** Reads everything and compares; returns what is lost. */
  private Set<Long> read(Damage damage, String what) throws IOException {
    Set<Long> hit = new HashSet<>();
    Set<Long> mayBeHit = new HashSet<>();
    for (Batch batch : batches) {
      Path file = Batches.file(image.resolve("journal"), batch);
      long at = Position.offset(batch.position());
      long end = at + RecordCodec.JOURNAL_HEAD_BYTES + batch.sectionBytes();
      boolean same = file.equals(damage.file());
      for (long o = batch.firstOrdinal(); o < batch.endOrdinal(); o++) {
        if (same && damage.from() < end && damage.to() > at) {
          hit.add(o);
        }
        // Chronicle's header before it: 0 there is what an append that never ended leaves.
        if (same && damage.from() < end && damage.to() > at - Integer.BYTES) {
          mayBeHit.add(o);
        }
      }
    }
    boolean newest =
        damage.file().equals(Batches.file(image.resolve("journal"), batches.get(BATCHES - 1)));
    boolean ledgerHit = damage.file().getParent().endsWith("ledger");
    Set<Long> lost = new TreeSet<>();
    try (ChronicleJournal journal = journal(image)) {
      ChronicleBackend backend = backend(image, journal);
      Set<Long> got = new HashSet<>();
      MessageView view = new MessageView();
      while (backend.poll(view)) {
        assertTrue(got.add(view.ordinal()), () -> what + ": twice " + view.ordinal());
        assertEquals(bodies.get((int) view.ordinal()), Batches.text(view), what);
      }
      assertEquals(0, backend.depth(), what);
      for (long o = 0; o < bodies.size(); o++) {
        boolean isFinished = finished.contains(o);
        if (!isFinished && !got.contains(o)) {
          lost.add(o);
        }
        assertTrue(ledgerHit || !isFinished || !got.contains(o), what + ": finished came again");
      }
      Set<Long> expected = new TreeSet<>(hit);
      expected.removeAll(finished);
      Set<Long> possible = new TreeSet<>(mayBeHit);
      possible.removeAll(finished);
      assertTrue(lost.containsAll(expected), what + ": hit, but read " + expected + lost);
      assertTrue(possible.containsAll(lost), what + ": lost " + lost + ", hit " + possible);
      if (newest) {
        // What was at the very end can be gone without a trace.
        assertTrue(backend.unreadable() <= lost.size(), what + ": counted too many");
      }
      if (!newest || (damage.to() - damage.from() == 1 && lost.equals(expected))) {
        assertEquals(lost.size(), backend.unreadable(), what + ": lost " + lost);
      }
      Batch more = Batches.of("more");
      journal.append(more);
      backend.put(more, 0);
      assertTrue(backend.poll(view), what);
      assertEquals("more", Batches.text(view), what);
      backend.close();
    }
    return lost;
  }

  private void copyImage() throws IOException {
    DurableFiles.deleteTree(image);
    for (String part : List.of("journal", "ledger")) {
      Path to = Files.createDirectories(image.resolve(part));
      try (Stream<Path> files = Files.list(original.resolve(part))) {
        for (Path file : files.toList()) {
          // Sparse: only the data.
          int bytes = (int) DurableFiles.dataEnd(file);
          byte[] data = new byte[bytes];
          try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.readFully(data);
          }
          Path copy = to.resolve(file.getFileName());
          Files.write(copy, data);
          truncate(copy, Files.size(file));
        }
      }
    }
  }
}
