package io.holdfast.broker.soak;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Traffic on all topics while the broker dies, then rest: every channel must deliver all that was
 * answered OK, be empty, give its disk back, and be empty still after one more kill. Used by one
 * thread.
 */
final class SoakRound {
  /** The topics of every round. The first has a channel that comes and goes. */
  static final List<String> TOPICS = List.of("alpha", "beta.with.dots", "Gamma");

  static final List<String> CHANNELS = List.of("one", "two");

  /** How many times longer than usual the broker lives, and may take to stop. */
  static final int LIFE = Integer.getInteger("holdfast.soak.life", 1);

  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(90);

  /** How long the broker lives under load before its use of the disk is judged. */
  private static final int SETTLE_MS = 3000;

  private final SoakBroker broker;
  private final SoakReport report;
  private final Random random;
  private final long msgTimeoutNs;
  private final List<SoakTopic> topics = new ArrayList<>();
  private final List<ChannelAudit> audits = new ArrayList<>();
  private final List<SoakPublisher> publishers = new ArrayList<>();
  private final List<SoakConsumer> consumers = new ArrayList<>();
  private final List<DiskBound> bounds = new ArrayList<>();
  private final List<Thread> publisherThreads = new ArrayList<>();
  private final List<Thread> consumerThreads = new ArrayList<>();
  private final PolicyTopics policies;

  SoakRound(SoakBroker broker, SoakReport report, Random random, int number, int msgTimeoutMs) {
    this.broker = broker;
    this.report = report;
    this.random = random;
    this.msgTimeoutNs = TimeUnit.MILLISECONDS.toNanos(msgTimeoutMs);
    policies = new PolicyTopics(broker, report, random, number, msgTimeoutNs);
    for (String name : TOPICS) {
      SoakTopic topic = new SoakTopic(name);
      topics.add(topic);
      List<ChannelAudit> channels = new ArrayList<>();
      for (String channel : CHANNELS) {
        ChannelAudit audit =
            new ChannelAudit(topic, channel, report, msgTimeoutNs, System.nanoTime());
        channels.add(audit);
        for (int i = 0; i <= CHANNELS.indexOf(channel); i++) { // one consumer of one, two of two
          consumers.add(new SoakConsumer(broker.process(), audit, report, random.nextLong()));
        }
      }
      audits.addAll(channels);
      if (topics.size() > 1) {
        // The first topic's coming and going channel keeps messages that are not accounted for.
        bounds.add(new DiskBound(broker.files(), report, topic, channels));
      }
      for (int i = 0; i < 2; i++) {
        String id = "r" + number + "-" + topics.size() + "-" + i;
        publishers.add(new SoakPublisher(broker.process(), topic, report, id, random.nextLong()));
      }
    }
  }

  /**
   * Runs until that time or that many kills.
   *
   * @param assertBound whether more disk than allowed fails the run
   */
  void run(int number, long endNs, int maxKills, boolean assertBound) throws InterruptedException {
    SoakChurn topicChurn =
        new SoakChurn(broker, report, null, "t" + number, msgTimeoutNs, random.nextLong());
    SoakChurn channelChurn =
        new SoakChurn(broker, report, topics.get(0), "c" + number, msgTimeoutNs, random.nextLong());
    int last = audits.size() - 1;
    SoakAdmin admin =
        new SoakAdmin(
            broker,
            report,
            topics.get(1),
            audits.get(last - 1),
            audits.get(last),
            random.nextLong());
    policies.create();
    audits.addAll(policies.audits());
    publishers.addAll(policies.publishers());
    consumers.addAll(policies.consumers());
    publisherThreads.add(start(policies.admin()));
    publishers.forEach(p -> publisherThreads.add(start(p)));
    publisherThreads.add(start(topicChurn));
    publisherThreads.add(start(channelChurn));
    publisherThreads.add(start(admin));
    consumers.forEach(c -> consumerThreads.add(start(c)));

    while (System.nanoTime() < endNs && report.kills() < maxKills && report.isClean()) {
      SoakBroker.sleepMs(LIFE * (100 + random.nextInt(random.nextBoolean() ? 600 : 3000)));
      bounds.forEach(DiskBound::sample);
      broker.endSomehow();
      broker.start();
    }
    if (report.isClean()) {
      SoakBroker.sleepMs(SETTLE_MS);
      bounds.forEach(b -> b.awaitBound(assertBound));
    }
    publishers.forEach(SoakPublisher::stop);
    topicChurn.stop();
    channelChurn.stop();
    admin.stop();
    policies.admin().stop();
    join(publisherThreads);
    SoakChurn.delete(broker, TOPICS.get(0));
    consumers.forEach(SoakConsumer::beCalm);
    awaitAll();
    topics.forEach(t -> report.add("OK'd", t.okCount()));
    topics.forEach(t -> report.add("attempts to publish without OK, messages", t.notOkCount()));
    if (report.isClean()) {
      awaitEmpty();
      audits.forEach(ChannelAudit::finalChecks);
      policies.finalChecks();
      bounds.forEach(DiskBound::awaitShrunk);
    }
    consumers.forEach(SoakConsumer::stop);
    join(consumerThreads);
    if (report.isClean()) {
      policies.checkDeadAfterKill(this::checkEmptyAfterKill);
      policies.delete();
    }
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
      thread.join(3 * PATIENCE_NS / 1_000_000);
      if (thread.isAlive()) {
        report.violation("hang", thread + List.of(thread.getStackTrace()).toString());
      }
    }
  }

  private void awaitAll() {
    long startNs = System.nanoTime();
    for (ChannelAudit audit : audits) {
      List<String> missing = audit.missing(Long.MIN_VALUE, System.nanoTime());
      while (!missing.isEmpty()) {
        long now = System.nanoTime();
        if (now - startNs > PATIENCE_NS && now - audit.lastNewNs() > PATIENCE_NS) {
          report.add("lost messages", missing.size());
          report.violation(
              "lost",
              missing.size() + " on " + audit + missing.subList(0, Math.min(missing.size(), 50)));
          break;
        }
        SoakBroker.sleepMs(50);
        missing = audit.missing(Long.MIN_VALUE, System.nanoTime());
      }
    }
  }

  /** Waits until the broker says that nothing is left. */
  private void awaitEmpty() {
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
    broker.killWhenIdle();
    broker.start();
    if (!leftovers().isEmpty()) {
      report.violation("finished came back", "after a kill of the empty broker: " + leftovers());
    }
  }

  private String leftovers() {
    StringBuilder text = new StringBuilder();
    try {
      text.append(policies.leftovers());
    } catch (UncheckedIOException e) {
      return "no /stats: " + e.getMessage();
    }
    for (String topic : TOPICS) {
      JsonNode stats;
      try {
        stats = broker.process().http().topic(topic);
      } catch (UncheckedIOException e) {
        return "no /stats: " + e.getMessage();
      }
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
}
