package io.holdfast.broker.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Publishers and consumers of all habits on several topics and channels, topics and channels that
 * come and go, small journal files, and a broker that dies every few seconds. In rounds: after each
 * the publishers rest, every channel must deliver all that was answered OK, and be empty after one
 * more kill. Not part of {@code mvn verify}; the command is in the package's description.
 *
 * <p>System properties: {@code holdfast.soak.seconds} (in all, 120), {@code
 * holdfast.soak.round.seconds} (60), {@code holdfast.soak.seed}, {@code holdfast.soak.flags}
 * (further flags of the broker, separated by spaces). After a failure the data path is kept; its
 * place is printed.
 */
class KillSoak {
  private static final int SECONDS = Integer.getInteger("holdfast.soak.seconds", 120);
  private static final int ROUND_SECONDS = Integer.getInteger("holdfast.soak.round.seconds", 60);
  private static final int MSG_TIMEOUT_MS = 3000;
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);
  private static final List<String> TOPICS = List.of("alpha", "beta.with.dots", "Gamma");
  private static final List<String> CHANNELS = List.of("one", "two");

  private final long seed = Long.getLong("holdfast.soak.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final SoakReport report = new SoakReport();
  private final SoakBroker broker =
      new SoakBroker(
          report,
          random,
          Stream.concat(
                  Stream.of(
                      "--max-bytes-per-file=1048576", "--msg-timeout=" + MSG_TIMEOUT_MS + "ms"),
                  Stream.of(System.getProperty("holdfast.soak.flags", "").split(" "))
                      .filter(f -> !f.isEmpty()))
              .toList());

  @Test
  void shouldLoseNothing() throws Exception {
    System.out.println("seed " + seed + " data path " + broker.process().dataPath());
    long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    long startNs = System.nanoTime();
    try {
      broker.start();
      for (String topic : TOPICS) {
        SoakBroker.post(broker.process(), "/topic/create?topic=" + topic);
        for (String channel : CHANNELS) {
          SoakBroker.post(
              broker.process(), "/channel/create?topic=" + topic + "&channel=" + channel);
        }
      }
      for (int round = 1; System.nanoTime() < endNs && report.isClean(); round++) {
        runRound(round, Math.min(endNs, System.nanoTime() + ROUND_SECONDS * 1_000_000_000L));
        System.out.printf(
            "round %d after %d s: lives %d OK'd %d delivered %d finished %d, %s%n",
            round,
            (System.nanoTime() - startNs) / 1_000_000_000,
            report.brokerLife(),
            report.get("OK'd"),
            report.get("delivered"),
            report.get("finished"),
            broker.diskUse());
      }
    } catch (RuntimeException | Error e) {
      report.violation("failure", e.toString());
      throw e;
    } finally {
      broker.countLogLines();
      System.out.println(
          "kill soak: seed=" + seed + " seconds=" + (System.nanoTime() - startNs) / 1_000_000_000);
      System.out.println("  deaths of the broker = " + report.brokerLife());
      System.out.println("  slowest start = " + broker.slowestStartMs() + " ms");
      System.out.println("  disk = " + broker.diskUse());
      System.out.print(report);
      for (String kind : List.of("lost", "corrupt", "finished came back", "torn MPUB")) {
        System.out.println("  " + kind + " = " + report.get("VIOLATION " + kind));
      }
      if (!report.isClean()) {
        keep();
      }
      broker.process().close();
    }
    assertEquals("", report.violations());
  }

  private void runRound(int round, long endNs) throws InterruptedException {
    BrokerProcess process = broker.process();
    List<SoakPublisher> publishers = new ArrayList<>();
    List<SoakConsumer> consumers = new ArrayList<>();
    List<ChannelAudit> audits = new ArrayList<>();
    List<SoakTopic> topics = new ArrayList<>();
    List<Thread> publisherThreads = new ArrayList<>();
    List<Thread> consumerThreads = new ArrayList<>();
    for (String name : TOPICS) {
      SoakTopic topic = new SoakTopic(name);
      topics.add(topic);
      for (String channel : CHANNELS) {
        ChannelAudit audit = new ChannelAudit(topic, channel, report, msgTimeoutNs());
        audits.add(audit);
        for (int i = 0; i <= CHANNELS.indexOf(channel); i++) { // one consumer of one, two of two
          consumers.add(new SoakConsumer(process, audit, report, random.nextLong()));
        }
      }
      for (int i = 0; i < 2; i++) {
        String id = "r" + round + "-" + topics.size() + "-" + i;
        publishers.add(new SoakPublisher(process, topic, report, id, random.nextLong()));
      }
    }
    SoakChurn topicChurn =
        new SoakChurn(process, report, null, "t" + round, msgTimeoutNs(), random.nextLong());
    SoakChurn channelChurn =
        new SoakChurn(
            process, report, topics.get(0), "c" + round, msgTimeoutNs(), random.nextLong());
    publishers.forEach(p -> publisherThreads.add(start(p)));
    publisherThreads.add(start(topicChurn));
    publisherThreads.add(start(channelChurn));
    consumers.forEach(c -> consumerThreads.add(start(c)));

    while (System.nanoTime() < endNs && report.isClean()) {
      SoakBroker.sleepMs(100 + random.nextInt(random.nextBoolean() ? 600 : 3000));
      broker.endSomehow();
      broker.start();
    }
    publishers.forEach(SoakPublisher::stop);
    topicChurn.stop();
    channelChurn.stop();
    join(publisherThreads);
    SoakBroker.post(process, "/channel/delete?topic=" + TOPICS.get(0) + "&channel=volatile");
    consumers.forEach(SoakConsumer::beCalm);
    awaitAll(audits);
    topics.forEach(t -> report.add("OK'd", t.okCount()));
    topics.forEach(t -> report.add("publisher's retries", t.retriedCount()));
    if (report.isClean()) {
      awaitEmpty(consumers);
      audits.forEach(ChannelAudit::finalChecks);
    }
    consumers.forEach(SoakConsumer::stop);
    join(consumerThreads);
    if (report.isClean()) {
      checkEmptyAfterKill();
    }
  }

  private static long msgTimeoutNs() {
    return TimeUnit.MILLISECONDS.toNanos(MSG_TIMEOUT_MS);
  }

  private Thread start(Runnable task) {
    Thread thread = new Thread(task, task.getClass().getSimpleName());
    thread.setUncaughtExceptionHandler(
        (t, e) -> {
          e.printStackTrace();
          report.violation("failure", t.getName() + ": " + e);
        });
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void join(List<Thread> threads) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join(2 * PATIENCE_NS / 1_000_000);
      if (thread.isAlive()) {
        report.violation("hang", thread + List.of(thread.getStackTrace()).toString());
      }
    }
  }

  private void awaitAll(List<ChannelAudit> audits) {
    long startNs = System.nanoTime();
    for (ChannelAudit audit : audits) {
      List<String> missing = audit.missing(0, System.nanoTime());
      while (!missing.isEmpty()) {
        long now = System.nanoTime();
        if (now - startNs > PATIENCE_NS && now - audit.lastNewNs() > PATIENCE_NS) {
          report.violation(
              "lost",
              missing.size()
                  + " on "
                  + audit.topic().name()
                  + "/"
                  + audit.channel()
                  + missing.subList(0, Math.min(missing.size(), 50)));
          break;
        }
        SoakBroker.sleepMs(50);
        missing = audit.missing(0, System.nanoTime());
      }
    }
  }

  /** Waits until the broker says that nothing is left. */
  private void awaitEmpty(List<SoakConsumer> consumers) {
    long startNs = System.nanoTime();
    while (!leftovers().isEmpty() || !consumers.stream().allMatch(SoakConsumer::isIdle)) {
      if (System.nanoTime() - startNs > PATIENCE_NS) {
        report.violation("not empty", leftovers());
        return;
      }
      SoakBroker.sleepMs(50);
    }
  }

  private void checkEmptyAfterKill() {
    broker.process().kill9();
    report.brokerDied("SIGKILL while empty");
    broker.start();
    if (!leftovers().isEmpty()) {
      report.violation("finished came back", "after a kill of the empty broker: " + leftovers());
    }
  }

  private String leftovers() {
    StringBuilder text = new StringBuilder();
    for (String topic : TOPICS) {
      JsonNode stats = broker.process().http().topic(topic);
      if (stats.path("channels").size() != CHANNELS.size() || stats.path("depth").asInt() != 0) {
        text.append(topic).append(" depth ").append(stats.path("depth")).append(" channels ");
        text.append(stats.path("channels").size()).append("; ");
      }
      for (JsonNode channel : stats.path("channels")) {
        for (String count : List.of("depth", "in_flight_count", "deferred_count")) {
          if (channel.path(count).asInt(-1) != 0) {
            text.append(topic).append('/').append(channel.path("channel_name").asText());
            text.append(' ').append(count).append(' ').append(channel.path(count)).append("; ");
          }
        }
      }
    }
    return text.toString();
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
