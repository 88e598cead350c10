package io.holdfast.broker.queue;

import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.meters.E2eLatency;
import io.holdfast.broker.meters.E2eProcessingLatency;
import io.holdfast.broker.meters.LatencyCounts;
import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.topic.DirNames;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.Stream;

/**
 * A channel: every message of the topic since its creation, each in exactly one place: memory
 * queue, backend, in flight, deferred, or finished. Any number of consumers share it.
 *
 * <p>{@link #lock} guards everything that is not volatile. It is held for short, bounded work only
 * (a quantum of deliveries, the finishes of a socket read), never while a socket is written. It is
 * taken after the topic's lock where both are needed.
 */
public final class Channel {
  /** Why FIN, REQ and TOUCH did not work; texts of contract §1.3. */
  public enum Outcome {
    OK(""),
    NOT_IN_FLIGHT("ID not in flight"),
    NOT_OWNER("client does not own message"),
    EXITING("exiting"),
    TOO_MANY_DEFERRED("too many deferred messages");

    private final String text;

    Outcome(String text) {
      this.text = text;
    }

    /** The {@code {why}} of the error frame. */
    public String text() {
      return text;
    }
  }

  /** What {@link #poll} returns when the channel is paused or ends: it will wake its clients. */
  public static final int CLOSED = -1;

  /** Messages looked at in one turn, those that are sampled out included. */
  private static final int MAX_LOOKED = 4096;

  private static final int PERCENT = 100;

  /** When clients try again that found no memory for messages in flight; how many at a time. */
  private static final long STARVED_NS = TimeUnit.MILLISECONDS.toNanos(100);

  private static final int STARVED_WAKES = 64;

  private final String topicName;
  private final String name;
  private final ChannelSettings settings;
  private final GuidFactory guids;
  private final BackendQueue backend;
  private final QueueScan scan;
  private final E2eProcessingLatency latency;

  /** Made with the first FIN: most of very many channels may have none. Written under the lock. */
  private volatile LatencyCounts processing;

  private final Object lock = new Object();
  private final ReadyMessages ready;
  private final InFlightMessages inFlight;
  private final WaitingClients waiting;
  private final OrdinalRanges finishing = new OrdinalRanges();

  // What a poll delivers for the first time, and again.
  private final OrdinalRanges delivering = new OrdinalRanges();
  private final List<HeldMessage> redelivering = new ArrayList<>();

  /** Consumers; written under the lock, read anywhere. */
  private final CopyOnWriteArrayList<Consumer> clients = new CopyOnWriteArrayList<>();

  private volatile boolean paused;
  private volatile boolean exiting;

  /** Whether nothing more is delivered, as the broker is about to stop. Guarded by the lock. */
  private boolean draining;

  private volatile boolean peeking;

  /** An ephemeral channel that is about to be deleted for want of consumers. Lock writes it. */
  private volatile boolean unused;

  // Counters since the start of the process, written under the lock.
  private volatile long messageCount;
  private volatile long requeueCount;
  private volatile long timeoutCount;

  /** Messages delivered from memory, by the consumer's {@link Locality}. */
  private final AtomicLongArray memoryCounts = new AtomicLongArray(Locality.values().length);

  /** Whether a client is woken in a few ms for what has come by then, see {@link #hold}. Lock. */
  private boolean holding;

  /** Whether a client could not get a message for want of memory for those in flight. Lock. */
  private boolean starved;

  private final HoldHistory holds = new HoldHistory();

  /** No deadline or due time is before this (nanoTime); {@link QueueScan} compares it. */
  private volatile long nextEventNs;

  /** Whether the scan looks at this channel. */
  private volatile boolean scanned;

  /**
   * Makes a channel on top of its backend.
   *
   * @param held messages that the ledger knows with attempts or due times
   */
  public Channel(
      String topicName,
      String name,
      ChannelSettings settings,
      GuidFactory guids,
      BackendQueue backend,
      Collection<HeldMessage> held,
      QueueScan scan) {
    this.topicName = topicName;
    this.name = name;
    this.settings = settings;
    this.guids = guids;
    this.backend = backend;
    this.scan = scan;
    latency = settings.newLatency().get();
    ready = new ReadyMessages(settings, backend, isEphemeral() ? this::demand : null);
    settings.memory().topics().reserve(MemoryBudget.TOPIC_BYTES);
    inFlight = new InFlightMessages(settings.maxMsgTimeoutNs(), settings.memory().inFlight());
    waiting = new WaitingClients(settings.topology());
    synchronized (lock) {
      ready.restore(held);
      watchDeferred();
    }
  }

  public String name() {
    return name;
  }

  public String topicName() {
    return topicName;
  }

  /** Whether it ends with its last consumer, and nothing of it survives the process. */
  public boolean isEphemeral() {
    return DirNames.isEphemeral(name);
  }

  // ---------------------------------------------------------------- publishing (topic's lock held)

  /** Whether its consumers only look, so that the topic keeps what it would keep without them. */
  public boolean isPeeking() {
    return peeking;
  }

  /** Before anybody finds the channel. */
  public void setPeeking(boolean on) {
    peeking = on;
  }

  /** Takes a batch; the topic calls this in journal order under its lock. */
  public void put(Batch batch) throws IOException {
    Consumer wake = null;
    try {
      synchronized (lock) {
        try {
          messageCount += batch.count();
          ready.put(batch);
        } finally {
          wake = afterPut();
        }
      }
    } finally {
      wake(wake);
    }
  }

  /** The journal has messages up to an ordinal that the topic had kept back. */
  public void extend(long endOrdinal) throws IOException {
    Consumer wake = null;
    try {
      synchronized (lock) {
        try {
          messageCount += ready.extend(endOrdinal);
        } finally {
          wake = afterPut();
        }
      }
    } finally {
      wake(wake);
    }
  }

  /** The topic has dropped what it kept back, up to an ordinal. */
  public void skipTo(long ordinal) throws IOException {
    synchronized (lock) {
      recordDropped(() -> backend.skipTo(ordinal));
    }
  }

  /**
   * An ephemeral channel's part in giving back disk: it keeps no more than its memory queue may
   * have, and keeps that in memory and by reference. Housekeeping thread.
   *
   * @param belowOrdinal up to which nobody else needs the journal
   * @param shortOfSpace whether only what consumers wait for, or have had, is to stay
   */
  public void letGo(long belowOrdinal, boolean shortOfSpace) throws IOException {
    synchronized (lock) {
      if (!exiting) {
        ready.letGo(belowOrdinal);
        if (shortOfSpace) {
          ready.dropWaiting();
        }
        watchDeferred();
      }
    }
  }

  /** Messages that the consumers have room for. Under the lock. */
  private long demand() {
    long sum = 0;
    if (!paused) {
      for (Consumer client : clients) {
        sum += Math.max(0, client.readyRoom());
      }
    }
    return sum;
  }

  /** Also after a failure, as when the ledger has no room: what is here is to be delivered. */
  private Consumer afterPut() {
    watchDeferred();
    return mayHold() && hold() ? null : nextToWake();
  }

  /** Takes out the client to be woken, null when there is nothing for it or none waits. Lock. */
  private Consumer nextToWake() {
    return ready.isEmpty() ? null : waiting.poll();
  }

  private boolean mayHold() {
    return !ready.isEmpty()
        && ready.depth() < DeliveryPacing.ENOUGH_MESSAGES
        && settings.pacing().isBusy();
  }

  /**
   * Has the client that waits woken later, when more may have come. Where several wait, they are
   * there to have a message each.
   *
   * @return false when it is to be woken now
   */
  private boolean hold() {
    Consumer next = waiting.only();
    long holdNs = next == null ? 0 : DeliveryPacing.holdNs(next);
    if (holdNs == 0) {
      return false;
    }
    if (!holding && holds.mayBegin()) {
      holding = next.runLater(this::endHold, holdNs);
    }
    return holding;
  }

  private void endHold() {
    Consumer wake;
    synchronized (lock) {
      holding = false;
      holds.ended(ready.depth());
      wake = nextToWake();
    }
    wake(wake);
  }

  // ---------------------------------------------------------------- delivery (client's event loop)

  /**
   * The messagePump's share: takes messages from memory queue and backend, puts them in flight to
   * the client and gives them out.
   *
   * @param max messages
   * @param maxBytes stops once this much was written
   * @return messages written; {@link #CLOSED} when nothing is delivered now. A client that waits
   *     afterwards is woken when there is more, one that does not should come again
   */
  public int poll(Consumer client, int max, DeliverySink out, int maxBytes) throws IOException {
    int count = 0;
    Consumer wake = null;
    synchronized (lock) {
      if (paused || exiting || draining || !client.isSubscribed()) {
        return CLOSED;
      }
      long nowNs = settings.clock().nanos();
      int bytesLimit = out.size() + maxBytes;
      long fromMemory = ready.takenFromMemory();
      finishing.clear();
      delivering.clear();
      redelivering.clear();
      boolean more = true;
      try {
        int looked = 0;
        while (more && count < max && looked++ < MAX_LOOKED && out.size() < bytesLimit) {
          if (!inFlight.reserve(client)) {
            // Asked again when somebody finishes, or in a while.
            starved = true;
            watch(nowNs + STARVED_NS);
            more = false;
            continue;
          }
          Message message = null;
          try {
            message = ready.poll(finishing);
          } finally {
            if (message == null) {
              inFlight.unreserve();
            }
          }
          if (message == null) {
            more = false;
          } else if (isSampledOut(client)) {
            inFlight.unreserve();
            finishing.add(message.ordinal());
          } else {
            deliver(message, client, nowNs, out);
            count++;
          }
        }
      } finally {
        recordPoll();
      }
      if (!more) {
        waiting.add(client);
      } else {
        wake = nextToWake();
      }
      if (count > 0) {
        int locality = Locality.of(client, settings.topology()).ordinal();
        memoryCounts.addAndGet(locality, ready.takenFromMemory() - fromMemory);
        settings.pacing().delivered(count, nowNs);
        watch(nowNs + client.msgTimeoutNs());
      }
      watchDeferred();
    }
    wake(wake);
    return count;
  }

  /** Before the frames go out, so that attempts survive a crash, too. */
  private void recordPoll() {
    if (!finishing.isEmpty()) {
      record(() -> backend.finish(finishing));
    }
    if (!delivering.isEmpty()) {
      record(() -> backend.deliver(delivering));
    }
    if (!redelivering.isEmpty()) {
      record(() -> backend.hold(redelivering));
    }
  }

  private boolean isSampledOut(Consumer client) {
    int rate = client.sampleRate();
    return rate > 0 && settings.dice().applyAsInt(PERCENT) >= rate;
  }

  private void deliver(Message message, Consumer client, long nowNs, DeliverySink out) {
    inFlight.start(message, client, nowNs);
    int attempts = message.nextAttempt();
    if (attempts == 1) {
      delivering.add(message.ordinal());
    } else {
      redelivering.add(new HeldMessage(message, 0));
    }
    long id = guids.idOf(message.ordinal());
    if (message.bytes == null) {
      MessageView view = ready.view();
      out.message(view.timestampNs(), attempts, id, view.body());
      return;
    }
    out.message(
        message.timestampNs, attempts, id, message.bytes, message.bodyStart, message.bodyLength());
    // If it comes back it is read from the journal.
    message.bytes = null;
  }

  /** Passes on a wake-up that a client could not use. */
  public void wakeAnother() {
    Consumer wake;
    synchronized (lock) {
      wake = nextToWake();
    }
    wake(wake);
  }

  private static void wake(Consumer client) {
    if (client != null) {
      client.wake();
    }
  }

  // ---------------------------------------------------------------- answers (client's event loop)

  /**
   * FIN for the messages of one socket read, so that lock and ledger are taken once.
   *
   * @param outcomes receives one for each id
   */
  public void finishMessages(Consumer client, long[] ids, int count, Outcome[] outcomes) {
    Consumer wake = null;
    long nowNs = settings.clock().nanos();
    synchronized (lock) {
      finishing.clear();
      for (int i = 0; i < count; i++) {
        Message message = inFlight.get(guids.ordinalOf(ids[i]));
        outcomes[i] = exiting ? Outcome.EXITING : InFlightMessages.check(message, client);
        if (outcomes[i] == Outcome.OK) {
          inFlight.pop(message);
          finishing.add(message.ordinal());
          recordLatency(message, nowNs);
        }
      }
      if (!finishing.isEmpty()) {
        record(() -> backend.finish(finishing));
        wake = starved ? nextToWake() : null;
      }
    }
    wake(wake);
  }

  /**
   * REQ: delivers again, at once or after a delay.
   *
   * @param delayMs 0 for at once
   */
  public Outcome requeueMessage(Consumer client, long id, long delayMs) {
    Consumer wake = null;
    synchronized (lock) {
      if (exiting) {
        return Outcome.EXITING;
      }
      Message message = inFlight.get(guids.ordinalOf(id));
      Outcome outcome = InFlightMessages.check(message, client);
      if (outcome != Outcome.OK) {
        return outcome;
      }
      if (delayMs > 0 && !ready.mayDefer()) {
        return Outcome.TOO_MANY_DEFERRED;
      }
      inFlight.pop(message);
      requeueCount++;
      if (delayMs > 0) {
        watch(ready.defer(message, delayMs));
      } else {
        ready.requeue(message);
        wake = waiting.poll();
      }
      List<HeldMessage> held = List.of(held(message, delayMs));
      record(() -> backend.hold(held));
    }
    wake(wake);
    return Outcome.OK;
  }

  /** TOUCH: the timeout begins anew, up to max-msg-timeout after the delivery. */
  public Outcome touchMessage(Consumer client, long id) {
    synchronized (lock) {
      Message message = inFlight.get(guids.ordinalOf(id));
      Outcome outcome = InFlightMessages.check(message, client);
      if (outcome == Outcome.OK) {
        inFlight.touch(message, settings.clock().nanos());
      }
      return outcome;
    }
  }

  /**
   * Counts how long a message took.
   *
   * @param nowNs monotonic, one look at the clock for all that a client finished at once
   */
  private void recordLatency(Message message, long nowNs) {
    if (message.timestampNs > 0) {
      if (processing == null) {
        processing = LatencyCounts.owned(LatencyCounts.LONG_SECONDS);
      }
      long ns = ageNs(message, nowNs);
      processing.recordOwned(ns);
      if (latency != E2eProcessingLatency.NONE) {
        latency.record(ns);
      }
    }
  }

  /**
   * How long ago a message was published, ns: by the monotonic clock, for the other may be set
   * meanwhile. Only of what comes from the journal its publish time alone is known.
   */
  private long ageNs(Message message, long nowNs) {
    if (message.bornNs != 0) {
      return nowNs - message.bornNs;
    }
    long wallNs = TimeUnit.MILLISECONDS.toNanos(settings.clock().wallMs());
    return Math.max(0, wallNs - message.timestampNs);
  }

  private interface LedgerWrite {
    void run() throws IOException;
  }

  /**
   * Writes to the ledger what memory has done already. When the disk refuses, memory stays right
   * and the next checkpoint makes up for it; a crash before that delivers the messages once more.
   */
  private void record(LedgerWrite write) {
    try {
      write.run();
    } catch (IOException e) {
      settings.diskErrors().failed("CHANNEL(" + name + ") of TOPIC(" + topicName + ")", e);
    }
  }

  // ---------------------------------------------------------------- time (scan thread)

  private void watchDeferred() {
    if (ready.awaitsTime()) {
      watch(ready.firstDueNs(Long.MAX_VALUE));
    }
  }

  private void watch(long eventNs) {
    if (!scanned) {
      scanned = true;
      nextEventNs = eventNs;
      scan.add(this);
    } else if (eventNs - nextEventNs < 0) {
      nextEventNs = eventNs;
    }
  }

  /** Whether a deadline or due time may have passed. Any thread. */
  boolean isDue(long nowNs) {
    return nowNs - nextEventNs >= 0;
  }

  /**
   * Requeues what has timed out and makes ready what is due.
   *
   * @return whether the scan is to keep looking at this channel
   */
  boolean processQueues(long nowNs) {
    List<Consumer> wake = new ArrayList<>();
    boolean keep;
    synchronized (lock) {
      if (exiting) {
        return false;
      }
      List<HeldMessage> timedOut = new ArrayList<>();
      for (Consumer client : clients) {
        int before = timedOut.size();
        Message message;
        while ((message = inFlight.popTimedOut(client, nowNs)) != null) {
          ready.requeue(message);
          timedOut.add(new HeldMessage(message, 0));
        }
        if (timedOut.size() > before) {
          wake.add(client);
        }
      }
      timeoutCount += timedOut.size();
      if (!timedOut.isEmpty()) {
        record(() -> backend.hold(timedOut));
      }
      int came = timedOut.size() + ready.releaseDue(nowNs);
      if (starved) {
        starved = false;
        came += STARVED_WAKES;
      }
      addWaiting(came, wake);
      keep = inFlight.size() > 0 || ready.awaitsTime();
      scanned = keep;
      nextEventNs =
          inFlight.firstDeadlineNs(clients, ready.firstDueNs(nowNs + TimeUnit.HOURS.toNanos(1)));
    }
    wake.forEach(Consumer::wake);
    return keep;
  }

  private void addWaiting(int messages, List<Consumer> to) {
    for (int i = 0; i < messages; i++) {
      Consumer client = waiting.poll();
      if (client == null) {
        return;
      }
      to.add(client);
    }
  }

  // ---------------------------------------------------------------- consumers

  /** Adds a consumer; it must be ready for wake-ups. */
  public void addClient(Consumer client) throws BrokerException {
    synchronized (lock) {
      if (isExiting()) {
        throw new BrokerException("exiting");
      }
      int max = settings.maxChannelConsumers();
      if (max > 0 && clients.size() >= max) {
        throw new BrokerException(
            "consumers for " + topicName + ":" + name + " exceeds limit of " + max);
      }
      clients.add(client);
    }
  }

  /**
   * Removes a consumer and requeues at once what it had in flight.
   *
   * @return whether it was the last one
   */
  public boolean removeClient(Consumer client) {
    List<Consumer> wake = new ArrayList<>();
    boolean last;
    synchronized (lock) {
      if (!clients.remove(client)) {
        return false;
      }
      waiting.remove(client);
      List<HeldMessage> held = new ArrayList<>();
      Message message;
      while ((message = inFlight.popFirst(client)) != null) {
        ready.requeue(message);
        held.add(new HeldMessage(message, 0));
      }
      if (!held.isEmpty() && !exiting) {
        record(() -> backend.hold(held));
      }
      addWaiting(held.size(), wake);
      last = clients.isEmpty();
    }
    wake.forEach(Consumer::wake);
    return last;
  }

  /**
   * Takes no more consumers from now on, because it is to be deleted for having none.
   *
   * @return false when it has some
   */
  public boolean closeToConsumers() {
    synchronized (lock) {
      if (!clients.isEmpty() || exiting) {
        return false;
      }
      unused = true;
      return true;
    }
  }

  /** Takes consumers again: it could not be deleted. */
  public void reopenToConsumers() {
    synchronized (lock) {
      unused = false;
    }
  }

  /** The consumers; a live view that any thread may read. */
  public Collection<Consumer> clients() {
    return clients;
  }

  // ---------------------------------------------------------------- administration (workers)

  /** Stops deliveries, also after a restart. */
  public void pause() throws IOException {
    paused = true;
    settings.persistence().persist();
  }

  /** Goes on with deliveries. */
  public void unpause() throws IOException {
    paused = false;
    clients.forEach(Consumer::wake);
    settings.persistence().persist();
  }

  /** As it was when the broker stopped. */
  public void restorePaused() {
    paused = true;
  }

  /** Delivers nothing more, for good; what is in flight can still be answered. */
  public void drain() {
    synchronized (lock) {
      draining = true;
    }
  }

  public boolean isPaused() {
    return paused;
  }

  /** Drops everything the channel has, in flight and deferred messages too. */
  public void empty() throws IOException {
    synchronized (lock) {
      if (exiting) {
        return;
      }
      dropAll();
      recordDropped(backend::empty);
    }
    // Their slots are free again.
    clients.forEach(Consumer::wake);
  }

  /**
   * As {@link #record}, for what whoever asked for it is told: on a full disk it is on the way to
   * free space, and gets the room that is kept back for that.
   */
  private void recordDropped(LedgerWrite write) throws IOException {
    try {
      write.run();
    } catch (IOException e) {
      if (!settings.diskErrors().makeRoom(e)) {
        throw e;
      }
      // Memory has dropped them, the ledger is behind.
      backend.checkpoint(heldMessages());
    }
  }

  /** A consumer's turn failed: on a full disk even reading can need a block. Any thread. */
  public void readFailed(IOException cause) {
    settings.diskErrors().makeRoom(cause);
  }

  private void dropAll() {
    ready.clear();
    inFlight.clear(clients);
  }

  /**
   * Ends the channel and its consumers' connections.
   *
   * @param deleting drops everything; otherwise everything stays for the next start
   */
  public void exit(boolean deleting) {
    synchronized (lock) {
      if (exiting) {
        return;
      }
      if (!deleting) {
        record(() -> backend.checkpoint(heldMessages()));
      }
      exiting = true;
      if (deleting) {
        dropAll();
      }
    }
    clients.forEach(Consumer::close);
    if (!deleting) {
      record(backend::removeOldFiles);
    }
    synchronized (lock) {
      backend.close();
    }
    settings.memory().topics().release(MemoryBudget.TOPIC_BYTES);
    scan.remove(this);
  }

  /** Whether it is being deleted or the broker stops. */
  public boolean isExiting() {
    return exiting || unused;
  }

  /** Whether the disk has not taken all that became of the messages. Any thread. */
  public boolean isBehind() {
    synchronized (lock) {
      return !exiting && backend.isBehind();
    }
  }

  /**
   * Brings the ledger to a new file when that pays, closes idle files. Housekeeping thread.
   *
   * @return whether the ledger was summed up
   */
  public boolean housekeep(boolean idle) throws IOException {
    boolean checkpoint;
    synchronized (lock) {
      if (exiting) {
        return false;
      }
      ready.trim();
      inFlight.trim();
      checkpoint = backend.wantsCheckpoint();
      if (checkpoint) {
        record(() -> backend.checkpoint(heldMessages()));
      }
      if (idle) {
        closeFiles();
      }
    }
    if (checkpoint) {
      record(backend::removeOldFiles);
    }
    forceCarried();
    return checkpoint;
  }

  /** See {@link BackendQueue#giveBackHoles}. Any thread. */
  public void giveBackHoles() throws IOException {
    backend.giveBackHoles();
  }

  /** Closes the files until they are needed again. Housekeeping thread. */
  public void closeCold() {
    synchronized (lock) {
      if (!exiting) {
        closeFiles();
      }
    }
  }

  private void closeFiles() {
    if (clients.isEmpty() || inFlight.size() == 0) {
      backend.closeIdle();
    }
  }

  /** Files of the topic's journal were removed: lets go of them. Housekeeping thread. */
  public void journalFilesRemoved() {
    synchronized (lock) {
      if (!exiting) {
        backend.journalFilesRemoved();
      }
    }
  }

  /**
   * Waits until the account of what is finished is on disk. Housekeeping thread.
   *
   * @throws IOException when the disk refuses
   */
  public void force() throws IOException {
    backend.force();
  }

  private HeldMessage held(Message message, long delayMs) {
    return HeldMessage.after(message, delayMs, settings.clock().wallMs());
  }

  /**
   * Every message with attempts or a due time, wherever it is, each made when it is asked for:
   * there can be so many that all at once would not fit into memory.
   */
  private Iterator<HeldMessage> heldMessages() {
    return Stream.concat(Stream.concat(ready.cameBack(), ready.deferred()), inFlight.held(clients))
        .iterator();
  }

  /** Shows every unfinished message that not only the backend has. Under the lock. */
  private void visit(Message.Visitor visitor) {
    ready.visit(visitor);
    inFlight.visit(clients, visitor);
  }

  /**
   * The first messages of a kind: ready ones in the order of delivery, those in flight that were
   * delivered first, deferred ones that are due first. Changes nothing, reads no disk.
   */
  public List<Waiting> first(Waiting.State state, int max) {
    synchronized (lock) {
      return switch (state) {
        case READY -> ready.firstReady(max);
        case DEFERRED -> ready.firstDeferred(max);
        case IN_FLIGHT ->
            InFlightMessages.first(
                clients, max, settings.clock().nanos(), settings.clock().wallMs());
      };
    }
  }

  // ---------------------------------------------------------------- stragglers (housekeeping)

  /**
   * Shows the unfinished messages that are not only in the backend and keep old journal files from
   * going.
   *
   * @param belowFile only those in older journal files
   */
  public void stragglers(int belowFile, java.util.function.Consumer<MessageRef> to) {
    synchronized (lock) {
      visit(
          (message, delayMs) -> {
            if (message.file() < belowFile) {
              to.accept(message);
            }
          });
    }
  }

  /**
   * The copies of these messages take the place of the originals.
   *
   * @param file the journal file that the originals are in
   * @param copies by ordinal
   */
  public void carry(int file, Map<Long, MessageRef> copies) throws IOException {
    synchronized (lock) {
      List<HeldMessage> held = new ArrayList<>();
      visit(
          (message, delayMs) -> {
            MessageRef copy = message.file() == file ? copies.get(message.ordinal()) : null;
            if (copy != null) {
              message.carriedTo(copy);
              held.add(held(message, delayMs));
            }
          });
      if (!exiting && !held.isEmpty()) {
        record(() -> backend.carry(held));
      }
    }
    forceCarried();
  }

  /** Only when the ledger's word is on the disk may the originals go. */
  private void forceCarried() throws IOException {
    synchronized (lock) {
      if (exiting || !backend.hasUnforcedCarried()) {
        return;
      }
    }
    backend.force();
    synchronized (lock) {
      backend.carriedForced();
    }
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Messages ready for delivery: memory queue and backend. */
  public long depth() {
    synchronized (lock) {
      return ready.depth();
    }
  }

  /** Messages that only the backend has. */
  public long backendDepth() {
    synchronized (lock) {
      return backend.depth();
    }
  }

  public long inFlightCount() {
    synchronized (lock) {
      return inFlight.size();
    }
  }

  public long deferredCount() {
    synchronized (lock) {
      return ready.deferredCount();
    }
  }

  /** Messages put since the start of the process, requeues not counted. */
  public long messageCount() {
    return messageCount;
  }

  /** REQs since the start of the process. */
  public long requeueCount() {
    return requeueCount;
  }

  /** Timeouts since the start of the process. */
  public long timeoutCount() {
    return timeoutCount;
  }

  /** Messages sent from memory to consumers of the broker's own zone. */
  public long zoneLocalMsgCount() {
    return memoryCounts.get(Locality.ZONE.ordinal());
  }

  /** Messages sent from memory to consumers of the broker's own region. */
  public long regionLocalMsgCount() {
    return memoryCounts.get(Locality.REGION.ordinal());
  }

  /** Messages sent from memory to any other consumer; to all without topology awareness. */
  public long globalMsgCount() {
    return memoryCounts.get(Locality.GLOBAL.ordinal());
  }

  /** Figures of {@link #latency}. */
  public E2eLatency e2eProcessingLatency() {
    return latency.snapshot();
  }

  /** Time from publish to FIN of this channel's messages. */
  public E2eProcessingLatency latency() {
    return latency;
  }

  /** The lowest ordinal whose own journal record may still be needed here. */
  public long neededFrom() {
    synchronized (lock) {
      return backend.neededFrom();
    }
  }

  /** The oldest journal file with a copy that is needed here; Integer.MAX_VALUE for none. */
  public int pinnedFile() {
    synchronized (lock) {
      return backend.pinnedFile();
    }
  }

  /** The ordinal from which on everything here is in the journal only. */
  public long backlogFrom() {
    synchronized (lock) {
      return backend.backlogFrom();
    }
  }

  /** Bytes on disk that belong to this channel alone. */
  public long diskBytes() {
    return backend.diskBytes();
  }

  /** Files on disk that belong to this channel alone. */
  public int diskFiles() {
    return backend.diskFiles();
  }

  /** How long messages took from publish to FIN; null while none was finished. */
  public LatencyCounts processing() {
    return processing;
  }

  /** Messages dropped for want of room; only an ephemeral channel drops any. */
  public long droppedCount() {
    synchronized (lock) {
      return ready.dropped();
    }
  }

  /** Messages lost to damage in the journal since the start of the process. */
  public long unreadableCount() {
    synchronized (lock) {
      return backend.unreadable();
    }
  }
}
