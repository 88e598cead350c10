package io.holdfast.storage.topic;

import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What {@link PowerCutBroker} knows of its topics, independently of the storage. One thread. */
final class PowerCutModel {
  private PowerCutModel() {}

  /** A publish command. */
  static final class Published {
    final List<String> bodies;
    final long deferMs;
    long first;

    /** Whether it must survive: answered OK in mode synced, forced in mode written. */
    boolean certain;

    /** Whether the disk refused it and the process died before it could be written again. */
    boolean doubtful;

    Published(List<String> bodies, long deferMs) {
      this.bodies = bodies;
      this.deferMs = deferMs;
    }

    long end() {
      return first + bodies.size();
    }

    /** The same, whose certainty goes its own way. */
    Published copy() {
      Published copy = new Published(bodies, deferMs);
      copy.first = first;
      copy.certain = certain;
      copy.doubtful = doubtful;
      return copy;
    }
  }

  /** A message that the channel has taken and not finished. */
  record Taken(MessageRef ref, long dueMs, boolean dead) {
    Taken(MessageRef ref, long dueMs) {
      this(ref, dueMs, false);
    }

    static Taken of(HeldMessage held) {
      return new Taken(held.ref(), held.dueMs(), held.isDead());
    }

    HeldMessage held() {
      return dead
          ? HeldMessage.dead(ref, dueMs, HeldMessage.Mark.DEAD_ATTEMPTS)
          : new HeldMessage(ref, dueMs);
    }
  }

  /** What a rewind changes: until it is on the disk either is right, as a whole. */
  record Rewind(Set<Long> unfinishedBefore, Set<Long> mayBefore, Set<Long> after) {}

  /** A channel. */
  static final class ChannelModel {
    final String name;
    ChronicleBackend backend;

    /** Whether its creation was answered. */
    boolean certain;

    /** Whether its deletion has begun. */
    boolean ending;

    /** What may be delivered after a power cut: all but what is finished for certain. */
    final TreeSet<Long> may = new TreeSet<>();

    /** Published messages of the topic that are not finished, nor about to be. */
    final TreeSet<Long> unfinished = new TreeSet<>();

    /** Finished, but perhaps not on disk. */
    final List<Long> finishing = new ArrayList<>();

    /** While a rewind is on its way to the disk, else null. */
    Rewind rewind;

    /** Dead on the disk, but for those that were finished or redriven since. */
    final Set<Long> dead = new TreeSet<>();

    /** In the memory queue. */
    final Deque<MessageRef> memory = new ArrayDeque<>();

    /** Taken by consumers or deferred. */
    final List<Taken> taken = new ArrayList<>();

    ChannelModel(String name) {
      this.name = name;
    }

    /** Everything finished so far is on disk. */
    void forced() {
      may.removeAll(finishing);
      finishing.clear();
      dead.clear();
      taken.stream().filter(Taken::dead).forEach(each -> dead.add(each.ref().ordinal()));
    }
  }

  /** A topic. */
  static final class TopicModel {
    final String name;
    final long idBase;
    ChronicleJournal journal;
    boolean certain;
    boolean ending;
    final Map<String, ChannelModel> channels = new TreeMap<>();

    /** Everything in the journal of this timeline, by first ordinal. */
    final TreeMap<Long, Published> published = new TreeMap<>();

    /** Every body that was ever published under an ordinal, whatever became of it. */
    final TreeMap<Long, String> used = new TreeMap<>();

    /** As in the broker: what is kept back from the channels begins here; -1 for nothing. */
    long heldFrom = -1;

    List<Metadata.Skipped> skipped = List.of();

    TopicModel(String name, long idBase) {
      this.name = name;
      this.idBase = idBase;
    }

    long skippedTo() {
      return skipped.isEmpty() ? 0 : skipped.get(skipped.size() - 1).to();
    }

    /** The process dies while the disk refuses: the next one cannot know what was not written. */
    void doubt() {
      published.values().forEach(message -> message.doubtful = !message.certain);
      channels.values().forEach(channel -> channel.finishing.clear());
    }

    Published holding(long ordinal) {
      Map.Entry<Long, Published> entry = published.floorEntry(ordinal);
      return entry == null || entry.getValue().end() <= ordinal ? null : entry.getValue();
    }

    /** Those of some ordinals that must survive. */
    Set<Long> certain(Set<Long> ordinals) {
      Set<Long> certain = new TreeSet<>();
      for (long ordinal : ordinals) {
        Published of = holding(ordinal);
        if (of != null && of.certain) {
          certain.add(ordinal);
        }
      }
      return certain;
    }
  }
}
