package io.holdfast.broker.soak;

import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Pauses and goes on with a topic and a channel, empties a channel; what was answered must hold
 * over the kills. Used by one thread; {@link #stop()} by any.
 */
final class SoakAdmin implements Runnable {
  private static final long MAX_PAUSE_NS = TimeUnit.SECONDS.toNanos(30);

  private final SoakBroker broker;
  private final SoakReport report;
  private final SoakTopic pausedTopic;
  private final ChannelAudit pausedChannel;
  private final ChannelAudit emptiedChannel;
  private final Random random;
  private volatile boolean stopping;

  SoakAdmin(
      SoakBroker broker,
      SoakReport report,
      SoakTopic pausedTopic,
      ChannelAudit pausedChannel,
      ChannelAudit emptiedChannel,
      long seed) {
    this.broker = broker;
    this.report = report;
    this.pausedTopic = pausedTopic;
    this.pausedChannel = pausedChannel;
    this.emptiedChannel = emptiedChannel;
    this.random = new Random(seed);
  }

  /** When its thread has ended, nothing is paused any more. */
  void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    while (!stopping) {
      SoakBroker.sleepMs(random.nextInt(800));
      switch (random.nextInt(3)) {
        case 0 -> pauseTopic();
        case 1 -> pauseChannel();
        default -> empty();
      }
    }
  }

  private void pauseTopic() {
    String topic = "?topic=" + pausedTopic.name();
    broker.post("/topic/pause" + topic);
    pausedTopic.paused();
    stayPaused();
    pausedTopic.unpausing();
    broker.post("/topic/unpause" + topic);
    report.count("pauses of a topic");
  }

  private void pauseChannel() {
    String channel = query(pausedChannel);
    broker.post("/channel/pause" + channel);
    pausedChannel.paused();
    stayPaused();
    pausedChannel.unpausing();
    broker.post("/channel/unpause" + channel);
    report.count("pauses of a channel");
  }

  /** For a moment, or until consumers are back after the broker's next end. */
  private void stayPaused() {
    if (random.nextBoolean()) {
      int life = report.brokerLife();
      long endNs = System.nanoTime() + MAX_PAUSE_NS;
      while (report.brokerLife() == life && !stopping && System.nanoTime() < endNs) {
        SoakBroker.sleepMs(20);
      }
      while (!broker.pingIsOk() && !stopping) {
        SoakBroker.sleepMs(20);
      }
      if (report.brokerLife() != life) {
        report.count("pauses over an end of the broker");
      }
    }
    SoakBroker.sleepMs(random.nextInt(2000));
  }

  private void empty() {
    emptiedChannel.emptying();
    broker.post("/channel/empty" + query(emptiedChannel));
    emptiedChannel.emptied();
    report.count("channels emptied");
  }

  private static String query(ChannelAudit audit) {
    return "?topic=" + audit.topic().name() + "&channel=" + audit.channel();
  }
}
