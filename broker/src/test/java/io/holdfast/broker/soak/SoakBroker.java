package io.holdfast.broker.soak;

import io.holdfast.broker.soak.KillAim.Phase;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/**
 * The broker under test and the many ways it ends: killed while it works, at what it is doing just
 * then, while it starts, while it stops. Every start has another memory queue size and, unless told
 * otherwise, another durability. Used by one thread, but {@link #post} and {@link #pingIsOk} by
 * any.
 */
final class SoakBroker {
  private static final Duration START_PATIENCE = Duration.ofMinutes(5);
  private static final int AIM_PATIENCE_MS = 4000;

  /** By default; so long consumers may keep what they have when the broker stops. */
  private static final long SHUTDOWN_TIMEOUT_MS = 5000;

  private static final List<String> MEM_QUEUE_SIZES = List.of("0", "1", "10", "10000");
  private static final List<String> DURABILITIES = List.of("written", "synced");

  /** A roll takes about 4 ms, a deletion or a checkpoint a few more. */
  private static final int MAX_AIMED_DELAY_US = 20_000;

  private static final List<Phase> AIMED =
      Stream.of(Phase.values()).filter(p -> p.compareTo(Phase.ROLL) >= 0).toList();

  private final BrokerProcess process = BrokerProcess.of();
  private final DataPathWatch files = new DataPathWatch(process.dataPath());
  private final KillAim aim = new KillAim();
  private final SoakReport report;
  private final Random random;
  private final List<String> durabilities;
  private final List<String> watchedTopics;
  private final String watchedChannel;
  private final List<String> flags;
  private long lastStartMs = 1000;

  /**
   * A broker that is not started yet.
   *
   * @param durability written, synced, or both for one or the other at each start
   * @param watchedTopics rolls and removals of their journals are aimed at, and checkpoints of
   *     their channel
   */
  SoakBroker(
      SoakReport report,
      Random random,
      String durability,
      List<String> watchedTopics,
      String watchedChannel,
      List<String> flags) {
    this.report = report;
    this.random = random;
    this.durabilities = DURABILITIES.contains(durability) ? List.of(durability) : DURABILITIES;
    this.watchedTopics = watchedTopics;
    this.watchedChannel = watchedChannel;
    this.flags = flags;
  }

  BrokerProcess process() {
    return process;
  }

  DataPathWatch files() {
    return files;
  }

  // ---------------------------------------------------------------- start

  /** Starts it and waits until /ping says OK. */
  void start() {
    launch();
    long startNs = System.nanoTime();
    while (!pingIsOk()) {
      if (!process.isAlive()) {
        throw new AssertionError("the broker did not start\n" + process.output());
      }
      if (System.nanoTime() - startNs > START_PATIENCE.toNanos()) {
        throw new AssertionError("no /ping after " + START_PATIENCE + "\n" + process.output());
      }
      LockSupport.parkNanos(10_000_000);
    }
    lastStartMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
    report.max("start, slowest, ms", lastStartMs);
    report.add("start, sum of all, ms", lastStartMs);
    report.count("starts that were waited for");
  }

  /** Whether it serves. Any thread. */
  boolean pingIsOk() {
    try {
      return process.http().get("/ping").status() == 200;
    } catch (UncheckedIOException e) {
      return false; // not listening yet
    }
  }

  private void launch() {
    String durability = oneOf(durabilities);
    String memQueueSize = oneOf(MEM_QUEUE_SIZES);
    report.count("lives with durability " + durability);
    report.count("lives with mem-queue-size " + memQueueSize);
    List<String> args =
        Stream.concat(
                Stream.of(
                    "--tcp-address=127.0.0.1:" + process.tcpPort(),
                    "--http-address=127.0.0.1:" + process.httpPort(),
                    "--data-path=" + process.dataPath(),
                    "--durability=" + durability,
                    "--mem-queue-size=" + memQueueSize),
                flags.stream())
            .toList();
    process.launch(args);
  }

  private String oneOf(List<String> list) {
    return list.get(random.nextInt(list.size()));
  }

  // ---------------------------------------------------------------- ends

  /** Ends the running broker in some way, now and then kills it again while it starts. */
  void endSomehow() throws InterruptedException {
    int how = random.nextInt(20);
    if (how < 5) {
      kill(null);
    } else if (how < 18) {
      Phase phase = AIMED.get(random.nextInt(AIMED.size()));
      kill(awaitPhase(phase) ? phase : null);
    } else {
      report.brokerDied(terminate(how == 19));
    }
    while (random.nextInt(3) == 0) {
      killWhileStarting();
    }
  }

  private boolean awaitPhase(Phase phase) throws InterruptedException {
    String topic = oneOf(watchedTopics);
    return switch (phase) {
      case ROLL -> files.awaitNextFile(files.journal(topic), AIM_PATIENCE_MS);
      case RECLAIM -> files.awaitRemoval(files.journal(topic), AIM_PATIENCE_MS);
      case CHECKPOINT -> files.awaitNextFile(files.ledger(topic, watchedChannel), AIM_PATIENCE_MS);
      default -> aim.await(phase, AIM_PATIENCE_MS);
    };
  }

  /** Kills at once or within milliseconds. */
  private void kill(Phase aimedAt) {
    if (aimedAt != null) {
      int maxUs = random.nextBoolean() ? MAX_AIMED_DELAY_US : MAX_AIMED_DELAY_US / 10;
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(maxUs)));
    }
    List<Phase> phases = new ArrayList<>(aim.running());
    process.kill9();
    if (aimedAt != null && !aimedAt.isRequest()) {
      phases.add(aimedAt);
    }
    for (Phase phase : phases) {
      report.count("kills during " + phase.text());
    }
    if (phases.isEmpty()) {
      report.count("kills while serving only");
    }
    died(SoakReport.KILL + " while serving " + phases);
  }

  private void killWhileStarting() {
    launch();
    long startNs = System.nanoTime();
    if (random.nextBoolean()) {
      // Past the JVM's own start, which is half of it.
      while (process.log().isEmpty() && process.isAlive()) {
        LockSupport.parkNanos(2_000_000);
      }
      sleepMs(random.nextInt((int) Math.max(100, lastStartMs / 2)));
    } else {
      sleepMs(random.nextInt((int) Math.max(100, lastStartMs * 5 / 4)));
    }
    boolean started = pingIsOk();
    if (!process.isAlive()) {
      throw new AssertionError("the broker did not start\n" + process.output());
    }
    boolean recovering = !started && !process.log().isEmpty();
    process.kill9();
    report.max(
        "kill during start, latest, ms",
        started ? 0 : TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
    report.count(
        started
            ? "kills just after the start"
            : recovering ? "kills during start, data path open" : "kills during start of the JVM");
    died(SoakReport.KILL + (started ? " just after the start" : " during the start"));
  }

  /** Kills what serves nobody. */
  void killWhenIdle() {
    process.kill9();
    report.count("kills while idle");
    died(SoakReport.KILL + " while idle");
  }

  private void died(String how) {
    files.traces().forEach(t -> report.count("left by a kill: " + t));
    report.brokerDied(how);
  }

  private String terminate(boolean killWhileStopping) throws InterruptedException {
    int killAfterMs = random.nextInt(300);
    Thread killer =
        new Thread(
            () -> {
              sleepMs(killAfterMs);
              process.kill9();
            },
            "kill-while-stopping");
    if (killWhileStopping) {
      killer.start();
    }
    report.brokerStops();
    long startNs = System.nanoTime();
    int code = process.terminate();
    long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
    // Or it would kill the next broker, when this one has stopped before.
    killer.join();
    if (code != 0 && !(killWhileStopping && code == 137)) {
      report.violation("exit code", code + " after SIGTERM\n" + process.output());
    }
    if (ms > SHUTDOWN_TIMEOUT_MS + 5000L * SoakRound.LIFE) {
      report.violation("slow stop", ms + " ms");
    }
    if (code == 0) {
      return "SIGTERM";
    }
    report.count("kills during stop");
    return SoakReport.KILL + " while stopping";
  }

  /** All warnings and errors of all lives, numbers taken out. */
  void countLogLines() {
    try (Stream<Path> logs = Files.list(process.home())) {
      for (Path file : logs.filter(f -> f.getFileName().toString().startsWith("std")).toList()) {
        boolean isError = file.getFileName().toString().startsWith("stderr");
        for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
          if (isError
              || line.contains(" WARN ")
              || line.contains("ERROR")
              || line.contains("Exception")) {
            String text = line.replaceAll("[0-9a-f]*[0-9][0-9a-f]*", "#");
            report.count("log: " + text.substring(0, Math.min(160, text.length())));
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---------------------------------------------------------------- requests

  /** Repeats a POST until the broker is there and answers with 200, or with 404 to a deletion. */
  void post(String target) {
    ask("POST", target, "", a -> a == 200 || (a == 404 && target.contains("/delete")));
  }

  /** The answer to a request, and how often it took until the broker gave it. */
  record Answer(Http.Response response, int tries) {}

  /** Repeats a request until the broker is there and answers with such a status. */
  Answer ask(String method, String target, String body, IntPredicate done) {
    Phase phase = Phase.of(target);
    for (int tries = 1; ; tries++) {
      aim.begins(phase);
      try {
        Http.Response response = process.http().request(method, target, body).unlessDown();
        if (done.test(response.status())) {
          return new Answer(response, tries);
        }
      } catch (UncheckedIOException down) {
        // tried again below
      } finally {
        aim.ended(phase);
      }
      sleepMs(20);
    }
  }

  static void sleepMs(int ms) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ms));
  }
}
