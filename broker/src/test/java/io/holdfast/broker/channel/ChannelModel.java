package io.holdfast.broker.channel;

import io.holdfast.broker.channel.ModelMessage.Place;
import io.holdfast.broker.channel.ModelMessage.Published;
import io.holdfast.storage.DirNames;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** A channel as it should be: every message in one place, and the figures that follow from it. */
final class ChannelModel {
  final String topic;
  final String name;
  final boolean ephemeral;
  private final SimulationSettings settings;

  /** What is not finished, by ordinal. */
  final TreeMap<Long, ModelMessage> messages = new TreeMap<>();

  private final int[] counts = new int[Place.values().length];
  final List<SimulatedClient> clients = new ArrayList<>();
  boolean paused;

  /** Bodies in the memory queue; of an ephemeral channel only. */
  private long readyBytes;

  private int cameBack;

  /** So many of the ready ones were sampled out; which, only the channel knows. */
  long sampledOut;

  /** The highest ordinal without deferral that was delivered for the first time. */
  long lastFirst = -1;

  // Figures since the start of the process.
  long messageCount;
  long requeueCount;
  long timeoutCount;
  long dropped;

  ChannelModel(String topic, String name, SimulationSettings settings) {
    this.topic = topic;
    this.name = name;
    this.settings = settings;
    ephemeral = DirNames.isEphemeral(name);
  }

  int count(Place place) {
    return counts[place.ordinal()];
  }

  /** Messages that wait. */
  long waiting() {
    return count(Place.READY) + count(Place.DEFERRED) - sampledOut;
  }

  /** A publish command, in which all messages have the same deferral. */
  void put(List<Published> batch, long nowMs) {
    messageCount += batch.size();
    int taken = batch.size();
    boolean deferred = batch.get(0).dueMs() > nowMs;
    if (ephemeral) {
      taken = deferred && roomForDeferred(batch.size()) ? batch.size() : 0;
      while (!deferred && taken < batch.size() && hasRoom(batch.get(taken))) {
        add(batch.get(taken++), Place.READY);
      }
      dropped += batch.size() - taken;
      if (!deferred) {
        return;
      }
    }
    for (Published published : batch.subList(0, taken)) {
      add(published, deferred ? Place.DEFERRED : Place.READY);
    }
  }

  private boolean roomForDeferred(int messages) {
    return count(Place.DEFERRED) + cameBack + messages <= settings.maxDeferred();
  }

  private boolean hasRoom(Published published) {
    return count(Place.READY) < settings.memQueueSize()
        && readyBytes + published.length() <= settings.memQueueBytes();
  }

  /** What the topic had kept back. */
  void putBacklog(List<Published> backlog, long nowMs) {
    boolean full = false;
    for (Published published : backlog) {
      full |=
          ephemeral
              && (readyBytes >= settings.memQueueBytes()
                  || count(Place.READY) >= settings.memQueueSize());
      if (full) {
        dropped++;
        continue;
      }
      boolean deferred = published.dueMs() > nowMs;
      if (!ephemeral || !deferred || roomForDeferred(1)) {
        messageCount++;
        add(published, deferred ? Place.DEFERRED : Place.READY);
      } else {
        dropped++;
      }
    }
  }

  private void add(Published published, Place place) {
    ModelMessage message = new ModelMessage(published, place);
    if (messages.put(published.ordinal(), message) != null) {
      throw new IllegalStateException("twice: " + message);
    }
    enter(message, place);
  }

  private void enter(ModelMessage message, Place place) {
    message.place = place;
    counts[place.ordinal()]++;
    if (place == Place.READY) {
      readyBytes += message.published.length();
      cameBack += message.cameBack ? 1 : 0;
    }
  }

  private void leave(ModelMessage message) {
    counts[message.place.ordinal()]--;
    if (message.place == Place.READY) {
      readyBytes -= message.published.length();
      cameBack -= message.cameBack ? 1 : 0;
      message.cameBack = false;
    } else if (message.place == Place.IN_FLIGHT) {
      message.client.inFlight.remove(message.published.ordinal());
      message.client = null;
    }
  }

  void deliver(ModelMessage message, SimulatedClient to, long nowMs) {
    leave(message);
    message.client = to;
    message.deliveryMs = nowMs;
    message.deadlineMs = nowMs + to.msgTimeoutMs;
    message.attempts++;
    to.inFlight.add(message.published.ordinal());
    enter(message, Place.IN_FLIGHT);
  }

  /** Waits for another time. */
  void comeBack(ModelMessage message) {
    leave(message);
    message.cameBack = true;
    enter(message, Place.READY);
  }

  void defer(ModelMessage message, long dueMs) {
    leave(message);
    message.dueMs = dueMs;
    enter(message, Place.DEFERRED);
  }

  void finish(long ordinal) {
    leave(messages.remove(ordinal));
  }

  void empty() {
    for (SimulatedClient client : clients) {
      client.inFlight.clear();
    }
    messages.clear();
    Arrays.fill(counts, 0);
    readyBytes = 0;
    cameBack = 0;
    sampledOut = 0;
  }

  /** Timeouts and due deferrals. */
  void advance(long nowMs) {
    if (count(Place.IN_FLIGHT) == 0 && count(Place.DEFERRED) == 0) {
      return;
    }
    for (ModelMessage message : messages.values()) {
      if (message.place == Place.IN_FLIGHT && message.deadlineMs <= nowMs) {
        comeBack(message);
        timeoutCount++;
      } else if (message.place == Place.DEFERRED && message.dueMs <= nowMs) {
        comeBack(message);
      }
    }
  }

  /** The consumer's connection ended. */
  void leave(SimulatedClient client) {
    clients.remove(client);
    for (long ordinal : new ArrayList<>(client.inFlight)) {
      comeBack(messages.get(ordinal));
    }
  }

  /** A new process: nobody is connected, counters begin anew. */
  void restarted() {
    new ArrayList<>(clients).forEach(this::leave);
    messageCount = 0;
    requeueCount = 0;
    timeoutCount = 0;
    dropped = 0;
  }

  @Override
  public String toString() {
    return topic + "/" + name;
  }
}
