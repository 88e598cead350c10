package io.holdfast.broker.soak;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Creates and deletes: a topic of its own with its channels, or a channel on somebody else's topic.
 * Each life of it is checked for itself, so that messages of the one before show. Used by one
 * thread; {@link #stop()} by any.
 */
final class SoakChurn implements Runnable {
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(90);
  private static final String TOPIC = "churn";
  private static final String CHANNEL = "volatile";

  private final SoakBroker broker;
  private final SoakReport report;
  private final SoakTopic host;
  private final String name;
  private final long msgTimeoutNs;
  private final Random random;
  private volatile boolean stopping;
  private int lives;

  /**
   * One that is to be started.
   *
   * @param host the topic to have the channel on, or null to churn a whole topic
   */
  SoakChurn(
      SoakBroker broker,
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
    SoakTopic topic = new SoakTopic(TOPIC);
    try (SoakPublisher publisher =
        new SoakPublisher(broker.process(), topic, report, name + "-" + lives, random.nextLong())) {
      long ownedNs = System.nanoTime();
      if (random.nextBoolean()) {
        broker.post("/topic/create?topic=" + TOPIC);
      } else {
        // Without a channel the topic keeps what it gets for its first one, unless emptied.
        publishSome(publisher);
        if (random.nextInt(3) == 0) {
          ownedNs = System.nanoTime();
          broker.post("/topic/empty?topic=" + TOPIC);
          publishSome(publisher);
        }
      }
      long wholeNs = System.nanoTime();
      ChannelAudit x = create(topic, "x", ownedNs);
      ChannelAudit y = create(topic, "y", System.nanoTime());
      publishSome(publisher);
      consume(x, random.nextInt(3) > 0, wholeNs);
      consume(y, random.nextInt(3) > 0, wholeNs);
      if (random.nextBoolean()) {
        withoutChannelsAgain(topic, publisher);
      }
    }
    report.add("OK'd", topic.okCount());
    broker.post("/topic/delete?topic=" + TOPIC);
    report.count("topics deleted");
    if (topicIsThere()) {
      report.violation("deletion", "topic churn came back after its deletion, life " + lives);
    }
  }

  /** From the deletion of its last channel on, the topic keeps messages for the next one. */
  private void withoutChannelsAgain(SoakTopic topic, SoakPublisher publisher) {
    broker.post("/channel/delete?topic=" + TOPIC + "&channel=x");
    long ownedNs = System.nanoTime();
    broker.post("/channel/delete?topic=" + TOPIC + "&channel=y");
    long wholeNs = System.nanoTime();
    publishSome(publisher);
    ChannelAudit z = create(topic, "z", ownedNs);
    publishSome(publisher);
    consume(z, true, wholeNs);
    report.count("times a topic was without channels again");
  }

  private void publishSome(SoakPublisher publisher) {
    for (int i = random.nextInt(60); i >= 0; i--) {
      publisher.publishOnce();
    }
  }

  private ChannelAudit create(SoakTopic topic, String channel, long ownedNs) {
    ChannelAudit audit = new ChannelAudit(topic, channel, report, msgTimeoutNs, ownedNs);
    broker.post("/channel/create?topic=" + topic.name() + "&channel=" + channel);
    return audit;
  }

  private void churnChannel() {
    ChannelAudit audit = create(host, CHANNEL, System.nanoTime());
    long fromNs = System.nanoTime();
    SoakBroker.sleepMs(random.nextInt(4000));
    consume(audit, random.nextInt(3) > 0, fromNs);
    delete(broker, host.name());
    report.count("channels deleted");
  }

  /** Deletes the channel that comes and goes on somebody else's topic. */
  static void delete(SoakBroker broker, String topic) {
    broker.post("/channel/delete?topic=" + topic + "&channel=" + CHANNEL);
  }

  /** Consumes until everything published from a time until now came, or only for a moment. */
  private void consume(ChannelAudit audit, boolean complete, long fromNs) {
    long toNs = System.nanoTime();
    SoakConsumer consumer = new SoakConsumer(broker.process(), audit, report, random.nextLong());
    Thread thread = new Thread(consumer, "churn-" + audit.channel());
    thread.setDaemon(true);
    thread.start();
    SoakBroker.sleepMs(random.nextInt(500));
    if (complete) {
      consumer.beCalm();
      long startNs = System.nanoTime();
      List<String> missing = audit.missing(fromNs, toNs);
      while (!missing.isEmpty()) {
        long now = System.nanoTime();
        if (now - startNs > PATIENCE_NS && now - audit.lastNewNs() > PATIENCE_NS) {
          report.violation("lost", audit + " life " + lives + missing);
          break;
        }
        SoakBroker.sleepMs(20);
        missing = audit.missing(fromNs, toNs);
      }
      report.count("channels of churn consumed to the end");
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
        return !broker.process().http().topic(TOPIC).isMissingNode();
      } catch (UncheckedIOException down) {
        SoakBroker.sleepMs(20);
      }
    }
  }
}
