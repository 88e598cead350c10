package io.holdfast.broker.core;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.files.SpareSpace;
import io.holdfast.storage.log.SpareFiles;
import io.holdfast.storage.topic.DataDir;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses publishes before the disk is full: finishes and checkpoints need room too. And when it is
 * full for all that, until there is room again; meanwhile it gives up the {@link SpareSpace}, so
 * that consuming can bring space back.
 *
 * <p>Checked by the housekeeping thread; the other methods are for any thread.
 */
final class DiskGuard {
  private static final Logger LOG = LoggerFactory.getLogger(DiskGuard.class);

  /** On a small disk the default limit would refuse everything: there it is this part of it. */
  private static final int DEFAULT_LIMIT_PART = 10;

  /**
   * A full disk counts as full until it has so many bytes free beside the largest publish: twice
   * what a journal reserves at once; of a small disk the part below.
   */
  private static final long RESUME_BYTES = 8 << 20;

  private static final int RESUME_PART = 8;

  /** In one turn: of thousands of topics a look at each would cost an idle broker something. */
  private static final int TOPICS_LOOKED_AT = 256;

  private final DataDir dataDir;
  private final Options options;
  private final SpareSpace spare;

  /** What can be given back at once, and counts as free. */
  private final SpareFiles spareFiles;

  /** Bytes published since the last check, for a limit that holds between checks, too. */
  private final AtomicLong publishedBytes = new AtomicLong();

  /** What journals and ledgers took at the last check. */
  private volatile long measuredBytes;

  /** When it was looked at last; -1 before. */
  private volatile long freeBytes = -1;

  /** Why the disk took no more, null while it does. */
  private volatile String full;

  private volatile String refusal;

  /** Why the data directory is no longer ours, null while it is. */
  private volatile String gone;

  /**
   * Which topics are looked at next, and the one that was not in its place. Housekeeping thread.
   */
  private Iterator<Topic> round = Collections.emptyIterator();

  private Topic removed;

  DiskGuard(DataDir dataDir, Options options, SpareFiles spareFiles) throws IOException {
    this.spareFiles = spareFiles;
    this.dataDir = dataDir;
    this.options = options;
    spare = dataDir.spareSpace();
  }

  /** The data directory. */
  Path root() {
    return dataDir.root();
  }

  /** Why nothing may be published now, null when it may. */
  String refusal() {
    String now = refusal;
    if (now != null || options.maxDiskBytes() == 0) {
      return now;
    }
    return overMax(measuredBytes + publishedBytes.get());
  }

  /**
   * Why nothing may be published to a topic that several brokers share, null when it may: that this
   * one's disk is full is no reason, others may have room.
   */
  String sharedRefusal() {
    String now = gone;
    return now != null || options.maxDiskBytes() == 0
        ? now
        : overMax(measuredBytes + publishedBytes.get());
  }

  /** Why the data directory is no longer ours, null while it is. Any thread. */
  String gone() {
    return gone;
  }

  /** So many bytes were published. */
  void published(long bytes) {
    if (options.maxDiskBytes() > 0) {
      publishedBytes.addAndGet(bytes);
    }
  }

  /** The disk has just refused to take more: nothing is published until it has room again. */
  void full(String why) {
    if (full == null) {
      full = why;
      refuse(why);
    }
  }

  /** Why nothing can be created now that needs room on the disk, null when it can. */
  String creationRefusal() {
    String now = gone;
    return now != null ? now : full;
  }

  /**
   * Why no channel can be created now. It is what consuming begins with, so on a full disk it gets
   * of the room that is kept back, but not all: finishes need some as well.
   */
  String channelRefusal() {
    String now = creationRefusal();
    if (now == null || gone != null) {
      return now;
    }
    try {
      return giveUpSpare(now) && dataDir.usableBytes() < spare.bytes() / 2 ? now : null;
    } catch (IOException e) {
      return "free disk space cannot be read: " + e.getMessage();
    }
  }

  /**
   * Makes room for what brings space back, and refuses publishes until the room is kept again.
   *
   * @param why what had no room
   * @return false when the disk is not full: room is not what is missing
   */
  boolean giveUpSpare(String why) {
    try {
      if (full == null && hasRoom()) {
        return false;
      }
      // In this order: publishers must not get it.
      full(why);
      spare.giveUp();
      return true;
    } catch (IOException e) {
      LOG.error("the spare space cannot be given up: {}", Reasons.of(e));
      return false;
    }
  }

  /** Whether the disk has room for so many bytes and is not full then. Housekeeping thread. */
  boolean hasRoom(long bytes) {
    try {
      return full == null && dataDir.usableBytes() - bytes > wantedBytes();
    } catch (IOException e) {
      LOG.error("free disk space cannot be read: {}", Reasons.of(e));
      return false;
    }
  }

  private long wantedBytes() throws IOException {
    long wantedBytes = RESUME_BYTES + options.maxBodySize();
    return Math.min(wantedBytes, dataDir.totalBytes() / RESUME_PART);
  }

  private long limitBytes() throws IOException {
    long limitBytes = options.diskFreeLimitBytes();
    return limitBytes == Options.defaults().diskFreeLimitBytes()
        ? Math.min(limitBytes, dataDir.totalBytes() / DEFAULT_LIMIT_PART)
        : limitBytes;
  }

  /**
   * With less than so many bytes left others had better lead, and a disk that is the second one
   * takes no publish: also without a limit some room is for what brings space back. Any thread.
   */
  long sharedLimitBytes() {
    try {
      return Math.max(limitBytes(), wantedBytes());
    } catch (IOException e) {
      LOG.error("the size of the disk cannot be read: {}", Reasons.of(e));
      return options.diskFreeLimitBytes();
    }
  }

  private boolean hasRoom() throws IOException {
    return dataDir.usableBytes() > wantedBytes();
  }

  /** Bytes that the disk had left when it was looked at last; -1 before. Any thread. */
  long freeBytes() {
    return freeBytes;
  }

  /** Looks at the disk. Housekeeping thread. */
  void check(Collection<Topic> topics) {
    refuse(find(topics));
  }

  private synchronized void refuse(String now) {
    if (now != null && refusal == null) {
      LOG.error("publishing is refused: {}", now);
    } else if (now == null && refusal != null) {
      LOG.info("publishing is possible again");
    }
    refusal = now;
  }

  /** Whether somebody took the files away; a look at thousands of topics takes some turns. */
  private String findGone(Collection<Topic> topics) {
    String trouble = dataDir.trouble();
    if (trouble != null) {
      return trouble;
    }
    if (removed != null && removed.isInPlace()) {
      removed = null;
    }
    if (!round.hasNext()) {
      round = topics.iterator();
    }
    for (int i = 0; removed == null && i < TOPICS_LOOKED_AT && round.hasNext(); i++) {
      Topic topic = round.next();
      if (!topic.isInPlace()) {
        removed = topic;
      }
    }
    return removed == null
        ? null
        : "files of TOPIC("
            + removed.name()
            + ") in "
            + dataDir.journalDir(removed.name())
            + " were removed while the broker runs";
  }

  /** Journal files that wait to be used again are the first to go. */
  private long usableBytes() throws IOException {
    spareFiles.removeUnused();
    long usableBytes = dataDir.usableBytes();
    if (full == null && usableBytes >= Math.max(limitBytes(), wantedBytes())) {
      return usableBytes + spareFiles.bytes();
    }
    spareFiles.removeAll();
    return dataDir.usableBytes();
  }

  private String find(Collection<Topic> topics) {
    gone = findGone(topics);
    if (gone != null) {
      return gone;
    }
    try {
      long usableBytes = usableBytes();
      // Also of a full disk: other brokers go by it.
      freeBytes = usableBytes;
      if (full != null && hasRoom() && spare.keep()) {
        full = null;
      }
      if (full != null) {
        return full;
      }
      long limitBytes = limitBytes();
      if (usableBytes < limitBytes) {
        return "disk is nearly full: "
            + usableBytes
            + " bytes free, disk-free-limit is "
            + limitBytes;
      }
      if (!spare.keep()) {
        full = "disk is full: no room for " + spare.bytes() + " spare bytes";
        return full;
      }
    } catch (IOException e) {
      return "free disk space cannot be read: " + Reasons.of(e);
    }
    if (options.maxDiskBytes() > 0) {
      long before = publishedBytes.get();
      long bytes = topics.stream().mapToLong(Topic::diskBytes).sum();
      measuredBytes = bytes;
      // What was published while it was measured counts twice until the next check.
      publishedBytes.addAndGet(-before);
      return overMax(bytes);
    }
    return null;
  }

  private String overMax(long bytes) {
    return bytes <= options.maxDiskBytes()
        ? null
        : "journals take " + bytes + " bytes on disk, max-disk-bytes is " + options.maxDiskBytes();
  }
}
