package io.holdfast.broker.soak;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Publishes in every way there is, and repeats what got no OK until it got one; each attempt has
 * bodies of its own. Used by one thread; {@link #stop()} by any.
 */
final class SoakPublisher implements Runnable, AutoCloseable {
  private static final Duration REPLY_PATIENCE = Duration.ofSeconds(20);
  private static final int MAX_DELAY_MS = 3000;

  /** The ways to publish, as often as they stand here. */
  private enum Way {
    PUB(false, false),
    PUB_AGAIN(false, false),
    DPUB(false, true),
    MPUB(true, false),
    MPUB_AGAIN(true, false),
    HTTP_PUB(false, false),
    HTTP_PUB_DEFER(false, true),
    HTTP_MPUB_TEXT(true, false),
    HTTP_MPUB_BINARY(true, false);

    final boolean isBatch;
    final boolean isDeferred;

    Way(boolean isBatch, boolean isDeferred) {
      this.isBatch = isBatch;
      this.isDeferred = isDeferred;
    }
  }

  private final BrokerProcess broker;
  private final SoakTopic topic;
  private final SoakReport report;
  private final String name;
  private final Random random;
  private RawNsqConnection conn; // null while not connected
  private int nextNumber;
  private int maxPauseUs = 4000;
  private int maxBodyBytes = 64 << 10;

  /** OKs read for the commands sent last. */
  private int doneBeforeFailure;

  /** Whether the next one was refused, as the topic is full. */
  private boolean refused;

  private volatile boolean stopping;

  SoakPublisher(BrokerProcess broker, SoakTopic topic, SoakReport report, String name, long seed) {
    this.broker = broker;
    this.topic = topic;
    this.report = report;
    this.name = name;
    this.random = new Random(seed);
  }

  /** Publishes less: so long a pause at most after each command, no larger bodies. */
  SoakPublisher slow(int maxPauseMs, int atMostBodyBytes) {
    maxPauseUs = maxPauseMs * 1000;
    maxBodyBytes = atMostBodyBytes;
    return this;
  }

  void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    while (!stopping) {
      publishOnce();
      LockSupport.parkNanos(1000L * random.nextInt(maxPauseUs));
    }
    close();
  }

  /** Publishes one to fifty messages in one way, until each has its OK. */
  void publishOnce() {
    Way way = Way.values()[random.nextInt(Way.values().length)];
    boolean isSingle = way.isDeferred || way == Way.HTTP_PUB;
    int delayMs = way.isDeferred ? 1 + random.nextInt(MAX_DELAY_MS) : 0;
    int count = isSingle ? 1 : 1 + random.nextInt(random.nextInt(5) == 0 ? 50 : 6);
    List<String> messages = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      messages.add(name + "-" + nextNumber++);
      // Large ones fill files, so that they roll and go all the time.
      sizes.add(random.nextInt(random.nextInt(4) == 0 ? maxBodyBytes : 400));
    }
    for (int attempt = 1; !messages.isEmpty(); attempt++) {
      awaitBroker();
      List<String> keys = new ArrayList<>();
      List<String> bodies = new ArrayList<>();
      for (int i = 0; i < messages.size(); i++) {
        String key = SoakTopic.attempt(messages.get(i), attempt, way == Way.HTTP_MPUB_TEXT);
        byte[] body = SoakBody.of(key, sizes.get(i), 0xff);
        keys.add(key);
        bodies.add(RawNsqConnection.latin1(body));
        topic.trying(key, delayMs, body.length);
      }
      if (way.isBatch) {
        topic.batch(List.copyOf(keys));
      }
      doneBeforeFailure = 0;
      refused = false;
      int done;
      try {
        done = publish(way, bodies, delayMs);
      } catch (UncheckedIOException | ClosedByBroker e) {
        done = doneBeforeFailure;
        close();
      }
      for (int i = 0; i < done; i++) {
        topic.ok(keys.get(i));
      }
      if (refused) {
        // Of several commands the first that got no OK.
        (way.isBatch ? keys : keys.subList(done, done + 1)).forEach(topic::refused);
        report.count("publish commands refused, topic is full");
      }
      report.add("OK'd by " + way, done);
      messages.subList(0, done).clear();
      sizes.subList(0, done).clear();
      if (!messages.isEmpty()) {
        report.count("publish commands without OK");
        LockSupport.parkNanos(20_000_000); // the broker is down
      }
    }
  }

  /** Returns how many were answered OK, from the first on. */
  private int publish(Way way, List<String> bodies, int delayMs) {
    String to = "topic=" + topic.name();
    String batch = RawNsqConnection.batch(bodies.toArray(String[]::new));
    return switch (way) {
      case PUB, PUB_AGAIN -> publishEach("PUB " + topic.name(), bodies);
      case DPUB -> publishEach("DPUB " + topic.name() + " " + delayMs, bodies);
      case MPUB, MPUB_AGAIN -> {
        conn.command("MPUB " + topic.name(), batch);
        yield readOk() ? bodies.size() : 0;
      }
      case HTTP_PUB -> http("/pub?" + to, bodies.get(0), 1);
      case HTTP_PUB_DEFER -> http("/pub?" + to + "&defer=" + delayMs, bodies.get(0), 1);
      case HTTP_MPUB_TEXT -> http("/mpub?" + to, String.join("\n", bodies), bodies.size());
      case HTTP_MPUB_BINARY -> http("/mpub?binary=true&" + to, batch, bodies.size());
    };
  }

  private int publishEach(String line, List<String> bodies) {
    for (String body : bodies) {
      conn.command(line, body);
    }
    while (doneBeforeFailure < bodies.size() && readOk()) {
      doneBeforeFailure++;
    }
    return doneBeforeFailure;
  }

  private int http(String target, String body, int messages) {
    Http.Response response = broker.http().post(target, body).unlessDown();
    if (response.status() != 200) {
      noteRefusal("HTTP publish refused: " + response.status() + " " + response.body());
      return 0;
    }
    return messages;
  }

  /** Nothing is sent to a broker that is down, also not by HTTP. */
  private void awaitBroker() {
    while (conn == null) {
      try {
        conn = broker.connect();
      } catch (UncheckedIOException e) {
        LockSupport.parkNanos(20_000_000);
      }
    }
  }

  private boolean readOk() {
    Frame frame = conn.pollFrame(REPLY_PATIENCE);
    if (frame == null) {
      if (broker.isAlive()) {
        report.violation("hang", "no reply to a publish to " + topic.name());
      }
      close();
      return false;
    }
    if (frame.type() == Frame.RESPONSE && frame.text().equals("OK")) {
      return true;
    }
    noteRefusal("publish refused: " + frame);
    close();
    return false;
  }

  private void noteRefusal(String what) {
    refused = what.contains(" is full: ");
    report.count(what.replaceAll("[0-9]+", "#"));
  }

  @Override
  public void close() {
    if (conn != null) {
      conn.close();
      conn = null;
    }
  }
}
