package io.holdfast.tools.cluster;

import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A publisher at one node, one message after the other, in a thread of its own. */
final class ClusterLoad implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final int PAUSE_MS = 10;
  private static final int OK = 200;

  private final HttpJson http = new HttpJson(PATIENCE);
  private final String name;
  private final BrokerAddress address;
  private final String topic;
  private final Set<String> published = ConcurrentHashMap.newKeySet();
  private final List<String> errors = new CopyOnWriteArrayList<>();
  private final Thread thread;
  private volatile boolean isPaused;
  private volatile boolean isClosed;

  /** Begins. */
  ClusterLoad(String name, BrokerAddress address, String topic) {
    this.name = name;
    this.address = address;
    this.topic = topic;
    thread = new Thread(this::run, "load-at-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    for (int i = 0; !isClosed; i++) {
      publish("at " + name + ' ' + i);
      try {
        Thread.sleep(PAUSE_MS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private synchronized void publish(String body) {
    if (isPaused) {
      return;
    }
    try {
      HttpJson.Reply reply =
          http.exchange(
              "POST", address, "/pub?topic=" + topic, body.getBytes(StandardCharsets.UTF_8));
      if (reply.status() == OK) {
        published.add(body);
      } else {
        errors.add(reply.text());
      }
    } catch (IOException e) {
      errors.add(e.toString());
    }
  }

  /** Nothing is under way when this returns. */
  synchronized void pause() {
    isPaused = true;
  }

  synchronized void resume() {
    isPaused = false;
  }

  /** What was answered OK. */
  Set<String> published() {
    return published;
  }

  /** What was answered else since this was asked last. */
  List<String> takeErrors() {
    List<String> taken = List.copyOf(errors);
    errors.removeAll(taken);
    return taken;
  }

  @Override
  public void close() {
    isClosed = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
