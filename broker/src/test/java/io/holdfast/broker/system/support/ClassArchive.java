package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The classes of the broker as the JVM maps them, made once and used by each broker that the tests
 * start: hundreds of them, and without it each takes seconds of processor time to load its classes.
 *
 * <p>Only where the system property {@value #FILE} says where to put it, as the build does.
 */
final class ClassArchive {
  /** Names the file. */
  static final String FILE = "holdfast.test.archive";

  /** The JVM writes it at its end. */
  private static final Duration WRITTEN = Duration.ofMinutes(2);

  private static List<String> options;

  private ClassArchive() {}

  /** What the JVM is to be started with: nothing when there is no archive. */
  static synchronized List<String> options() {
    if (options == null) {
      String file = System.getProperty(FILE);
      options = file == null ? List.of() : make(Path.of(file).toAbsolutePath());
    }
    return options;
  }

  private static List<String> make(Path archive) {
    try {
      Files.deleteIfExists(archive);
      // Set before it starts: it is a broker like the others.
      options = List.of("-XX:ArchiveClassesAtExit=" + archive, "-Xlog:cds*=off");
      try (BrokerProcess broker = BrokerProcess.started()) {
        broker.http().post("/pub?topic=t", "first");
        broker.http().post("/channel/create?topic=t&channel=c", "");
        try (RawNsqConnection consumer = broker.subscribe("t", "c").line("RDY 1")) {
          consumer.fin(consumer.message()).flushed();
        }
        broker.http().get("/stats?format=json");
        broker.http().get("/metrics");
        broker.signal("TERM").awaitExit(WRITTEN);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (!Files.isRegularFile(archive)) {
      System.out.println("no class archive " + archive + ": each broker loads its classes anew");
      return List.of();
    }
    // Where it does not fit, such as with another collector, the JVM is to do without, quietly.
    return List.of("-XX:SharedArchiveFile=" + archive, "-Xshare:auto", "-Xlog:cds*=off");
  }
}
