package io.holdfast.broker.soak;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The broker under test and the many ways it ends: killed while it works, while it starts, while it
 * stops. Every start has another memory queue size. Used by one thread.
 */
final class SoakBroker {
  private static final Duration START_PATIENCE = Duration.ofSeconds(90);
  private static final List<String> MEM_QUEUE_SIZES = List.of("0", "1", "50", "10000");

  private final BrokerProcess process = BrokerProcess.of();
  private final SoakReport report;
  private final Random random;
  private final List<String> flags;
  private long slowestStartMs;

  SoakBroker(SoakReport report, Random random, List<String> flags) {
    this.report = report;
    this.random = random;
    this.flags = flags;
  }

  BrokerProcess process() {
    return process;
  }

  long slowestStartMs() {
    return slowestStartMs;
  }

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
      LockSupport.parkNanos(20_000_000);
    }
    slowestStartMs =
        Math.max(slowestStartMs, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
  }

  private boolean pingIsOk() {
    try {
      return process.http().get("/ping").status() == 200;
    } catch (UncheckedIOException e) {
      return false; // not listening yet
    }
  }

  private void launch() {
    List<String> args =
        Stream.concat(
                Stream.of(
                    "--tcp-address=127.0.0.1:" + process.tcpPort(),
                    "--http-address=127.0.0.1:" + process.httpPort(),
                    "--data-path=" + process.dataPath(),
                    "--mem-queue-size="
                        + MEM_QUEUE_SIZES.get(random.nextInt(MEM_QUEUE_SIZES.size()))),
                flags.stream())
            .toList();
    process.launch(args);
  }

  /** Ends the running broker in some way, now and then kills it again while it starts. */
  void endSomehow() {
    int how = random.nextInt(10);
    if (how < 7) {
      process.kill9();
      report.brokerDied("SIGKILL while serving");
    } else {
      report.brokerDied(terminate(how == 9));
    }
    while (random.nextInt(3) == 0) {
      launch();
      sleepMs(random.nextInt(2500));
      String end = pingIsOk() ? "SIGKILL just after the start" : "SIGKILL during the start";
      if (!process.isAlive()) {
        throw new AssertionError("the broker did not start\n" + process.output());
      }
      process.kill9();
      report.brokerDied(end);
    }
  }

  private String terminate(boolean killWhileStopping) {
    if (killWhileStopping) {
      Thread killer =
          new Thread(
              () -> {
                sleepMs(random.nextInt(300));
                process.kill9();
              },
              "kill-while-stopping");
      killer.start();
    }
    report.brokerStops();
    long startNs = System.nanoTime();
    int code = process.terminate();
    long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
    if (code != 0 && !(killWhileStopping && code == 137)) {
      report.violation("exit code", code + " after SIGTERM\n" + process.output());
    }
    if (ms > 5000) {
      report.violation("slow stop", ms + " ms");
    }
    return code == 0 ? "SIGTERM" : "SIGKILL while stopping";
  }

  /** All warnings and errors of all lives, numbers taken out. */
  void countLogLines() {
    try (Stream<Path> files = Files.list(process.home())) {
      for (Path file : files.filter(f -> f.getFileName().toString().startsWith("std")).toList()) {
        boolean isError = file.getFileName().toString().startsWith("stderr");
        for (String line : Files.readAllLines(file, java.nio.charset.StandardCharsets.ISO_8859_1)) {
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

  /** The size of a directory below the data path and its number of journal files. */
  String diskUse() {
    try (Stream<Path> files = Files.walk(process.dataPath())) {
      long bytes = 0;
      int journals = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
        journals += file.toString().endsWith(".cq4") ? 1 : 0;
      }
      return (bytes >> 20) + " MiB (apparent) in " + journals + " cq4 files";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Repeats a POST until the broker is there and answers with 200, or with 404 to a deletion. */
  static void post(BrokerProcess process, String target) {
    while (true) {
      try {
        Http.Response response = process.http().post(target);
        if (response.status() == 200 || response.status() == 404 && target.contains("/delete")) {
          return;
        }
      } catch (UncheckedIOException down) {
        // tried again below
      }
      sleepMs(20);
    }
  }

  static void sleepMs(int ms) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ms));
  }
}
