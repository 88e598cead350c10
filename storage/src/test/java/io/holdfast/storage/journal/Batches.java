package io.holdfast.storage.journal;

import io.holdfast.storage.log.SizeRollCycle;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.Position;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Batches of text for the tests, and reading them back. */
public final class Batches {
  private Batches() {}

  static final int MAX_RECORD_BYTES = 100_000;

  /** Small files, so that a test rolls often; a sync only where it is asked for. */
  public static StorageOptions options(long maxBytesPerFile) {
    return new StorageOptions(maxBytesPerFile, MAX_RECORD_BYTES, false, 0);
  }

  public static Batch of(String... bodies) {
    return of(0, List.of(bodies));
  }

  public static Batch of(long deferMs, List<String> bodies) {
    int bytes = 0;
    for (String body : bodies) {
      bytes += Integer.BYTES + body.getBytes(StandardCharsets.UTF_8).length;
    }
    ByteBuffer section = ByteBuffer.allocateDirect(bytes);
    for (String body : bodies) {
      byte[] utf8 = body.getBytes(StandardCharsets.UTF_8);
      section.putInt(utf8.length).put(utf8);
    }
    return new Batch(section.flip(), bodies.size(), deferMs);
  }

  public static String text(MessageView view) {
    return StandardCharsets.UTF_8.decode(view.body().duplicate()).toString();
  }

  public static MessageRef ref(MessageView view) {
    return new MessageRef(
        view.ordinal(), view.batchPosition(), view.bodyOffset(), view.bodyLength(), 0);
  }

  /** Everything a journal has from an ordinal on, by ordinal. */
  public static Map<Long, String> readAll(Journal journal, long from) throws Exception {
    Map<Long, String> read = new TreeMap<>();
    MessageView view = new MessageView();
    try (JournalCursor cursor = journal.cursor()) {
      cursor.moveTo(from);
      while (cursor.next(view, journal.nextOrdinal())) {
        read.put(view.ordinal(), text(view));
      }
    }
    return read;
  }

  /** The file a batch was written to. */
  public static Path file(Path dir, Batch batch) {
    return dir.resolve(SizeRollCycle.fileName(Position.cycle(batch.position())));
  }
}
