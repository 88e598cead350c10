package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.queue.Topic;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much a leader has carried forward in a turn of housekeeping: so many bytes of all its topics,
 * and those that had to wait come first in the next one. While entries of an earlier turn are under
 * way there is none. Housekeeping thread, but for {@link #done}.
 */
final class CarryTurn {
  /** Or one message, if that is larger. */
  static final int MAX_BYTES = 2 << 20;

  private final AtomicInteger underWay = new AtomicInteger();

  /**
   * Of messages that others had to give; not those of channels, which are not to wait for these.
   */
  private final AtomicLong givenBytes = new AtomicLong();

  private long leftBytes;
  private String last = "";

  /**
   * A turn begins.
   *
   * @param topics by name
   * @return the topics in the order in which they are to be asked
   */
  List<Topic> begin(NavigableMap<String, Topic> topics) {
    leftBytes = underWay.get() > 0 ? 0 : MAX_BYTES;
    List<Topic> inTurn = new ArrayList<>(topics.tailMap(last, false).values());
    inTurn.addAll(topics.headMap(last, true).values());
    return inTurn;
  }

  /** What waits here of messages that others have given. */
  AtomicLong givenBytes() {
    return givenBytes;
  }

  /** Whether nothing more is carried in this turn. */
  boolean isOver() {
    return leftBytes <= 0;
  }

  /** Whether there is room for so many bytes of a topic; the first message has it anyway. */
  boolean hasRoom(long bytes, boolean isFirst) {
    return bytes <= leftBytes || (isFirst && leftBytes == MAX_BYTES);
  }

  /**
   * Entries of a topic are about to be proposed.
   *
   * @param entries of each of which {@link #done} tells the end
   * @param isAll whether the topic has no more
   */
  void takes(String topic, int entries, long bytes, boolean isAll) {
    underWay.addAndGet(entries);
    if (entries > 0) {
      last = topic;
    }
    leftBytes = isAll ? leftBytes - bytes : 0;
  }

  /** An entry is not under way any more. Any thread. */
  void done() {
    underWay.decrementAndGet();
  }
}
