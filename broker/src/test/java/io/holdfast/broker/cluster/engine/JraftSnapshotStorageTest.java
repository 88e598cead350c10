package io.holdfast.broker.cluster.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.entity.LocalFileMetaOutter.LocalFileMeta;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.io.FileReader;
import com.alipay.sofa.jraft.storage.snapshot.Snapshot;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotMetaTable;
import com.alipay.sofa.jraft.util.ByteBufferCollector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of a snapshot's files is sent to another node. */
class JraftSnapshotStorageTest {
  private static final int BLOCK = 4096;
  private static final int PER_REQUEST = 64 << 10;
  private static final long MAPPED = 64 << 20;

  @TempDir Path dir;
  private final RaftOptions options = new RaftOptions();
  private final LocalSnapshotMetaTable table = new LocalSnapshotMetaTable(options);

  private byte[] file(String name, int bytes, long length) throws IOException {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    try (RandomAccessFile file = new RandomAccessFile(dir.resolve(name).toFile(), "rw")) {
      file.write(content);
      file.setLength(length);
    }
    table.addFile(name, LocalFileMeta.newBuilder().build());
    return content;
  }

  /** As the other node asks, request by request. */
  private byte[] sent(FileReader reader, String name) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int read = 0;
    while (read != FileReader.EOF) {
      ByteBufferCollector part = ByteBufferCollector.allocate(1024);
      read = reader.readFile(part, name, all.size(), PER_REQUEST);
      ByteBuffer bytes = part.getBuffer().flip();
      byte[] some = new byte[bytes.remaining()];
      bytes.get(some);
      all.write(some);
      assertTrue(read == FileReader.EOF || read == some.length);
    }
    return all.toByteArray();
  }

  @Test
  void shouldSendNoHole() throws Exception {
    final byte[] newest = file("newest", 300_000, MAPPED);
    final byte[] whole = file("whole", 3 * PER_REQUEST, 3 * PER_REQUEST);
    final byte[] odd = file("odd", 77, 77);
    file("empty", 0, 0);
    file("hole", 0, MAPPED);
    table.saveToFile(dir.resolve(Snapshot.JRAFT_SNAPSHOT_META_FILE).toString());
    FileReader reader = new JraftSnapshotStorage.FileReader(dir.toString(), options);

    byte[] sent = sent(reader, "newest");
    assertTrue(sent.length <= newest.length + BLOCK, "sent " + sent.length);
    assertArrayEquals(newest, Arrays.copyOf(sent, newest.length));
    assertArrayEquals(whole, sent(reader, "whole"));
    assertArrayEquals(odd, sent(reader, "odd"));
    assertArrayEquals(new byte[0], sent(reader, "empty"));
    assertArrayEquals(new byte[0], sent(reader, "hole"));
    assertTrue(sent(reader, Snapshot.JRAFT_SNAPSHOT_META_FILE).length > 0);
  }

  /** Written to since, as a journal is: what comes is one state of it, or an older one. */
  @Test
  void shouldEndWhereTheDataEndedAtFirst() throws Exception {
    final byte[] before = file("newest", 2 * PER_REQUEST, MAPPED);
    table.saveToFile(dir.resolve(Snapshot.JRAFT_SNAPSHOT_META_FILE).toString());
    FileReader reader = new JraftSnapshotStorage.FileReader(dir.toString(), options);
    reader.readFile(ByteBufferCollector.allocate(1024), "newest", 0, PER_REQUEST);
    Files.write(dir.resolve("newest"), new byte[4 * PER_REQUEST]);
    Files.write(dir.resolve("newest"), before);
    assertArrayEquals(before, sent(reader, "newest"));
  }
}
