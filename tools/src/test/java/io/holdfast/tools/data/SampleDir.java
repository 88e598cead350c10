package io.holdfast.tools.data;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.ledger.Ledger;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * A data directory made by the storage itself. Topic {@code orders}: 10 batches of 10 messages
 * {@code m0} to {@code m99}, the batch of 50 to 59 deferred for an hour. Channel {@code a} has
 * finished 0 to 89 but for 7, which had 3 attempts; {@code b} (paused) has nothing finished, 20 is
 * deferred for long. Topic {@code lonely} has no channel and 3 messages.
 */
final class SampleDir {
  static final int BATCHES = 10;
  static final int PER_BATCH = 10;
  private static final StorageOptions OPTIONS = new StorageOptions(1 << 20, 1 << 20, false, 0);

  private final Path root;
  private final List<Batch> batches = new ArrayList<>();

  private SampleDir(Path root) {
    this.root = root;
  }

  static SampleDir create(Path root) throws IOException {
    SampleDir sample = new SampleDir(root);
    Files.createDirectories(root);
    try (DataDir dir = DataDir.open(root);
        SyncThread sync = new SyncThread(1000)) {
      dir.createTopic("orders");
      try (ChronicleJournal journal =
          new ChronicleJournal(dir.journalDir("orders"), OPTIONS, sync)) {
        for (int i = 0; i < BATCHES; i++) {
          Batch batch = batch("m", i * PER_BATCH, PER_BATCH, i == 5 ? 3_600_000 : 0);
          journal.append(batch);
          sample.batches.add(batch);
        }
      }
      dir.createTopic("lonely");
      try (ChronicleJournal journal =
          new ChronicleJournal(dir.journalDir("lonely"), OPTIONS, sync)) {
        journal.append(batch("l", 0, 3, 0));
      }
      dir.createChannel("orders", "a");
      try (Ledger ledger = new Ledger(dir.channelDir("orders", "a"), sync)) {
        OrdinalRanges finished = new OrdinalRanges();
        finished.add(0, 7);
        finished.add(8, 90);
        ledger.hold(List.of(sample.held(7, 3, 0)));
        ledger.finish(finished);
      }
      dir.createChannel("orders", "b");
      try (Ledger ledger = new Ledger(dir.channelDir("orders", "b"), sync)) {
        ledger.hold(List.of(sample.held(20, 1, System.currentTimeMillis() + 3_600_000)));
      }
      dir.writeMetadata(
          new Metadata(
              DataFormat.FIRST,
              1000,
              List.of(
                  new Metadata.TopicEntry("lonely", 900, false, 0, List.of()),
                  new Metadata.TopicEntry(
                      "orders",
                      1000,
                      false,
                      -1,
                      List.of(
                          new Metadata.ChannelEntry("a", false),
                          new Metadata.ChannelEntry("b", true))))));
    }
    return sample;
  }

  static Batch batch(String prefix, int from, int count, long deferMs) {
    ByteBuffer section = ByteBuffer.allocate(count * 16);
    for (int i = from; i < from + count; i++) {
      byte[] body = (prefix + i).getBytes(StandardCharsets.UTF_8);
      section.putInt(body.length).put(body);
    }
    return new Batch(section.flip(), count, deferMs);
  }

  private HeldMessage held(int ordinal, int attempts, long dueMs) {
    Batch batch = batches.get(ordinal / PER_BATCH);
    int offset = batch.sectionOffset() + 4;
    for (int i = ordinal / PER_BATCH * PER_BATCH; i < ordinal; i++) {
      offset += 4 + ("m" + i).length();
    }
    int length = ("m" + ordinal).length();
    return new HeldMessage(
        new MessageRef(ordinal, batch.position(), offset, length, attempts), dueMs);
  }

  /** The one journal file of topic orders. */
  Path journalFile() throws IOException {
    return file(root.resolve("topics/orders/journal"));
  }

  /** The one ledger file of channel a. */
  Path ledgerFile() throws IOException {
    return file(root.resolve("topics/orders/channels/a"));
  }

  private static Path file(Path dir) throws IOException {
    try (var files = Files.list(dir)) {
      return files.filter(f -> f.toString().endsWith(".cq4")).findFirst().orElseThrow();
    }
  }

  /** File offset of a batch's record. */
  long recordOffset(int batch) {
    return (int) batches.get(batch).position();
  }

  /** Overwrites four bytes. */
  static void overwrite(Path file, long offset, int littleEndian) throws IOException {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.seek(offset);
      out.writeInt(Integer.reverseBytes(littleEndian));
    }
  }

  /** Name, size, time and checksum of everything in a directory. */
  static Map<String, String> fingerprint(Path dir) throws IOException {
    TreeMap<String, String> all = new TreeMap<>();
    try (var files = Files.walk(dir)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String text = Files.getLastModifiedTime(file).toString();
        if (Files.isRegularFile(file)) {
          CRC32 crc = new CRC32();
          crc.update(Files.readAllBytes(file));
          text += " " + Files.size(file) + " " + crc.getValue();
        }
        all.put(dir.relativize(file).toString(), text);
      }
    }
    return all;
  }
}
