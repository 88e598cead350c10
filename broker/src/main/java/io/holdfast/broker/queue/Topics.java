package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.limits.OutOfMemoryExit;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.topic.DataDir;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.topic.Metadata;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics by name: opens, creates and deletes them, and gives each the base of its message ids.
 * What takes its time runs on the executor that it is given. Thread-safe.
 */
public final class Topics {
  private static final Logger LOG = LoggerFactory.getLogger(Topics.class);

  /** How many topics are closed at a time. */
  private static final int CLOSED_AT_ONCE = 4;

  private final TopicContext context;
  private final Admission admission;
  private final Executor workers;
  private final Metadata known;
  private final IdBases idBases;

  /** By name in byte order. Entries are added under {@link #lock}. */
  private final ConcurrentSkipListMap<String, Topic> topics = new ConcurrentSkipListMap<>();

  private final Object lock = new Object();

  /** Topics whose entry is being written; nobody finds them yet. Under {@link #lock}. */
  private final Map<String, Topic> creating = new TreeMap<>();

  /** Topics that are about to be: their channels are asked for, or they are being created. */
  private final Map<String, CompletableFuture<Topic>> wanted = new ConcurrentHashMap<>();

  private volatile TopologyListener listener = TopologyListener.NONE;

  /** Those that are shared with other brokers; null where none is. */
  private volatile SharedTopics shared;

  /** Whether every topic on the disk is known. */
  private volatile boolean open;

  /** Whether no topic is created any more. Set under {@link #lock}. */
  private volatile boolean complete;

  /** Whether the broker ends now. Set under {@link #lock}. */
  private volatile boolean exiting;

  /** What has a say in whether another topic can be made. */
  public interface Admission {
    /** Topics at most. */
    int maxTopics();

    /**
     * Sees to it that another topic's files can be opened; may take its time. Called without locks.
     */
    void makeRoom() throws BrokerException;

    /** Why nothing can be created now that needs room on the disk, null when it can. */
    String refusal();
  }

  /**
   * Without topics until {@link #open}.
   *
   * @param context what each topic needs
   * @param workers for what blocks
   * @param known what the metadata file says
   */
  public Topics(TopicContext context, Admission admission, Executor workers, Metadata known) {
    this.context = context;
    this.admission = admission;
    this.workers = workers;
    this.known = known;
    idBases = new IdBases(known.nextIdBase(), context.channelSettings().clock());
  }

  /**
   * Opens every topic that is on the disk. Once, before anything else is asked.
   *
   * @throws IOException in one line for the user; some of the topics may be open then
   */
  public void open() throws IOException {
    DataDir dataDir = context.dataDir();
    Map<String, Metadata.TopicEntry> entries = new HashMap<>();
    if (known.topics() != null) {
      known.topics().forEach(entry -> entries.put(entry.name(), entry));
    }
    List<CompletableFuture<Topic>> opening = new ArrayList<>();
    for (String name : dataDir.topics()) {
      opening.add(openLater(name, entries.get(name)));
    }
    for (CompletableFuture<Topic> future : opening) {
      Topic topic = await(future);
      topics.put(topic.name(), topic);
    }
    open = true;
    if (dataDir.mayHaveLostPower() && !topics.isEmpty()) {
      LOG.info(
          "the machine stopped under the last broker: each topic leaves out {} ordinals, which"
              + " messages that were lost with power may have had",
          ChronicleJournal.MAX_LOST);
    }
    LOG.info("data path {}: {} topics", dataDir.root(), topics.size());
  }

  /**
   * @param entry what the metadata file says of it, null when nothing
   */
  private CompletableFuture<Topic> openLater(String name, Metadata.TopicEntry entry) {
    long idBase = entry == null ? idBases.take() : entry.idBase();
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return Topic.restore(name, context, entry, idBase);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        workers);
  }

  private static Topic await(CompletableFuture<Topic> opening) throws IOException {
    try {
      return opening.get();
    } catch (ExecutionException e) {
      OutOfMemoryExit.check(e);
      throw new IOException("cannot open the data path: " + Reasons.of(e.getCause()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while opening the data path", e);
    }
  }

  /**
   * Topics that last are shared with other brokers from now on. Before anything else is asked.
   *
   * @return is to be told which ones are led here
   */
  public SharedTopics share(TopicLeaders leaders) {
    shared = new SharedTopics(topics, () -> listener, workers, this::checkShared, leaders);
    return shared;
  }

  private void checkShared() throws BrokerException {
    admission.makeRoom();
    synchronized (lock) {
      checkAdmission();
    }
  }

  /** Whether {@link #open} is through: until then a topic that is not found may be on the disk. */
  boolean isOpen() {
    return open;
  }

  /** The topic of this name, or null. Any thread. */
  public Topic existing(String name) {
    return topics.get(name);
  }

  /** The topics, sorted by name; a live view. Any thread. */
  public Collection<Topic> all() {
    return topics.values();
  }

  /** Who is told of topics and channels from now on. */
  public void setListener(TopologyListener listener) {
    this.listener = listener;
  }

  /** Who is told of topics and channels now. */
  public TopologyListener listener() {
    return listener;
  }

  // ---------------------------------------------------------------- creating

  /**
   * The topic of this name, created if need be. No thread waits for a nsqlookupd that is slow or
   * hangs: only this topic is late then. Whoever asks for the same topic meanwhile gets the same.
   *
   * @return fails with a {@link BrokerException}
   */
  public CompletableFuture<Topic> later(String name) {
    Topic topic = topics.get(name);
    // One that is shared may end here and go on elsewhere.
    if (topic != null && !(topic.isShared() && topic.isExiting())) {
      return CompletableFuture.completedFuture(topic);
    }
    if (complete) {
      return CompletableFuture.failedFuture(new BrokerException("exiting"));
    }
    CompletableFuture<Topic> mine = new CompletableFuture<>();
    CompletableFuture<Topic> before = wanted.putIfAbsent(name, mine);
    if (before != null) {
      return before;
    }
    SharedTopics others = shared;
    CompletableFuture<Topic> made =
        others != null && others.owns(name) ? others.later(name) : laterAlone(name);
    made.whenComplete(
        (created, failure) -> {
          wanted.remove(name, mine);
          if (failure == null) {
            mine.complete(created);
          } else {
            mine.completeExceptionally(BrokerException.of(failure));
          }
        });
    return mine;
  }

  private CompletableFuture<Topic> laterAlone(String name) {
    return CompletableFuture.supplyAsync(() -> listener.channelsOf(name), workers)
        .thenCompose(channels -> channels)
        .thenApplyAsync(channels -> createOrFail(name, channels), workers);
  }

  private Topic createOrFail(String name, Collection<String> channels) {
    try {
      return create(name, channels);
    } catch (BrokerException e) {
      throw new CompletionException(e);
    }
  }

  /**
   * The topic of this name, created if need be; known on the disk when this returns. Blocks.
   *
   * @param channels that a new topic begins with
   */
  Topic create(String name, Collection<String> channels) throws BrokerException {
    admission.makeRoom();
    Topic topic;
    synchronized (lock) {
      awaitCreation(name);
      topic = topics.get(name);
      if (topic != null) {
        return topic;
      }
      checkAdmission();
      topic = createFiles(name);
      for (String channel : channels) {
        try {
          topic.channel(channel);
        } catch (BrokerException e) {
          LOG.error("TOPIC({}): channel({}) of nsqlookupd: {}", name, channel, e.getMessage());
        }
      }
      creating.put(name, topic);
    }
    try {
      if (!DirNames.isEphemeral(name)) {
        // Before anybody finds it and publishes: after a crash messages must have the same ids.
        context.persistMetadata(name);
      }
    } catch (IOException e) {
      // Housekeeping will write it.
      context.diskErrors().failed("TOPIC(" + name + ")", e);
    } finally {
      created(topic);
    }
    LOG.info("TOPIC({}): created", name);
    listener.topicCreated(name);
    return topic;
  }

  /** Under {@link #lock}. */
  private void checkAdmission() throws BrokerException {
    if (complete) {
      throw new BrokerException("exiting");
    }
    String refusal = admission.refusal();
    if (refusal != null) {
      throw new RefusedException(refusal);
    }
    int maxTopics = admission.maxTopics();
    if (topics.size() + creating.size() >= maxTopics) {
      throw new BrokerException("the limit of " + maxTopics + " topics is reached (max-topics)");
    }
    MemoryBudget memory = context.channelSettings().memory();
    if (!memory.hasRoomForTopic()) {
      throw new BrokerException(memory.topicsRefusal());
    }
  }

  /** Under {@link #lock}. */
  private Topic createFiles(String name) throws BrokerException {
    try {
      return Topic.create(name, context, idBases.take());
    } catch (IOException e) {
      context.diskErrors().failed("TOPIC(" + name + ")", e);
      context.takeBack(name, null);
      throw new BrokerException(Reasons.of(e), e);
    }
  }

  /** Waits while another thread creates the topic of this name. Under {@link #lock}. */
  private void awaitCreation(String name) {
    boolean interrupted = false;
    while (creating.containsKey(name)) {
      try {
        lock.wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Everybody may find the topic. */
  private void created(Topic topic) {
    synchronized (lock) {
      topics.put(topic.name(), topic);
      creating.remove(topic.name());
      lock.notifyAll();
    }
  }

  /**
   * Sees to it that no topic made from now on gives out an id below this one; on disk when this
   * returns.
   */
  public void retireIds(long idEnd) throws IOException {
    idBases.retire(idEnd);
    context.persistMetadata();
  }

  /** What the metadata file is to say. */
  public TopicsInFile inFile() {
    return new TopicsInFile(topics, creating, lock, idBases);
  }

  // ---------------------------------------------------------------- deleting

  /**
   * Deletes a topic with all it has. Blocks.
   *
   * @return false when there is none
   */
  public boolean delete(String name) throws IOException {
    Topic topic = topics.get(name);
    if (topic == null) {
      return false;
    }
    LOG.info("TOPIC({}): deleting", name);
    topic.exit(true);
    // A shared one was forgotten when that was done.
    return topic.isShared() || forget(topic);
  }

  /** Gives the name of a deleted topic free; false when somebody else did. */
  private boolean forget(Topic topic) throws IOException {
    String name = topic.name();
    if (!topic.isEphemeral()) {
      // Before the name is free again: a new topic must not find the old one's entry after a crash.
      context.persistMetadata(name);
    }
    if (!topics.remove(name, topic)) {
      return false;
    }
    listener.topicDeleted(name);
    return true;
  }

  /**
   * A consumer has left: an ephemeral channel ends with its last one, an ephemeral topic with its
   * last channel. Any thread.
   */
  public void consumerLeft(MessageSource source) {
    if (source instanceof Channel channel
        && channel.isEphemeral()
        && channel.clients().isEmpty()
        && !exiting) {
      workers.execute(() -> deleteUnused(channel));
    }
  }

  private void deleteUnused(Channel channel) {
    try {
      Topic topic = topics.get(channel.topicName());
      if (topic == null || topic.existingChannel(channel.name()) != channel) {
        return;
      }
      topic.deleteUnused(channel);
      if (topic.isEphemeral() && topic.exitUnused()) {
        forget(topic);
      }
    } catch (IOException e) {
      context.diskErrors().failed("CHANNEL(" + channel.name() + ")", e);
    }
  }

  // ---------------------------------------------------------------- the end

  /**
   * Takes no more messages and topics and delivers nothing; what is in flight can still be
   * answered. For good.
   */
  public void drain() {
    complete();
    topics.values().forEach(Topic::drain);
  }

  /** Creates no more topics; returns when none is being created. */
  private void complete() {
    synchronized (lock) {
      complete = true;
      List.copyOf(creating.keySet()).forEach(this::awaitCreation);
    }
  }

  /**
   * Begins the end: all topics that there are now are all there will be, and none is deleted for
   * want of consumers.
   *
   * @return false when it has begun before
   */
  public boolean exit() {
    synchronized (lock) {
      if (exiting) {
        return false;
      }
      exiting = true;
      complete();
      return true;
    }
  }

  /**
   * Closes all topics, some at a time: each waits for the disk several times, and a disk has little
   * more to do for some that wait than for one. Returns when all are closed; workers that are busy
   * with something else are not waited for.
   */
  public void close() {
    Queue<Topic> open = new ConcurrentLinkedQueue<>(topics.values());
    CountDownLatch left = new CountDownLatch(open.size());
    for (int i = 1; i < CLOSED_AT_ONCE; i++) {
      workers.execute(() -> close(open, left));
    }
    close(open, left);
    boolean interrupted = false;
    while (left.getCount() > 0) {
      try {
        left.await();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(Queue<Topic> open, CountDownLatch left) {
    for (Topic topic = open.poll(); topic != null; topic = open.poll()) {
      try {
        topic.exit(false);
      } catch (IOException | RuntimeException e) {
        LOG.error("TOPIC({}): cannot be closed", topic.name(), e);
      } finally {
        left.countDown();
      }
    }
  }
}
