package io.holdfast.tools.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DataFormat;
import io.holdfast.storage.topic.Metadata;
import io.holdfast.tools.ToolProcess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Blocks that a real disk cannot read are named, and read round. */
class FailingDiskSystemTest {
  private static final int MESSAGES = 60;
  private static final int BODY_BYTES = 1000;
  private static final int BLOCK_BYTES = 4096;
  private static final int SKIPPED = 77;
  private static final Pattern BODY = Pattern.compile("\"body\":\"(\\d+):");

  /** The one that the broker's tests have; compiled here because a module cannot see it there. */
  private static final String DISK = "../broker/src/test/resources/failingdisk.c";

  @TempDir Path temp;
  private final List<Batch> batches = new ArrayList<>();

  private static String body(int number) {
    return (number + ":").concat("x".repeat(BODY_BYTES)).substring(0, BODY_BYTES);
  }

  private Path create() throws IOException {
    Path root = Files.createDirectory(temp.resolve("data"));
    try (DataDir dir = DataDir.open(root);
        SyncThread sync = new SyncThread(1000)) {
      dir.createTopic("t");
      dir.createChannel("t", "c");
      StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
      try (ChronicleJournal journal = new ChronicleJournal(dir.journalDir("t"), options, sync)) {
        for (int i = 0; i < MESSAGES; i++) {
          byte[] body = body(i).getBytes(StandardCharsets.UTF_8);
          ByteBuffer section = ByteBuffer.allocate(Integer.BYTES + body.length);
          batches.add(new Batch(section.putInt(body.length).put(body).flip(), 1, 0));
          journal.append(batches.get(i));
        }
      }
      dir.writeMetadata(
          new Metadata(
              DataFormat.FIRST,
              1000,
              List.of(
                  new Metadata.TopicEntry(
                      "t", 900, false, -1, List.of(new Metadata.ChannelEntry("c", false))))));
    }
    try (Stream<Path> files = Files.list(root.resolve("topics/t/journal"))) {
      return files.filter(f -> f.toString().endsWith(".cq4")).findFirst().orElseThrow();
    }
  }

  private static Set<Integer> numbers(String export) {
    Set<Integer> numbers = new TreeSet<>();
    Matcher bodies = BODY.matcher(export);
    while (bodies.find()) {
      numbers.add(Integer.parseInt(bodies.group(1)));
    }
    return numbers;
  }

  @Test
  void shouldNameAndReadRoundABlockThatCannotBeRead() throws Exception {
    Path file = create();
    long block = (batches.get(30).position() & 0xffff_ffffL) / BLOCK_BYTES * BLOCK_BYTES;
    Set<Integer> expected = new TreeSet<>();
    for (int i = 0; i < MESSAGES; i++) {
      long begin = batches.get(i).position() & 0xffff_ffffL;
      if (begin >= block + BLOCK_BYTES || begin + 44 + BODY_BYTES <= block) {
        expected.add(i);
      }
    }
    assertTrue(expected.size() >= MESSAGES - 6 && expected.size() < MESSAGES, expected::toString);
    String script =
        """
        cd TEMP
        gcc -O -o failingdisk SOURCE -lfuse3 -lpthread || exit 77
        mkdir mnt
        echo "topics/t/journal/FILE BLOCK" > list
        ./failingdisk "$PWD/data" "$PWD/list" "$PWD/mnt" -f &
        disk=$!
        trap 'umount -l mnt; kill $disk' EXIT
        for i in $(seq 200); do
          test -e list.seen && grep -q " $PWD/mnt fuse" /proc/mounts && break
          kill -0 $disk || exit 77
          sleep 0.1
        done
        cat mnt/topics/t/journal/FILE > /dev/null 2> read.txt && echo "the block was read"
        $TOOLS verify mnt > verify.txt; echo "verify $?"
        $TOOLS export mnt -t t -c c > export.txt; echo "export $?"
        $TOOLS dump mnt --format json > dump.txt; echo "dump $?"
        $TOOLS verify mnt --repair mended > repair.txt; echo "repair $?"
        $TOOLS verify mended > mended.txt; echo "mended $?"
        $TOOLS export mended -t t -c c > mended-export.txt; echo "export $?"
        """
            .replace("TEMP", temp.toString())
            .replace("SOURCE", Path.of(DISK).toAbsolutePath().toString())
            .replace("FILE", file.getFileName().toString())
            .replace("BLOCK", Long.toString(block));
    try (ToolProcess run = ToolProcess.start(temp, script)) {
      int code = run.code();
      if (code == SKIPPED) {
        System.out.println("SKIPPED: no disk with faults can be had here: " + run.err());
        Assumptions.abort("no disk with faults can be had here");
      }
      assertEquals(
          "verify 1\nexport 1\ndump 0\nrepair 1\nmended 0\nexport 0\n", run.out(), run::err);
    }
    String verify = Files.readString(temp.resolve("verify.txt"));
    assertTrue(verify.contains(file.getFileName().toString()), verify);
    assertTrue(verify.contains("the disk cannot read the block at " + block), verify);
    assertEquals(expected, numbers(Files.readString(temp.resolve("export.txt"))));
    assertEquals(expected, numbers(Files.readString(temp.resolve("mended-export.txt"))));
  }
}
