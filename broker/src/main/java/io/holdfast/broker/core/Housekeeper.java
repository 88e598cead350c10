package io.holdfast.broker.core;

import io.holdfast.broker.limits.Descriptors;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.broker.queue.Topics;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.log.OpenLogs;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Comes by every half second: gives disk space and descriptors back, and looks whether the disk is
 * well. One thread of its own; the methods are for any.
 */
final class Housekeeper implements OpenLogs.Keeper {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeper.class);
  private static final long PERIOD_MS = 500;

  /** How often a creation looks for descriptors: it takes some, and the look some time. */
  private static final int CREATIONS_PER_LOOK = 16;

  /** What Chronicle, a reader and the blocks ahead need for the files of a log in use. */
  private static final int FILES_PER_LOG = 3;

  private final TopicContext context;
  private final Topics topics;
  private final DiskGuard diskGuard;
  private final DiskHealth diskHealth;
  private final MetadataStore metadata;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(DaemonThreads.named("housekeeping"));

  /** Topics that somebody began to make. */
  private final AtomicInteger creations = new AtomicInteger();

  private final int mostByDescriptors = Descriptors.mostOpenLogs();

  /** The topic, by its place, whose files were closed last though they are in use. Own thread. */
  private int closedFrom;

  /** Whether {@link #closeCold} is to come. */
  private final AtomicBoolean isClosingAsked = new AtomicBoolean();

  private Thread holes;
  private volatile boolean stopped;

  Housekeeper(
      TopicContext context,
      Topics topics,
      DiskGuard diskGuard,
      DiskHealth diskHealth,
      MetadataStore metadata) {
    this.context = context;
    this.topics = topics;
    this.diskGuard = diskGuard;
    this.diskHealth = diskHealth;
    this.metadata = metadata;
  }

  /** Begins, when the topics are open. */
  void start() {
    logDescriptors();
    diskGuard.check(topics.all());
    OpenLogs.add(this);
    thread.scheduleWithFixedDelay(this::run, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
    List<Topic> restored = List.copyOf(topics.all());
    holes = DaemonThreads.named("holes").newThread(() -> giveBackHoles(restored));
    holes.start();
  }

  private void logDescriptors() {
    long logs = topics.all().size();
    for (Topic topic : topics.all()) {
      logs += topic.channels().size();
    }
    LOG.info(
        "file descriptors: at most {}; {} topics with {} channels would take {} if all were in use"
            + " at once, cold ones are closed from half of it on",
        Descriptors.limit(),
        topics.all().size(),
        logs - topics.all().size(),
        logs * FILES_PER_LOG);
  }

  /** Of files that a copy left without holes; nothing waits for it. */
  private void giveBackHoles(List<Topic> restored) {
    for (Topic topic : restored) {
      if (stopped) {
        return;
      }
      try {
        topic.giveBackHoles();
      } catch (IOException e) {
        LOG.warn("TOPIC({}): its files keep the zeros they have: {}", topic.name(), Reasons.of(e));
      }
    }
  }

  private void run() {
    try {
      long nowNs = context.channelSettings().clock().nanos();
      diskGuard.check(topics.all());
      visitTopics(nowNs);
      closeFiles();
      if (topics.all().stream().anyMatch(Topic::needsRoom)
          && diskGuard.giveUpSpare("no space left on device: " + diskGuard.root())) {
        visitTopics(nowNs);
      }
      if (metadata.isBehind()) {
        metadata.writeSoon();
      }
      recheckDisk();
    } catch (RuntimeException | Error e) {
      // Whatever it was, this thread has to go on.
      LOG.error("housekeeping failed", e);
    }
  }

  private void visitTopics(long nowNs) {
    // Where space is short, each may have some to give back.
    boolean allAreDue = context.publishRefusal() != null;
    for (Topic topic : topics.all()) {
      boolean isDue = topic.needsHousekeeping();
      if (!isDue && !allAreDue) {
        continue;
      }
      try {
        topic.housekeep(nowNs);
      } catch (IOException e) {
        if (!topic.isExiting()) {
          diskHealth.failed("TOPIC(" + topic.name() + ")", e);
        }
      }
    }
  }

  @Override
  public int most() {
    return Math.min(mostByDescriptors, context.channelSettings().memory().mostOpenLogs());
  }

  @Override
  public void closeCold() {
    if (isClosingAsked.compareAndSet(false, true)) {
      try {
        thread.execute(
            () -> {
              isClosingAsked.set(false);
              closeFiles();
            });
      } catch (RejectedExecutionException e) {
        LOG.debug("no files are closed any more, this is the end", e);
      }
    }
  }

  /** Whether so many files are open that some must be closed. */
  private boolean isMuchOpen() {
    return OpenLogs.count() >= most() || Descriptors.areShort();
  }

  /** Closes files that are in no use, and if that is not enough, others. Own thread. */
  private void closeFiles() {
    try {
      if (isMuchOpen()) {
        topics.all().forEach(topic -> topic.closeCold(false));
      }
      if (isMuchOpen()) {
        closeUsed();
      }
    } catch (RuntimeException | Error e) {
      // Whatever it was, this thread has to go on.
      LOG.error("cold files cannot be closed", e);
    }
  }

  /**
   * Until half of what may be open is closed, or all where other descriptors are what is short;
   * begins where it stopped the last time.
   */
  private void closeUsed() {
    List<Topic> all = List.copyOf(topics.all());
    boolean isAll = OpenLogs.count() < most();
    for (int i = 0; i < all.size() && (isAll || OpenLogs.count() > most() / 2); i++) {
      closedFrom = (closedFrom + 1) % all.size();
      all.get(closedFrom).closeCold(true);
    }
  }

  /** Whether an error of the disk is over is found out without anybody's publish. */
  private void recheckDisk() {
    if (!diskHealth.isRecheckDue()) {
      return;
    }
    try {
      metadata.writeWhole();
      diskHealth.works();
    } catch (IOException e) {
      diskHealth.failed("metadata", e);
    }
  }

  /**
   * Has cold files closed where there are few descriptors left: topics may be made faster than
   * housekeeping comes by. Not on an event loop, without locks.
   */
  void makeDescriptorRoom() throws BrokerException {
    if (creations.incrementAndGet() % CREATIONS_PER_LOOK != 0 || !isMuchOpen()) {
      return;
    }
    try {
      thread.submit(this::closeFiles).get();
    } catch (RejectedExecutionException e) {
      throw new BrokerException("exiting", e);
    } catch (ExecutionException e) {
      LOG.error("cold files cannot be closed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends; returns when the last turn is over, or after the wait that a stop has for it. */
  void stop() {
    stopped = true;
    OpenLogs.remove(this);
    thread.shutdown();
    try {
      if (!thread.awaitTermination(Broker.STOP_WAIT_MS, TimeUnit.MILLISECONDS)) {
        LOG.warn("housekeeping is still busy");
      }
      if (holes != null) {
        holes.join(Broker.STOP_WAIT_MS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
