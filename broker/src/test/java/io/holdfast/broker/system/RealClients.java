package io.holdfast.broker.system;

import io.holdfast.broker.system.interop.InteropClient;
import io.holdfast.broker.system.support.ClusterProcesses;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;

/** Client libraries that publish to a topic, each of which reads all of it from its own channel. */
final class RealClients implements AutoCloseable {
  private static final Duration SOON = Duration.ofMillis(50);

  private final String topic;
  private final Map<String, InteropClient> clients = new LinkedHashMap<>();
  private final Map<String, Set<String>> received = new LinkedHashMap<>();
  private final Set<String> published = ConcurrentHashMap.newKeySet();
  private final AtomicInteger next = new AtomicInteger();

  RealClients(String topic) {
    this.topic = topic;
  }

  /**
   * Has one consume.
   *
   * @param name of its channel
   */
  void add(String name, InteropClient client) {
    clients.put(name, client);
    Set<String> bodies = ConcurrentHashMap.newKeySet();
    received.put(name, bodies);
    client.consume(
        topic,
        name,
        message -> {
          bodies.add(message.body());
          message.finish();
        });
  }

  Set<String> names() {
    return clients.keySet();
  }

  /** Has each publish so many, one after the other; they go on until all is published. */
  List<CompletableFuture<Void>> publishEach(int count) {
    return clients.values().stream()
        .map(client -> CompletableFuture.runAsync(() -> publish(client, count)))
        .toList();
  }

  /** Each until the library says that it is published, as an application does. */
  private void publish(InteropClient client, int count) {
    for (int i = 0; i < count; i++) {
      String body = "m" + next.incrementAndGet();
      Awaitility.await("publish of " + body)
          .atMost(ClusterProcesses.LONG)
          .pollDelay(Duration.ZERO)
          .pollInterval(SOON)
          .until(() -> isPublished(client, body));
      published.add(body);
    }
  }

  private boolean isPublished(InteropClient client, String body) {
    try {
      client.publish(topic, body);
      return true;
    } catch (RuntimeException e) {
      return false; // no leader for a while
    }
  }

  /** Waits until so many are published. */
  void awaitPublished(int count) {
    Awaitility.await(count + " are published")
        .atMost(ClusterProcesses.LONG)
        .pollInterval(SOON)
        .until(() -> published.size() >= count);
  }

  /** Waits until each has received all that was published. */
  void awaitAll() {
    received.forEach(
        (name, bodies) ->
            Awaitility.await("all that was published, at " + name)
                .atMost(ClusterProcesses.LONG)
                .pollInterval(SOON)
                .until(() -> bodies.containsAll(published)));
  }

  @Override
  public void close() {
    clients.values().forEach(InteropClient::close);
  }
}
