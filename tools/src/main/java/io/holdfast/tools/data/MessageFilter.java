package io.holdfast.tools.data;

import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.MessageView;
import io.holdfast.tools.cli.Given;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Option;

/** Which messages a command is about. */
final class MessageFilter {
  /** What completion offers for --state. */
  static final class States implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(ChannelView.State.values()).map(Given::lower).iterator();
    }
  }

  @Option(
      names = "--id",
      split = ",",
      paramLabel = "ID",
      description = "Only the message with this id (16 hex digits); may be repeated.")
  private List<String> ids = List.of();

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = When.Converter.class,
      description =
          "Only messages published at or after TIME: 2026-11-22T20:00:00Z, the same without Z for"
              + " local time, 2026-11-22 for the start of that day, or 10m for ten minutes ago.")
  private Instant since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      converter = When.Converter.class,
      description = "Only messages published before TIME.")
  private Instant until;

  @Option(
      names = "--state",
      split = ",",
      paramLabel = "STATE",
      completionCandidates = States.class,
      description = {
        "Only messages that are in this state in one of the channels; may be repeated: ready (never"
            + " delivered as far as the disk tells), unfinished (delivered: in flight, requeued,"
            + " timed out), deferred, dead (a dead letter), finished, kept (by a paused topic)."
      })
  private List<ChannelView.State> states = List.of();

  private Set<ChannelView.State> wanted = EnumSet.noneOf(ChannelView.State.class);

  /** Fails on options that make no sense. */
  void check() {
    ids.forEach(MessageIds::check);
    if (!states.isEmpty()) {
      wanted = EnumSet.copyOf(states);
    }
  }

  /** The ordinals of the wanted ids in a topic, null when all are wanted. */
  NavigableSet<Long> ordinals(TopicView topic) {
    if (ids.isEmpty()) {
      return null;
    }
    TreeSet<Long> ordinals = new TreeSet<>();
    for (String id : ids) {
      long ordinal = MessageIds.ordinalOf(topic, id);
      if (ordinal >= 0 && ordinal < topic.nextOrdinal()) {
        ordinals.add(ordinal);
      }
    }
    return ordinals;
  }

  /** Whether the time of publishing fits. */
  boolean includesTime(long timestampNs) {
    return (since == null || timestampNs >= When.ns(since))
        && (until == null || timestampNs < When.ns(until));
  }

  /** Whether there is a filter on states. */
  boolean hasStates() {
    return !wanted.isEmpty();
  }

  /** Whether a message has a wanted state in one of the channels. */
  boolean includesState(
      TopicView topic, List<ChannelView> channels, MessageView message, long nowMs) {
    if (wanted.isEmpty()) {
      return true;
    }
    boolean kept = topic.keepsBack(message.ordinal());
    if (kept && channels.isEmpty()) {
      return wanted.contains(ChannelView.State.KEPT);
    }
    for (ChannelView channel : channels) {
      if (channel.has(message.ordinal())
          && wanted.contains(channel.stateOf(message, kept, nowMs))) {
        return true;
      }
    }
    return false;
  }
}
