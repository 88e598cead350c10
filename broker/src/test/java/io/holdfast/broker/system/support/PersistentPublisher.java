package io.holdfast.broker.system.support;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A publisher thread that outlives its broker: it sends batches of random kinds (PUB, MPUB, DPUB,
 * HTTP) and sizes until told to stop, repeats what got no OK on a new connection, and so knows
 * every message the broker must have. Bodies can be told apart and checked: {@link
 * #isIntact(String)}.
 */
public final class PersistentPublisher implements AutoCloseable {
  private static final int MAX_BODY = 64 << 10;

  private final BrokerProcess broker;
  private final String topic;
  private final String name;
  private final Random random;
  private final AtomicBoolean stopping = new AtomicBoolean();
  private final AtomicInteger okCount = new AtomicInteger();
  private final Set<String> published = new HashSet<>(); // owned by the thread until join
  private final Thread thread;
  private volatile Throwable failure;
  private RawNsqConnection conn; // owned by the thread; null while not connected
  private int nextNumber; // owned by the thread

  /** Starts at once; the random sizes and kinds follow from the seed. */
  public PersistentPublisher(BrokerProcess broker, String topic, String name, long seed) {
    this.broker = broker;
    this.topic = topic;
    this.name = name;
    this.random = new Random(seed);
    this.thread = new Thread(this::run, "publisher-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  /** How many messages were answered OK so far. */
  public int okCount() {
    return okCount.get();
  }

  /**
   * Lets the batch under way finish, then returns all bodies answered OK, as keys ({@link
   * #key(String)}).
   */
  public Set<String> stopAndJoin() {
    stopping.set(true);
    try {
      thread.join(60_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    if (failure != null) {
      throw new AssertionError("publisher " + name, failure);
    }
    if (thread.isAlive()) {
      throw new AssertionError("publisher " + name + " hangs");
    }
    return published;
  }

  @Override
  public void close() {
    stopping.set(true);
    thread.interrupt();
  }

  private void run() {
    try {
      while (!stopping.get()) {
        String[] bodies = nextBodies();
        int kind = random.nextInt(10);
        while (!tryPublish(kind, bodies)) {
          if (Thread.interrupted()) {
            return;
          }
          LockSupport.parkNanos(10_000_000); // the broker is down
        }
        for (String body : bodies) {
          published.add(key(body));
        }
        okCount.addAndGet(bodies.length);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
    } finally {
      disconnect();
    }
  }

  private boolean tryPublish(int kind, String[] bodies) {
    try {
      if (kind == 0) {
        broker.http().post("/pub?topic=" + topic, bodies[0]).unlessDown().expect(200, "OK");
        publishRest(bodies);
        return true;
      } else if (kind == 1) {
        String batch = RawNsqConnection.batch(bodies);
        broker
            .http()
            .post("/mpub?binary=true&topic=" + topic, batch)
            .unlessDown()
            .expect(200, "OK");
        return true;
      }
      if (conn == null) {
        conn = broker.connect();
      }
      if (kind == 2) {
        conn.command("DPUB " + topic + " 100", bodies[0]).expectOk();
        publishRest(bodies);
      } else if (kind < 6) {
        conn.mpub(topic, bodies);
      } else {
        for (String body : bodies) {
          conn.command("PUB " + topic, body);
        }
        for (int i = 0; i < bodies.length; i++) {
          conn.expectOk();
        }
      }
      return true;
    } catch (UncheckedIOException | ClosedByBroker e) {
      disconnect();
      return false;
    } catch (AssertionError e) {
      if (!String.valueOf(e.getMessage()).contains(" failed exiting")) {
        throw e;
      }
      disconnect(); // the broker stops, and has refused it
      return false;
    }
  }

  private void publishRest(String[] bodies) {
    if (bodies.length == 1) {
      return;
    }
    if (conn == null) {
      conn = broker.connect();
    }
    conn.mpub(topic, Arrays.copyOfRange(bodies, 1, bodies.length));
  }

  private void disconnect() {
    if (conn != null) {
      conn.close();
      conn = null;
    }
  }

  private String[] nextBodies() {
    List<String> bodies = new ArrayList<>();
    int count = 1 + random.nextInt(random.nextInt(5) == 0 ? 50 : 5);
    for (int i = 0; i < count; i++) {
      // Mostly small, now and then up to 64 KB.
      int size = random.nextInt(20) == 0 ? random.nextInt(MAX_BODY) : random.nextInt(300);
      bodies.add(body(name + "-" + nextNumber++, size));
    }
    return bodies.toArray(String[]::new);
  }

  /** A body that begins with its key and whose padding follows from key and size. */
  public static String body(String key, int size) {
    StringBuilder body = new StringBuilder(key).append(':');
    Random padding = new Random(key.hashCode());
    while (body.length() < size) {
      body.append((char) padding.nextInt(256));
    }
    return body.toString();
  }

  /** What tells a body from all others. */
  public static String key(String body) {
    return body.substring(0, Math.max(0, body.indexOf(':')));
  }

  /** Whether this is, byte for byte, what {@link #body} made. */
  public static boolean isIntact(String body) {
    return body.equals(body(key(body), body.length()));
  }
}
