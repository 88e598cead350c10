package io.holdfast.broker.bench;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.storage.journal.StorageOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** What the benchmarks work on: 200-byte bodies, and directories that go away. */
final class BenchData {
  static final int BODY_BYTES = 200;

  /** As the broker's defaults have them. */
  static final StorageOptions STORAGE = new StorageOptions(64L << 20, 5 << 20, false, 2500);

  static {
    // The broker's own words would get between JMH's.
    ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
  }

  private BenchData() {}

  static byte[] body(int bytes) {
    byte[] body = new byte[bytes];
    new Random(1).nextBytes(body);
    return body;
  }

  /** So many messages of 200 bytes as MPUB has them: length and body each. */
  static ByteBuffer section(int messages) {
    return section(messages, BODY_BYTES);
  }

  static ByteBuffer section(int messages, int bodyBytes) {
    ByteBuffer section = ByteBuffer.allocateDirect(messages * (Integer.BYTES + bodyBytes));
    byte[] body = body(bodyBytes);
    for (int i = 0; i < messages; i++) {
      section.putInt(body.length).put(body);
    }
    return section.flip();
  }

  static Path newDirectory() throws IOException {
    return Files.createTempDirectory("holdfast-bench-");
  }

  static void delete(Path dir) throws IOException {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
