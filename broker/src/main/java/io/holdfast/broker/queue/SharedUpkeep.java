package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.storage.journal.Journal;
import java.io.IOException;
import java.util.Collection;

/**
 * The upkeep of a topic that several brokers share: its files are looked after where what they have
 * agreed on is known, so this only has the channels do what is theirs.
 */
final class SharedUpkeep implements TopicUpkeep {
  private final TopicContext context;
  private final TopicState state;
  private final Journal journal;
  private final Collection<Channel> channels;
  private final DiskQuota quota;
  private final Object housekeepingLock = new Object();

  // As housekeeping last saw them, and when anything last moved.
  @GuardedBy("housekeepingLock")
  private long seenOrdinal;

  @GuardedBy("housekeepingLock")
  private long seenBacklog = -1;

  @GuardedBy("housekeepingLock")
  private long lastChangeNs;

  /**
   * @param channels a live view
   */
  SharedUpkeep(
      TopicContext context,
      TopicState state,
      Journal journal,
      Collection<Channel> channels,
      DiskQuota quota) {
    this.context = context;
    this.state = state;
    this.journal = journal;
    this.channels = channels;
    this.quota = quota;
    seenOrdinal = journal.nextOrdinal();
    lastChangeNs = context.channelSettings().clock().nanos();
  }

  @Override
  public void housekeep(long nowNs) throws IOException {
    synchronized (housekeepingLock) {
      if (state.exiting) {
        return;
      }
      long backlog = Long.MAX_VALUE;
      for (Channel channel : channels) {
        backlog = Math.min(backlog, channel.upkeep().backlogFrom());
      }
      long next = journal.nextOrdinal();
      if (next != seenOrdinal || backlog != seenBacklog) {
        lastChangeNs = nowNs;
        seenOrdinal = next;
        seenBacklog = backlog;
      }
      boolean idle = nowNs - lastChangeNs > context.idleCloseNs();
      for (Channel channel : channels) {
        channel.upkeep().housekeep(idle);
      }
      quota.measure(this::diskBytes, state.lock);
    }
  }

  @Override
  public <T, E extends Exception> T keepingFiles(FileWork<T, E> work) throws IOException, E {
    synchronized (housekeepingLock) {
      return work.run();
    }
  }

  @Override
  public boolean needsRoom() {
    return false;
  }

  @Override
  public long diskBytes() {
    return journal.diskBytes();
  }

  @Override
  public void closeCold(boolean used) {
    synchronized (housekeepingLock) {
      if (!state.exiting && (used || journal.nextOrdinal() == seenOrdinal)) {
        channels.forEach(channel -> channel.upkeep().closeCold());
      }
    }
  }

  @Override
  public void giveBackHoles() {
    // The journal is not its own, and channels have no files.
  }
}
