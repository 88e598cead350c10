package io.holdfast.broker.queue;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.meters.BrokerMeters;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.Retention;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back the disk and the files that a topic no longer needs: removes journal files that every
 * channel is done with, sums up ledgers, closes the files of an idle topic. Owns {@link
 * #housekeepingLock}, which keeps the files open and in their place; it comes between the topic's
 * two locks. Housekeeping thread where it is not said otherwise.
 */
final class Reclaimer implements TopicUpkeep {
  private static final Logger LOG = LoggerFactory.getLogger(Reclaimer.class);

  /** Journal files given back with messages relocated in one turn of housekeeping. */
  private static final int MAX_FILES_RELOCATED = 16;

  private final String name;
  private final TopicContext context;
  private final TopicState state;
  private final ChronicleJournal journal;
  private final KeptBack keptBack;
  private final Collection<Channel> channels;
  private final DiskQuota quota;
  private final Supplier<TopicPolicy> policy;

  @GuardedBy("housekeepingLock")
  private final Relocation relocation;

  private final int maxSectionBytes;
  private final Object housekeepingLock = new Object();

  /** Whether housekeeping found no room on the disk for what it has to do. */
  private volatile boolean needsRoom;

  /** Journal's next ordinal when housekeeping last came by, and when anything last moved. */
  @GuardedBy("housekeepingLock")
  private long seenOrdinal;

  @GuardedBy("housekeepingLock")
  private long lastChangeNs;

  @GuardedBy("housekeepingLock")
  private long seenFloor = -1;

  /**
   * @param channels a live view
   */
  Reclaimer(
      String name,
      TopicContext context,
      TopicState state,
      ChronicleJournal journal,
      KeptBack keptBack,
      Collection<Channel> channels,
      DiskQuota quota,
      Supplier<TopicPolicy> policy) {
    this.name = name;
    this.context = context;
    this.state = state;
    this.journal = journal;
    this.keptBack = keptBack;
    this.channels = channels;
    this.quota = quota;
    this.policy = policy;
    StorageOptions options = context.storageOptions(DirNames.isEphemeral(name));
    maxSectionBytes = options.maxRecordBytes();
    relocation =
        new Relocation(journal, this::relocate, context::hasRoom, options.maxBytesPerFile());
    seenOrdinal = journal.nextOrdinal();
    lastChangeNs = context.channelSettings().clock().nanos();
  }

  private MessageRef relocate(MessageView message) throws IOException {
    synchronized (state.lock) {
      return state.exiting ? null : journal.relocate(message);
    }
  }

  // ---------------------------------------------------------------- for others (any thread)

  @Override
  public <T, E extends Exception> T keepingFiles(FileWork<T, E> work) throws IOException, E {
    synchronized (housekeepingLock) {
      return work.run();
    }
  }

  @Override
  public boolean needsRoom() {
    return needsRoom;
  }

  // ---------------------------------------------------------------- a turn of housekeeping

  @Override
  public void housekeep(long nowNs) throws IOException {
    synchronized (housekeepingLock) {
      if (!state.exiting) {
        housekeepOpen(nowNs);
      }
    }
  }

  @GuardedBy("housekeepingLock")
  private void housekeepOpen(long nowNs) throws IOException {
    long next = journal.nextOrdinal();
    long floor = backlogFrom(channels);
    if (next != seenOrdinal || floor != seenFloor) {
      lastChangeNs = nowNs;
    }
    boolean idle = nowNs - lastChangeNs > context.idleCloseNs();
    BrokerMeters meters = context.meters();
    for (Channel channel : channels) {
      long startNs = System.nanoTime();
      if (channel.upkeep().housekeep(idle)) {
        meters.checkpoint().record(System.nanoTime() - startNs);
      }
    }
    needsRoom = channels.stream().anyMatch(channel -> channel.upkeep().isBehind());
    long startNs = System.nanoTime();
    reclaim();
    meters.reclaim().record(System.nanoTime() - startNs);
    journal.noteRelocations();
    quota.measure(this::diskBytes, state.lock);
    if (idle) {
      closeJournal();
    }
    seenOrdinal = next;
    seenFloor = floor;
  }

  @Override
  public long diskBytes() {
    long bytes = journal.diskBytes();
    for (Channel channel : channels) {
      bytes += channel.diskBytes();
    }
    return bytes;
  }

  private void closeJournal() {
    synchronized (state.lock) {
      if (!state.exiting) {
        journal.closeIdle();
      }
    }
  }

  @Override
  public void closeCold(boolean used) {
    synchronized (housekeepingLock) {
      if (state.exiting || (!used && journal.nextOrdinal() != seenOrdinal)) {
        return;
      }
      channels.forEach(channel -> channel.upkeep().closeCold());
      closeJournal();
    }
  }

  @Override
  public void giveBackHoles() throws IOException {
    journal.giveBackHoles();
    for (Channel channel : channels) {
      channel.upkeep().giveBackHoles();
    }
  }

  // ---------------------------------------------------------------- giving back disk

  /** Gives back the disk that finished messages take. */
  @GuardedBy("housekeepingLock")
  private void reclaim() throws IOException {
    if (isShortOfSpace()) {
      leaveFinishedFile();
    }
    Retention retention = retention();
    leaveRelocations();
    letGo(retention);
    for (int i = 0; i < MAX_FILES_RELOCATED; i++) {
      removeFinishedFiles(retention);
      long nowNs = context.channelSettings().clock().nanos();
      if (!relocation.relocate(channels, backlogFrom(channels), retention, nowNs)) {
        return;
      }
    }
  }

  private Retention retention() {
    TopicPolicy inForce = policy.get();
    long forMs = inForce.retainForMs() < 0 ? context.retentionMs() : inForce.retainForMs();
    return Retention.of(forMs, inForce.retainBytes(), context.channelSettings().clock().steadyMs());
  }

  private void removeFinishedFiles(Retention retention) throws IOException {
    int pinnedFile = Integer.MAX_VALUE;
    for (Channel channel : channels) {
      pinnedFile = Math.min(pinnedFile, channel.upkeep().pinnedFile());
    }
    long neededFrom = neededFrom(channels);
    if (journal.hasFilesBelow(neededFrom, pinnedFile)) {
      // Or a power cut would leave channels that look for what they had finished.
      for (Channel channel : channels) {
        channel.upkeep().force();
      }
    }
    if (journal.removeBelow(neededFrom, pinnedFile, retention) > 0) {
      channels.forEach(channel -> channel.upkeep().journalFilesRemoved());
    }
  }

  /** Whether publishing is refused for want of space, which finished messages may take. */
  private boolean isShortOfSpace() {
    return context.publishRefusal() != null || quota.refusal(maxSectionBytes) != null;
  }

  /**
   * On a disk that is short of space: gets out of a journal file in which all is finished, so that
   * it can go. Otherwise the newest file stays, as it keeps the count of messages.
   */
  private void leaveFinishedFile() {
    try {
      synchronized (state.lock) {
        if (state.exiting) {
          return;
        }
        if (keptBack.isNothing()) {
          // They have had every message; what is left are ordinals that no message has.
          for (Channel channel : channels) {
            channel.intake().skipTo(journal.nextOrdinal());
          }
        }
        if (neededFrom(channels) >= journal.nextOrdinal() && journal.leaveFile()) {
          LOG.debug("TOPIC({}): left a finished file", name);
        }
      }
    } catch (IOException e) {
      needsRoom = true;
      context.diskErrors().failed("TOPIC(" + name + ")", e);
    }
  }

  /** When all is finished, relocated messages must not keep the files before them. */
  private void leaveRelocations() throws IOException {
    if (!journal.endsInRelocations()) {
      return;
    }
    try {
      synchronized (state.lock) {
        if (!state.exiting && neededFrom(channels) >= journal.nextOrdinal()) {
          journal.leaveRelocations();
        }
      }
    } catch (NoSpaceException e) {
      // What can go without goes all the same.
      context.diskErrors().failed("TOPIC(" + name + ")", e);
    }
  }

  /** Nobody but ephemeral channels that are late may be what keeps a journal file. */
  private void letGo(Retention retention) throws IOException {
    List<Channel> ephemeral = channels.stream().filter(Channel::isEphemeral).toList();
    if (ephemeral.isEmpty()) {
      return;
    }
    List<Channel> lasting = channels.stream().filter(c -> !c.isEphemeral()).toList();
    boolean shortOfSpace = isShortOfSpace();
    long needed = neededFrom(lasting);
    boolean keepsFile =
        journal.hasFilesBelow(needed, Integer.MAX_VALUE)
            && journal.mayGo(journal.oldestFile(), needed, Integer.MAX_VALUE, retention);
    if (keepsFile || shortOfSpace) {
      for (Channel channel : ephemeral) {
        channel.upkeep().letGo(needed, shortOfSpace);
      }
    }
  }

  /** No message below is needed where it was published, by the topic or these. */
  private long neededFrom(Collection<Channel> by) {
    long from = backlogFrom(by);
    for (Channel channel : by) {
      from = Math.min(from, channel.upkeep().neededFrom());
    }
    return from;
  }

  /** From this ordinal on the topic or one of these has everything in the journal only. */
  private long backlogFrom(Collection<Channel> of) {
    synchronized (state.lock) {
      long from = keptBack.neededFrom();
      for (Channel channel : of) {
        from = Math.min(from, channel.upkeep().backlogFrom());
      }
      return from;
    }
  }
}
