package io.holdfast.broker.soak;

import io.holdfast.broker.system.support.BrokerProcess;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Creates and deletes: a topic of its own with two channels, or a channel on somebody else's topic.
 * Each life of it is checked for itself, so that messages of the one before show. Used by one
 * thread; {@link #stop()} by any.
 */
final class SoakChurn implements Runnable {
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);

  private final BrokerProcess broker;
  private final SoakReport report;
  private final SoakTopic host;
  private final String name;
  private final long msgTimeoutNs;
  private final Random random;
  private volatile boolean stopping;
  private int lives;

  /**
   * @param host the topic to have the channel on, or null to churn a whole topic
   */
  SoakChurn(
      BrokerProcess broker,
      SoakReport report,
      SoakTopic host,
      String name,
      long msgTimeoutNs,
      long seed) {
    this.broker = broker;
    this.report = report;
    this.host = host;
    this.name = name;
    this.msgTimeoutNs = msgTimeoutNs;
    this.random = new Random(seed);
  }

  void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    while (!stopping) {
      lives++;
      if (host == null) {
        churnTopic();
      } else {
        churnChannel();
      }
    }
  }

  private void churnTopic() {
    SoakTopic topic = new SoakTopic("churn");
    SoakBroker.post(broker, "/topic/create?topic=churn");
    List<ChannelAudit> audits =
        List.of(
            new ChannelAudit(topic, "x", report, msgTimeoutNs),
            new ChannelAudit(topic, "y", report, msgTimeoutNs));
    for (ChannelAudit audit : audits) {
      SoakBroker.post(broker, "/channel/create?topic=churn&channel=" + audit.channel());
    }
    try (SoakPublisher publisher =
        new SoakPublisher(broker, topic, report, name + "-" + lives, random.nextLong())) {
      for (int i = random.nextInt(60); i >= 0; i--) {
        publisher.publishOnce();
      }
    }
    boolean complete = random.nextInt(3) > 0;
    for (ChannelAudit audit : audits) {
      consume(audit, complete, 0, System.nanoTime());
    }
    report.add("OK'd", topic.okCount());
    SoakBroker.post(broker, "/topic/delete?topic=churn");
    report.count("topics deleted");
    if (topicIsThere()) {
      report.violation("deletion", "topic churn came back after its deletion, life " + lives);
    }
  }

  private void churnChannel() {
    ChannelAudit audit = new ChannelAudit(host, "volatile", report, msgTimeoutNs);
    SoakBroker.post(broker, "/channel/create?topic=" + host.name() + "&channel=volatile");
    long fromNs = System.nanoTime();
    SoakBroker.sleepMs(random.nextInt(4000));
    consume(audit, random.nextInt(3) > 0, fromNs, System.nanoTime());
    SoakBroker.post(broker, "/channel/delete?topic=" + host.name() + "&channel=volatile");
    report.count("channels deleted");
  }

  /** Consumes until everything published in that window came, or only for a moment. */
  private void consume(ChannelAudit audit, boolean complete, long fromNs, long toNs) {
    SoakConsumer consumer = new SoakConsumer(broker, audit, report, random.nextLong());
    Thread thread = new Thread(consumer, "churn-" + audit.channel());
    thread.setDaemon(true);
    thread.start();
    if (complete) {
      long startNs = System.nanoTime();
      List<String> missing = audit.missing(fromNs, toNs);
      while (!missing.isEmpty()) {
        long now = System.nanoTime();
        if (now - startNs > PATIENCE_NS && now - audit.lastNewNs() > PATIENCE_NS) {
          report.violation(
              "lost", audit.topic().name() + "/" + audit.channel() + " life " + lives + missing);
          break;
        }
        SoakBroker.sleepMs(20);
        missing = audit.missing(fromNs, toNs);
      }
    } else {
      SoakBroker.sleepMs(random.nextInt(500));
    }
    consumer.stop();
    try {
      thread.join(PATIENCE_NS / 1_000_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      report.violation("hang", "consumer of " + audit.channel());
    }
  }

  private boolean topicIsThere() {
    while (true) {
      try {
        return !broker.http().topic("churn").isMissingNode();
      } catch (UncheckedIOException down) {
        SoakBroker.sleepMs(20);
      }
    }
  }
}
