package io.holdfast.broker.channel;

import io.holdfast.broker.channel.ModelMessage.Published;
import io.holdfast.broker.topic.GuidFactory;
import io.holdfast.storage.DirNames;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A topic as it should be. */
final class TopicModel {
  static final long NOTHING_HELD = -1;

  final String name;
  final boolean ephemeral;
  private final SimulationSettings settings;

  /** By ordinal. */
  final List<Published> published = new ArrayList<>();

  final TreeMap<String, ChannelModel> channels = new TreeMap<>();
  GuidFactory guids;
  boolean paused;

  /** The first ordinal that the topic keeps back from its channels. */
  long heldFrom;

  /** Messages taken since the start of the process. */
  long messageCount;

  TopicModel(String name, GuidFactory guids, SimulationSettings settings) {
    this.name = name;
    this.guids = guids;
    this.settings = settings;
    ephemeral = DirNames.isEphemeral(name);
  }

  long depth() {
    return heldFrom == NOTHING_HELD ? 0 : published.size() - heldFrom;
  }

  /** Takes a publish command whose messages follow those that are there. */
  void put(List<Published> batch, long nowMs) {
    messageCount += batch.size();
    if (ephemeral && heldFrom != NOTHING_HELD && depth() >= settings.memQueueSize()) {
      return;
    }
    published.addAll(batch);
    if (heldFrom == NOTHING_HELD) {
      channels.values().forEach(channel -> channel.put(batch, nowMs));
    }
  }

  private void handOver(Iterable<ChannelModel> to, long nowMs) {
    if (heldFrom != NOTHING_HELD) {
      List<Published> held = published.subList((int) heldFrom, published.size());
      to.forEach(channel -> channel.putBacklog(held, nowMs));
      heldFrom = NOTHING_HELD;
    }
  }

  void create(String channel, long nowMs) {
    ChannelModel model = new ChannelModel(name, channel, settings);
    channels.put(channel, model);
    if (!paused) {
      handOver(List.of(model), nowMs);
    }
  }

  void delete(String channel) {
    channels.remove(channel);
    if (channels.isEmpty() && heldFrom == NOTHING_HELD) {
      heldFrom = published.size();
    }
  }

  void pause() {
    paused = true;
    if (heldFrom == NOTHING_HELD) {
      heldFrom = published.size();
    }
  }

  void unpause(long nowMs) {
    paused = false;
    if (!channels.isEmpty()) {
      handOver(channels.values(), nowMs);
    }
  }

  void empty() {
    if (heldFrom != NOTHING_HELD) {
      heldFrom = published.size();
    }
  }

  /** A new process: ephemeral channels are gone, and with them what they had. */
  void restarted() {
    channels.values().forEach(ChannelModel::restarted);
    channels.values().removeIf(channel -> channel.ephemeral);
    if (channels.isEmpty() && heldFrom == NOTHING_HELD) {
      heldFrom = published.size();
    }
    messageCount = 0;
  }

  @Override
  public String toString() {
    return name;
  }
}
