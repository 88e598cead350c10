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
 * Publishes in every way there is, and repeats what got no OK until it got one. Used by one thread;
 * {@link #stop()} by any.
 */
final class SoakPublisher implements Runnable, AutoCloseable {
  private static final Duration REPLY_PATIENCE = Duration.ofSeconds(20);

  private final BrokerProcess broker;
  private final SoakTopic topic;
  private final SoakReport report;
  private final String name;
  private final Random random;
  private RawNsqConnection conn; // null while not connected
  private int nextNumber;
  private volatile boolean stopping;

  SoakPublisher(BrokerProcess broker, SoakTopic topic, SoakReport report, String name, long seed) {
    this.broker = broker;
    this.topic = topic;
    this.report = report;
    this.name = name;
    this.random = new Random(seed);
  }

  void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    while (!stopping) {
      publishOnce();
      LockSupport.parkNanos(random.nextInt(4_000_000));
    }
    close();
  }

  /** Publishes one to fifty messages in one way, until each has its OK. */
  void publishOnce() {
    int kind = random.nextInt(10);
    boolean isBatch = kind >= 2 && kind < 5;
    int delayMs = kind < 2 ? 0 : kind > 7 ? random.nextInt(3000) : 0;
    int count = delayMs > 0 ? 1 : 1 + random.nextInt(random.nextInt(5) == 0 ? 50 : 6);
    List<String> keys = new ArrayList<>();
    List<String> bodies = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      keys.add(name + "-" + nextNumber++);
      int size = random.nextInt(40) == 0 ? random.nextInt(64 << 10) : random.nextInt(400);
      bodies.add(RawNsqConnection.latin1(SoakBody.of(keys.get(i), size, 0xff)));
    }
    if (isBatch) {
      topic.batch(List.copyOf(keys));
    }
    while (!keys.isEmpty()) {
      topic.trying(keys, delayMs);
      int done = 0;
      try {
        done =
            isBatch ? publishBatch(bodies) : publishEach(bodies, delayMs, kind == 0 || kind == 9);
      } catch (UncheckedIOException | ClosedByBroker e) {
        done = doneBeforeFailure;
        close();
      }
      doneBeforeFailure = 0;
      for (int i = 0; i < done; i++) {
        topic.ok(keys.get(i));
      }
      keys.subList(0, done).clear();
      bodies.subList(0, done).clear();
      if (!keys.isEmpty()) {
        report.count("publishes without OK");
        LockSupport.parkNanos(20_000_000); // the broker is down
      }
    }
  }

  private int doneBeforeFailure;

  private int publishBatch(List<String> bodies) {
    String batch = RawNsqConnection.batch(bodies.toArray(String[]::new));
    boolean ok;
    if (random.nextInt(4) == 0) {
      ok = isOk(broker.http().post("/mpub?binary=true&topic=" + topic.name(), batch));
    } else {
      connection().command("MPUB " + topic.name(), batch);
      ok = readOk();
    }
    return ok ? bodies.size() : 0;
  }

  /** Returns how many were answered OK, from the first on; later ones count as not sent. */
  private int publishEach(List<String> bodies, int delayMs, boolean http) {
    if (http) {
      String target = "/pub?topic=" + topic.name() + (delayMs > 0 ? "&defer=" + delayMs : "");
      return isOk(broker.http().post(target, bodies.get(0))) ? 1 : 0;
    }
    String line =
        (delayMs > 0 ? "DPUB " : "PUB ") + topic.name() + (delayMs > 0 ? " " + delayMs : "");
    for (String body : bodies) {
      connection().command(line, body);
    }
    while (doneBeforeFailure < bodies.size() && readOk()) {
      doneBeforeFailure++;
    }
    return doneBeforeFailure;
  }

  private boolean isOk(Http.Response response) {
    if (response.status() != 200) {
      report.count("HTTP publish refused: " + response.status() + " " + response.body());
    }
    return response.status() == 200;
  }

  private RawNsqConnection connection() {
    if (conn == null) {
      conn = broker.connect();
    }
    return conn;
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
    report.count("publish refused: " + frame);
    close();
    return false;
  }

  @Override
  public void close() {
    if (conn != null) {
      conn.close();
      conn = null;
    }
  }
}
