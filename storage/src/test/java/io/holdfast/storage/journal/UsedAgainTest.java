package io.holdfast.storage.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.FaultyDisk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.ledger.RelocatedMessages;
import io.holdfast.storage.log.ExcerptIndex;
import io.holdfast.storage.log.LogView;
import io.holdfast.storage.log.SpareFiles;
import io.holdfast.storage.record.RecordCodec;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.Position;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Journal files that are used again: what they held before is never read, whatever happens. */
class UsedAgainTest {
  private static final long FILE_BYTES = 96 << 10;
  private static final int BODY_BYTES = 1000;
  private static final int PAGE_BYTES = 4096;

  /** Where the salt stands twice. */
  private static final List<Integer> SALT_PLACES = List.of(6144, 8256);

  @TempDir Path dir;
  private final FaultyDisk disk = new FaultyDisk();
  private final SyncThread syncThread = new SyncThread(3_600_000, disk);
  private final List<ChronicleJournal> dead = new ArrayList<>();
  private final Map<Long, String> expected = new TreeMap<>();
  private boolean allowed = true;
  private SpareFiles spares = new SpareFiles(8, 1, () -> allowed);
  private long fileBytes = FILE_BYTES;
  private ChronicleJournal journal;
  private Batch last;

  @BeforeEach
  void open() throws IOException {
    // Its options allow records of 100,000 bytes.
    journal = new ChronicleJournal(dir, Batches.options(fileBytes).with(spares), syncThread);
  }

  @AfterEach
  void close() {
    journal.close();
    dead.forEach(ChronicleJournal::close);
    syncThread.close();
  }

  /** Leaves everything as the death of the process would, and opens it again. */
  private void crash() throws IOException {
    dead.add(journal);
    spares = new SpareFiles(8, 1, () -> allowed);
    open();
  }

  private void append(String body) throws IOException {
    last = Batches.of(body);
    journal.append(last);
    expected.put(last.firstOrdinal(), body);
  }

  private String body(char of) {
    return expected.size() + Character.toString(of).repeat(BODY_BYTES);
  }

  private Path newest() throws IOException {
    return journal.file(journal.fileNumbers().get(journal.fileNumbers().size() - 1));
  }

  private Object inode(Path file) throws IOException {
    return Files.getAttribute(file, "unix:ino");
  }

  /** Appends until there is another file, whose first record is the last one appended. */
  private void roll(char of) throws IOException {
    int files = journal.fileNumbers().size();
    while (journal.fileNumbers().size() == files) {
      append(body(of));
    }
  }

  private void removeFinished() throws IOException {
    journal.removeBelow(journal.nextOrdinal(), RelocatedMessages.NO_FILE, Retention.NONE);
    expected.keySet().removeIf(ordinal -> ordinal < firstOrdinal());
  }

  private long firstOrdinal() {
    try {
      return journal.firstOrdinal();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A file was filled and finished, and what it held is returned; it is the next one now. */
  private byte[] useAgain() throws IOException {
    return useAgain('o');
  }

  private byte[] useAgain(char of) throws IOException {
    append(body(of));
    Path file = newest();
    final Object inode = inode(file);
    roll(of);
    byte[] old = Files.readAllBytes(file);
    removeFinished();
    assertFalse(Files.exists(file));
    roll(of);
    removeFinished();
    assertEquals(inode, inode(newest()));
    return old;
  }

  private static int end(Batch batch) {
    int end =
        Position.offset(batch.position())
            + RecordCodec.JOURNAL_HEAD_BYTES
            + batch.section().remaining();
    return end + 3 & -4;
  }

  /** What a power cut can leave: pages that were written are what they were before. */
  private static void putBack(byte[] old, Path file, int from) throws IOException {
    try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
      to.seek(from);
      to.write(old, from, (int) Math.min(old.length, FILE_BYTES) - from);
    }
  }

  private static void overwrite(Path file, int at, byte[] with) throws IOException {
    try (RandomAccessFile to = new RandomAccessFile(file.toFile(), "rw")) {
      to.seek(at);
      to.write(with);
    }
  }

  private List<Batch> appendMany(int count) throws IOException {
    List<Batch> appended = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      append(body('n'));
      appended.add(last);
    }
    return appended;
  }

  /** Its record is in the newest file, and is not expected any more. */
  private void harm(Batch batch) throws IOException {
    byte[] other = "harmed".getBytes(StandardCharsets.UTF_8);
    overwrite(newest(), Position.offset(batch.position()) + 60, other);
    expected.remove(batch.firstOrdinal());
  }

  /** Everything that was appended is read, nothing else, and nobody misses anything. */
  private void assertAllThere() throws Exception {
    assertAllThere(0);
  }

  private void assertAllThere(long unreadable) throws Exception {
    long end = last.endOrdinal();
    assertEquals(end, journal.nextOrdinal());
    MessageView view = new MessageView();
    Map<Long, String> read = new TreeMap<>();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(journal.firstOrdinal());
      while (cursor.next(view, end)) {
        read.put(view.ordinal(), Batches.text(view));
      }
      assertEquals(unreadable, cursor.unreadable());
    }
    assertEquals(expected, read);
  }

  /** As far as Chronicle may put an index array. */
  private void assertClearedBehind() throws IOException {
    byte[] all = Files.readAllBytes(newest());
    assertTrue(
        Arrays.equals(
            new byte[8 << 10], Arrays.copyOfRange(all, end(last), end(last) + (8 << 10))));
  }

  private List<Path> spareFiles() throws IOException {
    try (Stream<Path> all = Files.list(dir)) {
      return all.filter(file -> file.toString().endsWith(".spare")).toList();
    }
  }

  @Test
  void shouldUseAFinishedFileAgain() throws Exception {
    for (char of = 'a'; of < 'f'; of++) {
      useAgain(of);
      append(body(of));
      assertClearedBehind();
      append(of + "y".repeat(20_000));
      assertClearedBehind();
      assertAllThere();
    }
    crash();
    assertAllThere();
    append("more");
    assertAllThere();
  }

  @Test
  void shouldHaveAnotherSaltEachTime() throws Exception {
    useAgain();
    byte[] first = salt(newest(), SALT_PLACES.get(0));
    Path file = newest();
    roll('x');
    removeFinished();
    roll('x');
    assertFalse(Files.exists(file));
    byte[] second = salt(newest(), SALT_PLACES.get(0));
    assertFalse(Arrays.equals(first, second));
    assertFalse(Arrays.equals(new byte[first.length], second));
  }

  private static byte[] salt(Path file, int at) throws IOException {
    return Arrays.copyOfRange(Files.readAllBytes(file), at, at + 16);
  }

  @Test
  void shouldKeepNoSpareFileAtTheEnd() throws Exception {
    append(body('a'));
    roll('a');
    removeFinished();
    assertEquals(1, spareFiles().size());
    assertTrue(spares.bytes() >= FILE_BYTES / 2, "bytes " + spares.bytes());
    dead.add(journal);
    // A kill leaves it, the next start removes it.
    open();
    assertEquals(List.of(), spareFiles());
    append(body('a'));
    roll('a');
    removeFinished();
    journal.close();
    assertEquals(List.of(), spareFiles());
    open();
  }

  @Test
  void shouldGiveSpareFilesBack() throws Exception {
    append(body('a'));
    roll('a');
    removeFinished();
    assertEquals(1, spareFiles().size());
    spares.removeUnused();
    assertEquals(1, spareFiles().size(), "it is still young");
    spares.removeAll();
    assertEquals(List.of(), spareFiles());
    assertEquals(0, spares.bytes());
    roll('b');
    append(body('b'));
    assertAllThere();
  }

  @Test
  void shouldNotUseAgainWhatSomebodyElseHas() throws Exception {
    append(body('a'));
    Path file = newest();
    roll('a');
    byte[] content = Files.readAllBytes(file);
    Path link = dir.resolveSibling(dir.getFileName() + "-link");
    Files.createLink(link, file);
    try {
      removeFinished();
      assertEquals(List.of(), spareFiles());
      assertFalse(Files.exists(file));
      roll('b');
      append(body('b'));
      assertTrue(Arrays.equals(content, Files.readAllBytes(link)));
    } finally {
      Files.delete(link);
    }
    assertAllThere();
  }

  @Test
  void shouldNotUseAgainWhatIsBeingRead() throws Exception {
    append(body('a'));
    roll('a');
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(0);
      assertTrue(cursor.next(view, journal.nextOrdinal()));
      removeFinished();
      assertEquals(List.of(), spareFiles());
    }
  }

  @Test
  void shouldNotUseAgainWhereThatIsNotAllowed() throws Exception {
    allowed = false;
    append(body('a'));
    roll('a');
    removeFinished();
    assertEquals(List.of(), spareFiles());
    roll('a');
    removeFinished();
    assertTrue(Arrays.equals(new byte[16], salt(newest(), SALT_PLACES.get(0))));
  }

  @Test
  void shouldNotUseAgainWhatTheDiskRefuses() throws Exception {
    append(body('a'));
    roll('a');
    journal.force();
    disk.refuses(path -> path.toString().endsWith(".spare"));
    removeFinished();
    assertEquals(List.of(), spareFiles());
    disk.refuses(path -> false);
    roll('b');
    assertAllThere();
  }

  /** Each step is on disk before the next one, so that a power cut leaves no mixture. */
  @Test
  void shouldChangeAFileOnlyWhenItsNameIsGoneForGood() throws Exception {
    List<String> steps = new ArrayList<>();
    Disk watched =
        new Disk() {
          @Override
          public void move(Path from, Path to) throws IOException {
            super.move(from, to);
            steps.add("to " + to.getFileName());
          }

          @Override
          public void forceDirectory(Path of) throws IOException {
            for (Path spare : spareFiles()) {
              steps.add("directory, head " + (isCleared(spare) ? "cleared" : "old"));
            }
          }

          @Override
          public void force(Path file, boolean withSize) throws IOException {
            if (file.toString().endsWith(".spare")) {
              steps.add("file, head " + (isCleared(file) ? "cleared" : "old"));
            }
          }
        };
    dead.add(journal);
    try (SyncThread watching = new SyncThread(3_600_000, watched)) {
      journal = new ChronicleJournal(dir, Batches.options(fileBytes).with(spares), watching);
      append(body('a'));
      String file = newest().getFileName().toString().replace(".cq4", "");
      roll('a');
      removeFinished();
      roll('a');
      String next = newest().getFileName().toString().replace(".cq4", "");
      assertEquals(
          List.of(
              "to " + file + ".spare",
              "directory, head old",
              "file, head cleared",
              "to " + next + ".precreated"),
          steps);
      journal.close();
    }
    open();
  }

  private static boolean isCleared(Path file) throws IOException {
    byte[] head = Arrays.copyOf(Files.readAllBytes(file), 20 << 10);
    boolean isSalted = false;
    for (int place : SALT_PLACES) {
      isSalted |= head[place] != 0;
      Arrays.fill(head, place, place + 16, (byte) 0);
    }
    return isSalted && Arrays.equals(new byte[head.length], head);
  }

  /** While nobody appends, the disk has no more than what the journal holds. */
  @Test
  void shouldGiveBackWhatIsOldWhenIdle() throws Exception {
    useAgain();
    append(body('n'));
    Path file = newest();
    assertTrue(DurableFiles.allocatedBytes(file) > FILE_BYTES - (16 << 10));
    assertTrue(journal.diskBytes() < FILE_BYTES / 2, "disk " + journal.diskBytes());
    journal.closeIdle();
    assertTrue(DurableFiles.allocatedBytes(file) < 48 << 10);
    for (int i = 0; i < 60; i++) {
      append(body('m'));
    }
    assertEquals(file, newest());
    assertAllThere();
    crash();
    assertAllThere();
  }

  /** Records of the same size: the old ones stand where the new ones would go on. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 30})
  void shouldTakeOldRecordsBehindTheEndForTheEnd(int records) throws Exception {
    byte[] old = useAgain();
    for (int i = 0; i < records; i++) {
      append(body('n'));
    }
    putBack(old, newest(), Math.max(end(last), 20 << 10));
    crash();
    assertAllThere();
    append("more");
    assertAllThere();
  }

  @Test
  void shouldTakeAnyOldContentBehindTheEndForTheEnd() throws Exception {
    byte[] old = useAgain();
    for (int i = 0; i < 20; i++) {
      append(body('n'));
    }
    Path file = newest();
    int end = end(last);
    // Whatever stands there: in the middle of a record, text that looks like a header.
    for (int shift = 4; shift < 1200; shift += 52) {
      byte[] moved = old.clone();
      System.arraycopy(old, end, moved, end + shift, (int) FILE_BYTES - end - shift);
      Arrays.fill(moved, end, end + shift, (byte) ('@' + shift % 64));
      putBack(moved, file, end);
      crash();
      assertAllThere();
    }
  }

  /** A publisher knows how a record looks, but not the salt. */
  @Test
  void shouldNotTakeABodyForARecord() throws Exception {
    useAgain();
    for (int i = 0; i < 20; i++) {
      append(body('n'));
    }
    Path file = newest();
    int end = end(last);
    ByteBuffer forged = ByteBuffer.allocate(1 << 10);
    byte[] text = "forged".getBytes(StandardCharsets.UTF_8);
    ByteBuffer section = ByteBuffer.allocate(4 + text.length).putInt(text.length).put(text).flip();
    int bytes = RecordCodec.JOURNAL_HEAD_BYTES + section.remaining();
    forged.order(ByteOrder.LITTLE_ENDIAN).putInt(0, bytes).order(ByteOrder.BIG_ENDIAN);
    RecordCodec.putHead(forged, 4, RecordCodec.JOURNAL_MAGIC, RecordCodec.TYPE_BATCH, bytes, 1);
    forged.putLong(4 + RecordCodec.ORDINAL_OFFSET, last.endOrdinal());
    forged.put(4 + RecordCodec.JOURNAL_HEAD_BYTES, section.array());
    int crc =
        RecordCodec.finishCrc(
            RecordCodec.startCrc(section), forged, 4, RecordCodec.JOURNAL_HEAD_BYTES);
    RecordCodec.putCrc(forged, 4, crc);
    overwrite(file, end, forged.array());
    crash();
    assertAllThere();
    // Nor where the chain is broken before it, and the rest of the file is searched.
    overwrite(file, 0, new byte[PAGE_BYTES]);
    crash();
    assertAllThere();
  }

  @ParameterizedTest
  @CsvSource({"-4, 8", "-2, 255", "-1, 32", "-1, 64", "-1, 128"})
  void shouldNotBringBackWhatIsOldBehindADamagedHeader(int offset, int bits) throws Exception {
    byte[] old = useAgain();
    Batch damaged = appendMany(30).get(15);
    Path file = newest();
    putBack(old, file, end(last));
    int at = Position.offset(damaged.position()) + offset;
    byte now = Files.readAllBytes(file)[at];
    overwrite(file, at, new byte[] {(byte) (now ^ bits)});
    crash();
    assertAllThere();
    // And the file's own header.
    overwrite(file, 0, new byte[200]);
    crash();
    assertAllThere();
  }

  /** A page that is old in the middle: what it leads to, if that is a header, is not followed. */
  @ParameterizedTest
  @CsvSource({
    "false", // as long as an index array, to the middle of a record
    "true" // to the header of a later record
  })
  void shouldNotPassOverRecordsBehindAnOldPage(boolean toAHeader) throws Exception {
    useAgain();
    List<Batch> appended = appendMany(40);
    Batch damaged = appended.get(15);
    int header = Position.offset(damaged.position()) - 4;
    int bytes = toAHeader ? Position.offset(appended.get(20).position()) - 4 - header - 4 : 8200;
    ByteBuffer old = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
    old.putInt(0, 0x4000_0000 | bytes);
    overwrite(newest(), header, old.array());
    expected.remove(damaged.firstOrdinal());
    crash();
    assertAllThere(1);
  }

  @Test
  void shouldLoseNoMoreThanADamagedRecord() throws Exception {
    byte[] old = useAgain();
    Batch damaged = appendMany(30).get(15);
    putBack(old, newest(), end(last));
    harm(damaged);
    crash();
    assertAllThere(1);
  }

  /**
   * The file's header is older than what is behind, as redo leaves it: what it notes as the last
   * record is the one before the damaged one.
   */
  @Test
  void shouldLoseNoMoreThanADamagedRecordBehindAnOldHeader() throws Exception {
    byte[] old = useAgain();
    appendMany(15);
    byte[] header = Arrays.copyOf(Files.readAllBytes(newest()), 256);
    Batch damaged = appendMany(15).get(0);
    putBack(old, newest(), end(last));
    overwrite(newest(), 0, header);
    crash();
    assertAllThere();
    harm(damaged);
    crash();
    assertAllThere(1);
  }

  /** The salt stands in two blocks; without the first page the rest is searched. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void shouldReadAllWithoutOneBlockOfTheHead(int page) throws Exception {
    useAgain();
    appendMany(30);
    overwrite(newest(), page * PAGE_BYTES, new byte[PAGE_BYTES]);
    crash();
    assertAllThere();
  }

  /**
   * Chronicle puts an index array behind every 16384th record and expects zeros there; what is old
   * would be entries of it, where it looks like some: four bytes and four zeros.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  void shouldClearBehindLargeBodies(int shift) throws Exception {
    journal.close();
    fileBytes = 3 << 20;
    open();
    String entries = "-".repeat(shift) + "aaaa\0\0\0\0".repeat(10_000);
    append(entries);
    final Path file = newest();
    int files = journal.fileNumbers().size();
    while (journal.fileNumbers().size() == files) {
      append(entries);
    }
    removeFinished();
    while (journal.fileNumbers().size() == 1) {
      append(entries);
    }
    assertFalse(Files.exists(file));
    final long first = last.firstOrdinal();
    while (last.firstOrdinal() - first < 16_370) {
      append("s" + expected.size());
    }
    for (int i = 0; i < 40; i++) {
      append(i + "L".repeat(20_000));
    }
    for (int i = 0; i < 400; i++) {
      append("s" + i);
    }
    journal.closeIdle();
    append("more");
    assertEquals(first, journal.files().get(newest()));
    long records = last.endOrdinal() - first;
    int cycle = Position.cycle(last.position());
    assertEquals((records + 15) / 16, new ExcerptIndex(new LogView(dir), cycle).size());
    assertAllThere();
    crash();
    assertAllThere();
  }
}
