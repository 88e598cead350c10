package io.holdfast.broker.queue;

import io.holdfast.broker.queue.ModelMessage.Published;
import io.holdfast.storage.topic.DirNames;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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

  /** Whether its channels have had everything before {@link #heldFrom}. */
  private boolean heldByPause;

  /** Messages taken since the start of the process. */
  long messageCount;

  /** What was dropped somewhere, and how many were refused, since then. */
  final Set<Long> dropped = new HashSet<>();

  /** Counted once more, after a crash. */
  long droppedAgain;

  long rejectedCount;

  TopicModel(String name, GuidFactory guids, SimulationSettings settings) {
    this.name = name;
    this.guids = guids;
    this.settings = settings;
    ephemeral = DirNames.isEphemeral(name);
  }

  long depth() {
    return heldFrom == NOTHING_HELD ? 0 : published.size() - heldFrom;
  }

  /**
   * Takes a publish command whose messages follow those that are there.
   *
   * @return false when an ephemeral topic has no room for what it keeps back
   */
  boolean put(List<Published> batch, long nowMs) {
    messageCount += batch.size();
    if (ephemeral && heldFrom != NOTHING_HELD && depth() >= settings.memQueueSize()) {
      return false;
    }
    published.addAll(batch);
    if (!paused) {
      channels.values().forEach(channel -> channel.put(batch, nowMs));
    }
    return true;
  }

  /** How much waits in the fullest channel that lasts, and here. */
  long waiting() {
    return depth()
        + channels.values().stream()
            .filter(channel -> !channel.ephemeral)
            .mapToLong(ChannelModel::waiting)
            .max()
            .orElse(0);
  }

  /** It may keep no more than that: the oldest ones that wait are dropped. */
  void makeRoom(long allowed) {
    long kept = depth();
    if (kept > allowed) {
      dropKept(kept - allowed);
      kept = allowed;
    }
    for (ChannelModel channel : channels.values()) {
      if (!channel.ephemeral) {
        dropped.addAll(channel.dropOldest(allowed - kept));
      }
    }
  }

  /** Drops the oldest of what it keeps back. */
  void dropKept(long count) {
    if (count == 0) {
      return;
    }
    for (long i = 0; i < count; i++) {
      dropped.add(heldFrom++);
    }
    channels.values().forEach(channel -> channel.given = Math.max(channel.given, heldFrom));
  }

  /**
   * After a crash: what is to be dropped of it by its bytes is estimated once more, and may be less
   * or more.
   *
   * @param depth what it keeps back
   */
  void estimateAgain(long depth) {
    if (heldFrom != NOTHING_HELD) {
      heldFrom = published.size() - depth;
    }
  }

  /** Ephemeral channels take nothing away, but of an ephemeral topic. */
  private boolean hasTaker() {
    return channels.values().stream().anyMatch(channel -> ephemeral || !channel.ephemeral);
  }

  void create(String channel, long nowMs) {
    ChannelModel model = new ChannelModel(name, channel, settings);
    model.given = heldFrom == NOTHING_HELD ? published.size() : heldFrom;
    channels.put(channel, model);
    if (!paused) {
      model.extend(published, nowMs);
      if (hasTaker() || depth() == 0) {
        heldFrom = NOTHING_HELD;
      }
    }
  }

  void delete(String channel) {
    channels.remove(channel);
    heldByPause &= !channels.isEmpty();
    if (channels.isEmpty() && heldFrom == NOTHING_HELD) {
      heldFrom = published.size();
    }
  }

  void pause() {
    paused = true;
    if (heldFrom == NOTHING_HELD) {
      heldFrom = published.size();
      heldByPause = true;
    }
  }

  void unpause(long nowMs) {
    paused = false;
    channels.values().forEach(channel -> channel.extend(published, nowMs));
    if (hasTaker() || heldByPause) {
      heldFrom = NOTHING_HELD;
    }
    heldByPause = false;
  }

  void empty() {
    if (heldFrom != NOTHING_HELD) {
      heldFrom = published.size();
      channels.values().forEach(channel -> channel.given = published.size());
      if (!paused && !channels.isEmpty()) {
        heldFrom = NOTHING_HELD;
      }
    }
  }

  /** A new process: ephemeral channels are gone, and with them what they had. */
  void restarted() {
    channels.values().forEach(ChannelModel::restarted);
    channels.values().removeIf(channel -> channel.ephemeral);
    heldByPause = false;
    dropped.clear();
    droppedAgain = 0;
    rejectedCount = 0;
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
