package io.holdfast.broker.soak;

import com.sproutsocial.nsq.DirectSubscriber;
import com.sproutsocial.nsq.Message;
import com.sproutsocial.nsq.MessageHandler;
import com.sproutsocial.nsq.Subscriber;
import io.holdfast.broker.system.support.BrokerProcess;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * What the publishers were told OK, against what nsq-j's consumers of the three channels got.
 * Thread-safe.
 */
final class RealClientTally implements AutoCloseable {
  private static final List<String> CHANNELS = List.of("always", "from-the-middle", "at-the-end");

  /** Without any new message for so long, what is missing is lost. */
  private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(30);

  private final String topic;
  private final int mask;
  private final Map<String, Integer> okSizes = new ConcurrentHashMap<>();
  private final AtomicInteger failed = new AtomicInteger();
  private volatile long lastKillNs = System.nanoTime();
  private final List<Received> channels = CHANNELS.stream().map(c -> new Received()).toList();
  private final List<Subscriber> subscribers = new ArrayList<>();
  private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

  /** One channel's deliveries; guarded by itself. */
  private static final class Received {
    /** Body sizes by key. */
    final Map<String, Integer> sizes = new HashMap<>();

    /** When a message id was last delivered. */
    final Map<String, Long> deliveredNs = new HashMap<>();

    long deliveries;
    long lastNewNs = System.nanoTime();
  }

  private final LongAdder storedTwice = new LongAdder();
  private final LongAdder redelivered = new LongAdder();

  RealClientTally(String topic, int mask) {
    this.topic = topic;
    this.mask = mask;
  }

  int mask() {
    return mask;
  }

  void createChannels(BrokerProcess broker) {
    broker.http().post("/topic/create?topic=" + topic).expect(200, "");
    for (String channel : CHANNELS) {
      broker.http().post("/channel/create?topic=" + topic + "&channel=" + channel).expect(200, "");
    }
  }

  /** Starts nsq-j's consumer of a channel; it reconnects by itself. */
  void consume(BrokerProcess broker, int channel) {
    Received received = channels.get(channel);
    Subscriber subscriber = new DirectSubscriber(1, "127.0.0.1:" + broker.tcpPort());
    subscriber.setDefaultMaxInFlight(200);
    subscriber.subscribe(
        topic,
        CHANNELS.get(channel),
        (MessageHandler)
            message -> {
              received(CHANNELS.get(channel), received, message);
              message.finish();
            });
    subscribers.add(subscriber);
  }

  private void received(String channel, Received received, Message message) {
    byte[] body = message.getData();
    if (!SoakBody.isIntact(body, mask)) {
      wrong.add("damaged on " + channel + ": id " + message.getId() + " bytes " + body.length);
      return;
    }
    String key = SoakBody.key(body);
    long now = System.nanoTime();
    synchronized (received) {
      received.deliveries++;
      Integer size = received.sizes.putIfAbsent(key, body.length);
      Long before = received.deliveredNs.put(message.getId(), now);
      if (size == null) {
        received.lastNewNs = now;
        return;
      }
      if (size != body.length) {
        wrong.add("two lengths of " + key + " on " + channel);
      }
      if (before == null) {
        // Another message with the same body: the publisher, or its library, sent it again.
        storedTwice.increment();
      } else if (before - lastKillNs < 0) {
        redelivered.increment();
      } else {
        wrong.add("twice without a kill in between: " + key + " on " + channel);
      }
    }
  }

  void ok(String key, int sizeBytes) {
    okSizes.put(key, sizeBytes);
  }

  int okCount() {
    return okSizes.size();
  }

  void failed() {
    failed.incrementAndGet();
  }

  /** The broker is dead, or has just started again: what was delivered so far may come again. */
  void killed() {
    lastKillNs = System.nanoTime();
  }

  /** Waits until every channel has everything; returns what is lost, or an empty text. */
  String awaitAll() {
    StringBuilder lost = new StringBuilder();
    for (int i = 0; i < channels.size(); i++) {
      Received received = channels.get(i);
      long startNs = System.nanoTime();
      while (true) {
        synchronized (received) {
          if (received.sizes.keySet().containsAll(okSizes.keySet())) {
            break;
          }
          long now = System.nanoTime();
          if (now - received.lastNewNs > PATIENCE_NS && now - startNs > PATIENCE_NS) {
            List<String> missing = new ArrayList<>(okSizes.keySet());
            missing.removeAll(received.sizes.keySet());
            lost.append(CHANNELS.get(i)).append(" lost ").append(missing.size()).append(": ");
            lost.append(missing.subList(0, Math.min(20, missing.size()))).append('\n');
            break;
          }
        }
        LockSupport.parkNanos(20_000_000);
      }
    }
    return lost.toString();
  }

  /** What should not have been, or an empty text. Compares the sizes of all messages, too. */
  String wrong() {
    for (int i = 0; i < channels.size(); i++) {
      Received received = channels.get(i);
      synchronized (received) {
        for (Map.Entry<String, Integer> ok : okSizes.entrySet()) {
          Integer size = received.sizes.get(ok.getKey());
          if (size != null && !size.equals(ok.getValue())) {
            wrong.add("size of " + ok.getKey() + " on " + CHANNELS.get(i) + ": " + size);
          }
        }
      }
    }
    return String.join("\n", wrong);
  }

  String summary() {
    StringBuilder text = new StringBuilder("ok=" + okSizes.size());
    for (int i = 0; i < channels.size(); i++) {
      Received received = channels.get(i);
      synchronized (received) {
        long lost = okSizes.keySet().stream().filter(k -> !received.sizes.containsKey(k)).count();
        text.append(String.format(" %s(delivered=%d", CHANNELS.get(i), received.deliveries));
        text.append(String.format(" distinct=%d lost=%d)", received.sizes.size(), lost));
      }
    }
    return text
        + String.format(
            " damaged-or-odd=%d duplicates(publisher's-retry=%d kill-before-FIN-was-read=%d)"
                + " publishes-without-OK=%d",
            wrong.size(), storedTwice.sum(), redelivered.sum(), failed.get());
  }

  @Override
  public void close() {
    subscribers.forEach(Subscriber::stop);
  }
}
