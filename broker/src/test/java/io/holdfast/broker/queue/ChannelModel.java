package io.holdfast.broker.queue;

import io.holdfast.broker.policy.ChannelPolicy;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import io.holdfast.broker.queue.ModelMessage.Place;
import io.holdfast.broker.queue.ModelMessage.Published;
import io.holdfast.storage.topic.DirNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A channel as it should be: every message in one place, and the figures that follow from it. */
final class ChannelModel {
  final String topic;
  final String name;
  final boolean ephemeral;
  private final SimulationSettings settings;

  /** What is not finished, by ordinal. */
  final TreeMap<Long, ModelMessage> messages = new TreeMap<>();

  private final Map<Place, Integer> counts = new EnumMap<>(Place.class);
  final List<SimulatedClient> clients = new ArrayList<>();
  boolean paused;

  private int cameBack;

  /** The first ordinal that the topic has not handed to it. */
  long given;

  // As the channel has it just before a publish; of an ephemeral one only.
  boolean hasBacklog;
  long deferredNow;

  /** So many a rewind left deferred: the relocated ones among them have no place but memory. */
  long deferredByRewind;

  /** So many of the ready ones were sampled out; which, only the channel knows. */
  long sampledOut;

  /** The highest ordinal without deferral that was delivered for the first time. */
  long lastFirst = -1;

  // Figures since the start of the process.
  long messageCount;
  long requeueCount;
  long timeoutCount;
  long dropped;
  long expired;

  ChannelModel(String topic, String name, SimulationSettings settings) {
    this.topic = topic;
    this.name = name;
    this.settings = settings;
    ephemeral = DirNames.isEphemeral(name);
  }

  int count(Place place) {
    return counts.getOrDefault(place, 0);
  }

  /** Messages that wait. */
  long waiting() {
    return count(Place.READY) + count(Place.DEFERRED) - sampledOut;
  }

  /** A publish command, in which all messages have the same deferral. */
  void put(List<Published> batch, long nowMs) {
    messageCount += batch.size();
    given += batch.size();
    int taken = batch.size();
    boolean deferred = batch.get(0).dueMs() > nowMs;
    if (ephemeral && !hasBacklog) {
      long room = settings.memQueueSize() - count(Place.READY) + demand();
      if (deferred) {
        boolean fits = deferredNow + cameBack + batch.size() <= settings.maxDeferred();
        room = fits ? batch.size() : 0;
      }
      taken = (int) Math.max(0, Math.min(batch.size(), room));
      dropped += batch.size() - taken;
    }
    for (Published published : batch.subList(0, taken)) {
      add(published, deferred ? Place.DEFERRED : Place.READY);
    }
  }

  /** How many messages its consumers have room for. */
  private long demand() {
    return paused
        ? 0
        : clients.stream()
            .filter(client -> !client.closing)
            .mapToLong(client -> Math.max(0, client.ready - client.inFlight.size()))
            .sum();
  }

  /** Gets what the topic had kept back. */
  void extend(List<Published> published, long nowMs) {
    for (; given < published.size(); given++) {
      Published message = published.get((int) given);
      messageCount++;
      add(message, message.dueMs() > nowMs ? Place.DEFERRED : Place.READY);
    }
  }

  /**
   * An ephemeral channel has let go what only it needed of the journal: the first ones in the
   * backend.
   *
   * @param elsewhere what is not in the backend
   */
  void letGo(long count, Set<Long> elsewhere) {
    dropped += count;
    messages.keySet().stream()
        .filter(ordinal -> !elsewhere.contains(ordinal))
        .limit(count)
        .toList()
        .forEach(this::finish);
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
    counts.merge(place, 1, Integer::sum);
    if (place == Place.READY) {
      cameBack += message.cameBack ? 1 : 0;
    }
  }

  private void leave(ModelMessage message) {
    counts.merge(message.place, -1, Integer::sum);
    if (message.place == Place.READY) {
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

  /** A delivery has ended without FIN: it waits for another time, or is dead. */
  void end(ModelMessage message, long delayMs, long nowMs) {
    int max = settings.channel().maxAttempts();
    if (max > 0 && message.attempts >= max) {
      die(message);
    } else if (delayMs > 0) {
      defer(message, nowMs + delayMs);
    } else {
      comeBack(message);
    }
  }

  private void die(ModelMessage message) {
    String to = settings.channel().deadLetter();
    if (to.equals(ChannelPolicy.DROP) || (ephemeral && to.equals(ChannelPolicy.KEEP))) {
      finish(message.published.ordinal());
    } else {
      leave(message);
      enter(message, Place.DEAD);
    }
  }

  /** Whether a ready one is too old to be delivered. */
  boolean isOver(ModelMessage message, long nowMs) {
    long ttlMs = settings.channel().messageTtlMs();
    long fromMs = Math.max(message.published.atMs(), message.published.dueMs());
    return ttlMs > 0 && !message.redriven && nowMs - fromMs > ttlMs;
  }

  /** Those that may expire now. */
  List<ModelMessage> over(long nowMs) {
    return messages.values().stream()
        .filter(message -> message.place == Place.READY && isOver(message, nowMs))
        .toList();
  }

  /** It has expired. */
  void expire(ModelMessage message) {
    expired++;
    if (settings.channel().expired() == Expired.DEAD) {
      die(message);
    } else {
      finish(message.published.ordinal());
    }
  }

  /** The topic is full: its oldest waiting ones go until only so many wait. */
  List<Long> dropOldest(long keep) {
    List<Long> gone =
        messages.values().stream()
            .filter(m -> m.place == Place.READY || m.place == Place.DEFERRED)
            .limit(Math.max(0, waiting() - keep))
            .map(message -> message.published.ordinal())
            .toList();
    gone.forEach(this::finish);
    dropped += gone.size();
    return gone;
  }

  /** A dead one is ready again, as if it had never been delivered. */
  void redrive(ModelMessage message) {
    leave(message);
    message.attempts = 0;
    message.anew = true;
    message.redriven = true;
    message.cameBack = true;
    enter(message, Place.READY);
  }

  /** The dead ones. */
  List<ModelMessage> dead() {
    return messages.values().stream().filter(m -> m.place == Place.DEAD).toList();
  }

  /**
   * It was put to another position.
   *
   * @param available what there is from there on
   */
  void rewind(long first, Collection<Published> available, long nowMs) {
    for (SimulatedClient client : clients) {
      client.inFlight.clear();
    }
    List<ModelMessage> dead =
        dead().stream().filter(message -> message.published.ordinal() < first).toList();
    messages.clear();
    counts.clear();
    cameBack = 0;
    sampledOut = 0;
    for (Published published : available) {
      add(published, published.dueMs() > nowMs ? Place.DEFERRED : Place.READY);
    }
    for (ModelMessage message : dead) {
      messages.put(message.published.ordinal(), message);
      counts.merge(Place.DEAD, 1, Integer::sum);
    }
    lastFirst = -1;
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
    messages.values().removeIf(message -> message.place != Place.DEAD);
    counts.clear();
    counts.put(Place.DEAD, messages.size());
    cameBack = 0;
    sampledOut = 0;
  }

  /** Timeouts and due deferrals. */
  void advance(long nowMs) {
    if (count(Place.IN_FLIGHT) == 0 && count(Place.DEFERRED) == 0) {
      return;
    }
    for (ModelMessage message : List.copyOf(messages.values())) {
      if (message.place == Place.IN_FLIGHT && message.deadlineMs <= nowMs) {
        end(message, 0, nowMs);
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
      end(messages.get(ordinal), 0, 0);
    }
  }

  /** A new process: nobody is connected, counters begin anew. */
  void restarted() {
    new ArrayList<>(clients).forEach(this::leave);
    messageCount = 0;
    requeueCount = 0;
    timeoutCount = 0;
    dropped = 0;
    expired = 0;
  }

  @Override
  public String toString() {
    return topic + "/" + name;
  }
}
