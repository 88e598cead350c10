package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import java.io.IOException;
import java.util.List;

/**
 * Goes back in time, or forward: puts channels of a topic to another position, and has new ones
 * begin at one. One after the other; no file goes away meanwhile. Workers.
 */
final class TopicReplay {
  private final TopicState state;
  private final Journal journal;
  private final TopicPositions positions;
  private final TopicChannels channels;
  private final TopicUpkeep upkeep;

  TopicReplay(
      TopicState state,
      Journal journal,
      TopicPositions positions,
      TopicChannels channels,
      TopicUpkeep upkeep) {
    this.state = state;
    this.journal = journal;
    this.positions = positions;
    this.channels = channels;
    this.upkeep = upkeep;
  }

  /** See {@link Topic#channel(String, Position)}. */
  Channel channel(String name, Position from) throws BrokerException, IOException {
    synchronized (state.admin) {
      Channel existing = channels.get(name);
      return existing != null
          ? existing
          : upkeep.keepingFiles(() -> channels.create(name, positions.find(from)));
    }
  }

  /** See {@link Topic#rewind}. */
  Rewound rewind(String name, Position to) throws BrokerException, IOException {
    synchronized (state.admin) {
      Channel channel = channels.get(name);
      if (channel == null || state.isEnding()) {
        throw new BrokerException(channel == null ? "no such channel" : "exiting");
      }
      channel.deadLetters().holdMoves();
      try {
        if (state.log != null) {
          return upkeep.keepingFiles(() -> rewindShared(channel, to));
        }
        Rewound rewound = upkeep.keepingFiles(() -> rewind(channel, to));
        channel.admin().settleRewind();
        return rewound;
      } finally {
        channel.deadLetters().releaseMoves();
      }
    }
  }

  private Rewound rewindShared(Channel channel, Position to) throws BrokerException, IOException {
    TopicPositions.Place place = positions.find(to);
    state.log.rewindChannel(channel.name(), place.first());
    channels.findDeferred(channel, place.first());
    long[] counts = channel.admin().lastMove();
    return positions.at(place, counts[0], counts[1]);
  }

  private Rewound rewind(Channel channel, Position to) throws BrokerException, IOException {
    TopicPositions.Place place = positions.find(to);
    long[] counts;
    synchronized (state.lock) {
      if (to.kind() == Position.Kind.END) {
        place = new TopicPositions.Place(journal.nextOrdinal(), List.of());
      }
      counts = channel.admin().rewind(place.first(), place.relocations());
    }
    channels.findDeferred(channel, place.first());
    return positions.at(place, counts[0], counts[1]);
  }
}
