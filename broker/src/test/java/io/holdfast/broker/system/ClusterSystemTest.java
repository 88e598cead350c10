package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.ClusterProcesses;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Three brokers share their topics: what was answered OK is there after one of them is killed. */
class ClusterSystemTest {
  private static final int PIPELINED = 20;
  private static final Duration QUIET = Duration.ofSeconds(2);

  private ClusterProcesses cluster;

  /** Bodies that were answered OK. */
  private final Set<String> published = new TreeSet<>();

  private final Set<String> consumed = new TreeSet<>();

  @AfterEach
  void close() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void whatIsOkSurvivesTheLeader() {
    cluster = ClusterProcesses.started();
    try {
      killAndStop();
    } catch (RuntimeException | Error e) {
      throw new AssertionError(cluster.log(), e);
    }
  }

  private void killAndStop() {
    administer("/topic/create?topic=t");
    administer("/channel/create?topic=t&channel=c");
    administer("/channel/create?topic=t&channel=r");
    publish(0, 200, cluster.names().get(0));
    assertEquals(200, published.size());
    consume(50);

    // Killed with publishes under way: some are answered, some are not.
    String first = cluster.awaitLeader("t");
    Reader reader = new Reader(cluster.node(other(first)).connect());
    try (RawNsqConnection client = cluster.node(first).connect()) {
      for (int i = 200; i < 400; i++) {
        client.command("PUB t", body(i));
      }
      answers(client, 200, 250);
      cluster.node(first).kill9();
      answers(client, 250, 400);
    }
    String second = cluster.awaitLeader("t");
    assertNotEquals(first, second);
    publish(400, 500, second);
    consume(published.size());

    // The dead one comes back, and is level again.
    cluster.node(first).start();
    cluster.awaitLevel();
    try (reader) {
      reader.awaitAll(published);
    }

    // An orderly stop hands over: nothing is lost either.
    publish(500, 600, first);
    second = cluster.awaitLeader("t");
    assertEquals(0, cluster.node(second).terminate());
    publish(600, 650, cluster.awaitLeader("t"));
    consume(published.size());
    cluster.node(second).start();
    cluster.awaitLevel();
  }

  private String other(String than) {
    return cluster.names().stream().filter(node -> !node.equals(than)).findFirst().orElseThrow();
  }

  /** Asks a node that does not lead; on a busy machine there is another leader now and then. */
  private void administer(String target) {
    Awaitility.await(target)
        .atMost(ClusterProcesses.LONG)
        .until(
            () -> {
              String asked = other(cluster.awaitLeader("t"));
              return cluster.node(asked).http().post(target).status() == 200;
            });
  }

  private static String body(int i) {
    return String.format("m%04d", i);
  }

  /** Publishes at a node until each message is answered OK, whoever leads. */
  private void publish(int from, int to, String node) {
    int next = from;
    while (next < to) {
      try (RawNsqConnection client = cluster.node(node).connect()) {
        next = publish(client, next, to);
      } catch (ClosedByBroker e) {
        // It was killed, or refused the one before.
        continue;
      }
    }
  }

  /** Where to go on: on a busy machine there is another leader now and then. */
  private int publish(RawNsqConnection client, int from, int to) {
    int next = from;
    while (next < to) {
      int end = Math.min(to, next + PIPELINED);
      for (int i = next; i < end; i++) {
        client.command("PUB t", body(i));
      }
      while (next < end) {
        Frame frame = client.poll(ClusterProcesses.LONG);
        assertNotNull(frame, "no answer to a publish");
        if (frame.isHeartbeat()) {
          client.line("NOP");
        } else if (frame.text().equals("OK")) {
          published.add(body(next++));
        } else {
          assertTrue(frame.text().startsWith("E_PUB_FAILED "), frame.text());
          return next;
        }
      }
    }
    return next;
  }

  /** Notes the answers of a broker that was killed. */
  private void answers(RawNsqConnection client, int from, int to) {
    try {
      for (int i = from; i < to; i++) {
        if (!client.expectResponse().equals("OK")) {
          return;
        }
        published.add(body(i));
      }
    } catch (AssertionError | UncheckedIOException e) {
      // The rest is not known.
      return;
    }
  }

  /** Until so many messages have come; if that is all of them, all that were answered OK. */
  private void consume(int count) {
    long startNs = System.nanoTime();
    while (consumed.size() < count || (count > 50 && !consumed.containsAll(published))) {
      assertTrue(
          RawNsqConnection.millisSince(startNs) < ClusterProcesses.LONG.toMillis(), this::missing);
      try (RawNsqConnection client = cluster.node(cluster.awaitLeader("t")).connect()) {
        if (client.line("SUB t c").poll(ClusterProcesses.LONG).text().equals("OK")) {
          consumeFrom(client, count);
        }
      } catch (ClosedByBroker e) {
        // Another one leads.
        continue;
      }
    }
  }

  private void consumeFrom(RawNsqConnection client, int count) {
    client.line("RDY 50");
    for (Frame frame = client.poll(QUIET); frame != null; frame = client.poll(QUIET)) {
      if (frame.isHeartbeat()) {
        client.line("NOP");
      } else if (frame.type() == Frame.MESSAGE) {
        consumed.add(frame.message().text());
        client.fin(frame.message());
      }
      if (consumed.size() >= count && (count <= 50 || consumed.containsAll(published))) {
        client.flushed();
        return;
      }
    }
  }

  private String missing() {
    Set<String> missing = new TreeSet<>(published);
    missing.removeAll(consumed);
    return "missing: " + missing;
  }

  /** Reads at a node until it is closed, as a client does that never connects anew. */
  private static final class Reader implements AutoCloseable {
    private final RawNsqConnection client;
    private final Set<String> read = new ConcurrentSkipListSet<>();
    private final CompletableFuture<Void> ended;
    private volatile boolean closing;

    Reader(RawNsqConnection client) {
      this.client = client;
      client.line("SUB t r").expectOk().line("RDY 20");
      ended = CompletableFuture.runAsync(this::run);
    }

    private void run() {
      while (!closing) {
        Frame frame = client.poll(Duration.ofMillis(100));
        if (frame == null) {
          continue;
        }
        if (frame.isHeartbeat()) {
          client.line("NOP");
        } else if (frame.type() == Frame.MESSAGE) {
          read.add(frame.message().text());
          client.fin(frame.message());
        } else {
          assertTrue(frame.text().endsWith(" failed ID not in flight"), frame.text());
        }
      }
    }

    void awaitAll(Set<String> bodies) {
      Awaitility.await("all read by a client that was never closed")
          .atMost(ClusterProcesses.LONG)
          .until(() -> ended.isDone() || read.containsAll(bodies));
      if (ended.isDone()) {
        ended.join();
      }
    }

    @Override
    public void close() {
      closing = true;
      try {
        ended.join();
      } finally {
        client.close();
      }
    }
  }
}
