package io.holdfast.broker.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an id is made of survives everything: options, deletions, kills. */
class BrokerIdsTest {
  /** Far above what the clock would give, so that only what is written down keeps ids apart. */
  private static final long FAR_BASE = 1L << 51;

  private static final int MESSAGES = 10;

  @TempDir Path dir;

  /** Keeps a copy of the directory before each step, as a kill there would leave it. */
  private static final class CopyingDisk extends Disk {
    private final Path root;
    private final Path copies;
    private final List<Path> taken = new ArrayList<>();
    private boolean on;

    CopyingDisk(Path root, Path copies) {
      this.root = root;
      this.copies = copies;
    }

    private synchronized void step() {
      if (!on) {
        return;
      }
      try {
        Path copy = copies.resolve(Integer.toString(taken.size()));
        copyTree(root, copy);
        taken.add(copy);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void move(Path from, Path to) throws IOException {
      step();
      super.move(from, to);
    }

    @Override
    public void forceDirectory(Path of) throws IOException {
      step();
      super.forceDirectory(of);
    }

    @Override
    public void delete(Path path) throws IOException {
      step();
      super.delete(path);
    }
  }

  private static void copyTree(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectories(to.resolve(from.relativize(visited).toString()));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!file.toString().endsWith(".cq4t")) {
              Files.copy(
                  file,
                  to.resolve(from.relativize(file).toString()),
                  StandardCopyOption.REPLACE_EXISTING);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static Options options(Path dataPath, int nodeId) {
    return Options.builder()
        .set("data-path", dataPath.toString())
        .set("node-id", Integer.toString(nodeId))
        .build();
  }

  private static void publish(Topic topic) throws BrokerException {
    ByteBuf section = Unpooled.directBuffer();
    try {
      for (int i = 0; i < MESSAGES; i++) {
        section.writeInt(1).writeByte('x');
      }
      topic.putMessages(section.nioBuffer(), MESSAGES, 0, 0, null);
    } finally {
      section.release();
    }
  }

  @Test
  void shouldNotGiveAnIdOutAgainWhereverAKillCutsADeletion() throws Exception {
    Path data = Files.createDirectory(dir.resolve("data"));
    try (DataDir made = DataDir.open(data)) {
      made.writeMetadata(new Metadata(DataFormat.FIRST, FAR_BASE, List.of()));
    }
    CopyingDisk disk = new CopyingDisk(data, dir);
    Broker broker = new Broker(options(data, 1), disk);
    long begin;
    long end;
    try {
      Topic topic = broker.topic("t");
      topic.channel("c");
      publish(topic);
      end = topic.idEnd();
      begin = end - MESSAGES;
      assertTrue(begin > FAR_BASE);
      disk.on = true;
      assertTrue(broker.deleteTopic("t"));
      disk.step();
      disk.on = false;
    } finally {
      broker.exit();
    }
    assertTrue(disk.taken.size() > 5, () -> "steps " + disk.taken.size());
    int gone = 0;
    for (Path copy : disk.taken) {
      Broker next = new Broker(options(copy, 1));
      try {
        boolean isGone = next.existingTopic("t") == null;
        long before = next.topic("t").idEnd();
        String step = copy.getFileName().toString();
        if (isGone) {
          gone++;
          assertTrue(before >= end, () -> step + ": ids from " + before + ", used to " + end);
        } else {
          assertEquals(end, before, step);
        }
      } finally {
        next.exit();
      }
    }
    assertTrue(gone > 1 && gone < disk.taken.size(), "kills before and after the deletion");
  }

  @Test
  void shouldKeepATopicThatCannotBeDeleted() throws Exception {
    Path data = Files.createDirectory(dir.resolve("data"));
    boolean[] broken = new boolean[1];
    Disk disk =
        new Disk() {
          @Override
          public void force(Path file, boolean withSize) throws IOException {
            if (broken[0] && file.getFileName().toString().startsWith("meta.")) {
              throw new IOException("no");
            }
            super.force(file, withSize);
          }
        };
    Broker broker = new Broker(options(data, 1), disk);
    try {
      publish(broker.topic("t"));
      broken[0] = true;
      assertThrows(IOException.class, () -> broker.deleteTopic("t"));
      publish(broker.existingTopic("t"));
      broken[0] = false;
      assertTrue(broker.deleteTopic("t"));
      assertFalse(Files.exists(data.resolve("topics/t")));
    } finally {
      broker.exit();
    }
  }

  @Test
  void shouldKeepTheNodeIdOfATopicThatIsThere() throws Exception {
    Path data = Files.createDirectory(dir.resolve("data"));
    startWith(data, 1, "old");
    // A directory of 1.0 does not have it: it gets that of its next start.
    String meta = Files.readString(data.resolve("meta.json"));
    assertTrue(meta.contains("\"node_id\" : 1"), meta);
    Files.writeString(
        data.resolve("meta.json"),
        meta.replaceAll(",\\s*\"node_id\" : 1", "").replaceAll(",\\s*\"crc32c\" : \"\\w+\"", ""));
    startWith(data, 2, "new");
    startWith(data, 3, "newest");
    String now = Files.readString(data.resolve("meta.json"));
    try (Stream<String> lines = now.lines()) {
      assertEquals(
          List.of("2", "2", "3"),
          lines
              .filter(line -> line.contains("\"node_id\""))
              .map(line -> line.replaceAll("\\D", ""))
              .sorted()
              .toList(),
          now);
    }
  }

  private static void startWith(Path data, int nodeId, String topic) throws Exception {
    Broker broker = new Broker(options(data, nodeId));
    try {
      publish(broker.topic(topic));
    } finally {
      broker.exit();
    }
  }
}
