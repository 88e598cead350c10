package io.holdfast.broker.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Publishers and consumers of all habits on several topics and channels, topics and channels that
 * come and go, are paused and emptied, small journal files, and a broker that dies every few
 * seconds: at random, and aimed at what takes milliseconds only. In rounds, see {@link SoakRound}.
 * Not part of {@code mvn verify}; the command is in the package's description.
 *
 * <p>System properties: {@code holdfast.soak.seconds} (in all, 120), {@code holdfast.soak.kills}
 * (ends the run when so many were done, whatever the time; 0 for no such limit), {@code
 * holdfast.soak.round.seconds} (60), {@code holdfast.soak.durability} (written, synced, or both:
 * one of them at each start), {@code holdfast.soak.seed}, {@code holdfast.soak.flags} (further
 * flags of the broker, separated by spaces), {@code holdfast.soak.life} (1; 6 has the broker live
 * six times longer, for a machine on which it starts and stops slowly), {@code holdfast.soak.bound}
 * (false: more disk than 2 x live bytes + 2 files is reported only), {@code holdfast.jar}. After a
 * failure the data path is kept; its place is printed with the seed.
 */
class KillSoak {
  private static final int SECONDS = Integer.getInteger("holdfast.soak.seconds", 120);
  private static final int KILLS = Integer.getInteger("holdfast.soak.kills", 0);
  private static final int ROUND_SECONDS = Integer.getInteger("holdfast.soak.round.seconds", 60);
  private static final String DURABILITY = System.getProperty("holdfast.soak.durability", "both");
  private static final boolean BOUND =
      Boolean.parseBoolean(System.getProperty("holdfast.soak.bound", "true"));
  private static final int MSG_TIMEOUT_MS = 4000;

  /** What must not happen, and is in the report even if it did not. */
  private static final List<String> NEVER =
      List.of(
          "lost", "corrupt", "torn MPUB", "early", "finished came back", "came back after empty");

  private final long seed = Long.getLong("holdfast.soak.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final SoakReport report = new SoakReport();
  private final SoakBroker broker =
      new SoakBroker(
          report,
          random,
          DURABILITY,
          SoakRound.TOPICS,
          SoakRound.CHANNELS.get(0),
          Stream.concat(
                  Stream.of(
                      "--max-bytes-per-file=1048576", "--msg-timeout=" + MSG_TIMEOUT_MS + "ms"),
                  Stream.of(System.getProperty("holdfast.soak.flags", "").split(" "))
                      .filter(f -> !f.isEmpty()))
              .toList());

  @Test
  void shouldLoseNothing() throws Exception {
    System.out.println("seed " + seed + " data path " + broker.process().dataPath());
    int maxKills = KILLS == 0 ? Integer.MAX_VALUE : KILLS;
    long startNs = System.nanoTime();
    long endNs =
        KILLS == 0 ? startNs + TimeUnit.SECONDS.toNanos(SECONDS) : startNs + Long.MAX_VALUE / 2;
    try {
      broker.start();
      for (String topic : SoakRound.TOPICS) {
        broker.post("/topic/create?topic=" + topic);
        for (String channel : SoakRound.CHANNELS) {
          broker.post("/channel/create?topic=" + topic + "&channel=" + channel);
        }
      }
      for (int round = 1;
          System.nanoTime() < endNs && report.kills() < maxKills && report.isClean();
          round++) {
        long roundEndNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(ROUND_SECONDS);
        new SoakRound(broker, report, random, round, MSG_TIMEOUT_MS)
            .run(round, Math.min(endNs, roundEndNs), maxKills, BOUND);
        System.out.printf(
            "round %d after %d s: kills %d OK'd %d delivered %d finished %d, %s%n",
            round,
            secondsSince(startNs),
            report.kills(),
            report.get("OK'd"),
            report.get("delivered"),
            report.get("finished"),
            broker.files().diskUse());
      }
    } catch (RuntimeException | Error e) {
      report.violation("failure", e.toString());
      throw e;
    } finally {
      report(secondsSince(startNs));
    }
    assertEquals("", report.violations(), "seed " + seed);
  }

  private static long secondsSince(long startNs) {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNs);
  }

  private void report(long seconds) throws IOException {
    broker.countLogLines();
    System.out.printf(
        "kill soak: seed=%d durability=%s seconds=%d kills=%d%n",
        seed, DURABILITY, seconds, report.kills());
    System.out.print(report);
    for (String kind : NEVER) {
      System.out.println("  " + kind + " = " + report.get("VIOLATION " + kind));
    }
    if (!report.isClean()) {
      keep();
    }
    broker.process().close();
  }

  /** Copies data path and logs, as a kill leaves them, to where they outlive this run. */
  private void keep() throws IOException {
    if (broker.process().isAlive()) {
      Files.writeString(
          broker.process().home().resolve("stats.json"),
          broker.process().http().stats("").toPrettyString());
      broker.process().kill9();
    }
    Path to = Files.createTempDirectory("holdfast-kill-soak");
    try (Stream<Path> files = Files.walk(broker.process().home())) {
      for (Path file : files.toList()) {
        Path copy = to.resolve(broker.process().home().relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy);
        }
      }
    }
    System.out.println("data path and logs kept in " + to);
  }
}
