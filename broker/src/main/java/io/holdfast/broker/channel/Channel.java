package io.holdfast.broker.channel;

import io.holdfast.broker.BrokerException;
import io.holdfast.broker.client.ClientV2;
import io.holdfast.broker.protocol.FrameEncoder;
import io.holdfast.broker.stats.E2eLatency;
import io.holdfast.broker.stats.E2eProcessingLatency;
import io.holdfast.broker.topic.GuidFactory;
import io.holdfast.storage.BackendQueue;
import io.holdfast.storage.Batch;
import io.holdfast.storage.DirNames;
import io.holdfast.storage.HeldMessage;
import io.holdfast.storage.JournalCursor;
import io.holdfast.storage.MessageView;
import io.holdfast.storage.OrdinalRanges;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

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

  /**
   * Bodies from this size on are not copied into memory: they are as near in the mapped journal,
   * and the copy costs more than finding them there.
   */
  private static final int MAX_COPIED_BODY_BYTES = 4096;

  private static final int PERCENT = 100;

  private final String topicName;
  private final String name;
  private final ChannelSettings settings;
  private final GuidFactory guids;
  private final BackendQueue backend;
  private final QueueScan scan;
  private final E2eProcessingLatency latency;

  private final Object lock = new Object();
  private final MemoryQueue memory;
  private final InFlightTable inFlight = new InFlightTable();
  private final DeferredQueue deferred = new DeferredQueue();
  private final MessageView view = new MessageView();
  private final OrdinalRanges finishing = new OrdinalRanges();

  /** Whether the last message that was neither new nor alone came from memory. */
  private boolean memoryWasLast;

  /** Consumers; written under the lock, read anywhere. */
  private final CopyOnWriteArrayList<ClientV2> clients = new CopyOnWriteArrayList<>();

  /** Consumers that found nothing and want to be woken, longest waiting first. */
  private final ArrayDeque<ClientV2> waiting = new ArrayDeque<>();

  private volatile boolean paused;
  private volatile boolean exiting;

  // Counters since the start of the process, written under the lock.
  private volatile long messageCount;
  private volatile long requeueCount;
  private volatile long timeoutCount;

  /** Messages delivered from memory, by the consumer's {@link Locality}. */
  private final AtomicLongArray memoryCounts = new AtomicLongArray(Locality.values().length);

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
      List<HeldMessage> held,
      QueueScan scan) {
    this.topicName = topicName;
    this.name = name;
    this.settings = settings;
    this.guids = guids;
    this.backend = backend;
    this.scan = scan;
    latency = settings.newLatency().get();
    memory = new MemoryQueue(settings.memQueueSize(), settings.memQueueBytes());
    synchronized (lock) {
      restore(held);
    }
  }

  private void restore(List<HeldMessage> held) {
    long nowMs = settings.clock().wallMs();
    long nowNs = settings.clock().nanos();
    for (HeldMessage entry : held) {
      Message message = Message.of(entry.ref());
      long delayMs = entry.dueMs() - nowMs;
      if (delayMs > 0) {
        defer(message, nowNs + TimeUnit.MILLISECONDS.toNanos(delayMs));
      } else {
        memory.requeue(message);
      }
    }
  }

  public String name() {
    return name;
  }

  public String topicName() {
    return topicName;
  }

  /** Whether it ends with its last consumer and keeps nothing on disk. */
  public boolean isEphemeral() {
    return DirNames.isEphemeral(name);
  }

  // ---------------------------------------------------------------- publishing (topic's lock held)

  /** Takes a batch; the topic calls this in journal order under its lock. */
  public void put(Batch batch) throws IOException {
    ClientV2 wake;
    synchronized (lock) {
      messageCount += batch.count();
      if (batch.deferMs() > 0) {
        putDeferred(batch);
        return;
      }
      backend.put(batch, putInMemory(batch));
      wake = nextWaiting();
    }
    wake(wake);
  }

  /** Fills the memory queue as far as it may be and has room; returns how many messages it took. */
  private int putInMemory(Batch batch) {
    if (!backend.isCaughtUp()) {
      return 0;
    }
    int room = Math.min(memory.room(), batch.count());
    if (room == 0) {
      return 0;
    }
    boolean copy =
        !backend.keepsBodies() || batch.bodyBytes() < (long) batch.count() * MAX_COPIED_BODY_BYTES;
    byte[] bytes = copy ? batch.copy() : null;
    ByteBuffer section = batch.section();
    int at = section.position();
    int start = at;
    for (int i = 0; i < room; i++) {
      int length = section.getInt(at);
      if (!memory.hasRoom(length)) {
        return i;
      }
      int offset = at - start + Integer.BYTES;
      Message message = message(batch, i, offset, length);
      message.bytes = bytes;
      message.bodyStart = offset;
      memory.put(message);
      at += Integer.BYTES + length;
    }
    return room;
  }

  private static Message message(Batch batch, int i, int offsetInSection, int length) {
    return new Message(
        batch.firstOrdinal() + i,
        batch.position(),
        batch.sectionOffset() + offsetInSection,
        length,
        0,
        batch.timestampNs());
  }

  private void putDeferred(Batch batch) throws IOException {
    if (deferred.size() + memory.requeued() + batch.count() > settings.maxDeferred()) {
      // Beyond the bound on references it stays in the backend, which knows its due time, too.
      backend.put(batch, 0);
      return;
    }
    ByteBuffer section = batch.section();
    byte[] bytes = backend.keepsBodies() ? null : batch.copy();
    int at = section.position();
    int start = at;
    long dueNs = settings.clock().nanos() + TimeUnit.MILLISECONDS.toNanos(batch.deferMs());
    long dueMs = TimeUnit.NANOSECONDS.toMillis(batch.timestampNs()) + batch.deferMs();
    List<HeldMessage> held = new ArrayList<>(batch.count());
    for (int i = 0; i < batch.count(); i++) {
      int length = section.getInt(at);
      int offset = at - start + Integer.BYTES;
      Message message = message(batch, i, offset, length);
      message.bytes = bytes;
      message.bodyStart = offset;
      held.add(new HeldMessage(message, dueMs));
      defer(message, dueNs);
      at += Integer.BYTES + length;
    }
    backend.putHeld(batch, held);
  }

  /** The journal has messages up to an ordinal that the topic had kept back. */
  public void extend(long endOrdinal) {
    ClientV2 wake;
    synchronized (lock) {
      long before = backend.depth();
      backend.extend(endOrdinal);
      messageCount += backend.depth() - before;
      wake = nextWaiting();
    }
    wake(wake);
  }

  /**
   * Fills an ephemeral channel from what its topic had kept back; what memory has no room for is
   * dropped.
   */
  public void putBacklog(JournalCursor journal, long endOrdinal) throws IOException {
    ClientV2 wake;
    synchronized (lock) {
      long nowNs = settings.clock().nanos();
      while (memory.room() > 0 && journal.next(view, endOrdinal)) {
        Message message = Message.of(view);
        message.bytes = new byte[view.bodyLength()];
        view.body().get(message.bytes);
        long delayMs = dueMs(view) - settings.clock().wallMs();
        if (view.deferMs() > 0 && delayMs > 0) {
          defer(message, nowNs + TimeUnit.MILLISECONDS.toNanos(delayMs));
        } else {
          memory.put(message);
        }
        messageCount++;
      }
      wake = nextWaiting();
    }
    wake(wake);
  }

  private static long dueMs(MessageView of) {
    return TimeUnit.NANOSECONDS.toMillis(of.timestampNs()) + of.deferMs();
  }

  // ---------------------------------------------------------------- delivery (client's event loop)

  /**
   * The messagePump's select: takes messages from memory queue and backend, puts them in flight to
   * the client and writes their frames.
   *
   * <p>New messages in memory are older than everything in the backend and go first, so that first
   * deliveries are in publish order. Messages that came back alternate with the backend, so that
   * neither a client that requeues everything nor a long backlog starves the other.
   *
   * @param max messages
   * @param maxBytes stops once this much was written
   * @return messages written; when fewer than {@code max} and bytes are left, the channel is empty
   *     and will wake the client
   */
  public int poll(ClientV2 client, int max, ByteBuf out, int maxBytes) throws IOException {
    int count = 0;
    ClientV2 wake = null;
    synchronized (lock) {
      if (paused || exiting || !client.isSubscribed()) {
        return 0;
      }
      long nowNs = settings.clock().nanos();
      int bytesLimit = out.writerIndex() + maxBytes;
      finishing.clear();
      boolean more = true;
      long memoryBefore = memory.taken();
      while (count < max && out.writerIndex() < bytesLimit) {
        Message message = takeNext(client, out, nowNs);
        if (message == null) {
          more = false;
          break;
        }
        if (message.client == client) {
          count++;
        }
      }
      if (!finishing.isEmpty()) {
        backend.finish(finishing);
      }
      memoryCounts.addAndGet(locality(client).ordinal(), memory.taken() - memoryBefore);
      if (!more) {
        waitForMore(client);
      } else if (hasReady()) {
        wake = nextWaiting();
      }
      if (count > 0) {
        watch(nowNs + client.msgTimeoutNs());
      }
    }
    wake(wake);
    return count;
  }

  /** Passes on a wake-up that a client could not use. */
  public void wakeAnother() {
    ClientV2 wake = null;
    synchronized (lock) {
      if (hasReady()) {
        wake = nextWaiting();
      }
    }
    wake(wake);
  }

  private boolean hasReady() {
    return memory.size() > 0 || backend.depth() > 0;
  }

  private boolean takeFromMemory() {
    if (memory.size() == 0) {
      return false;
    }
    if (!memory.isRequeuedNext() || backend.depth() == 0) {
      return true;
    }
    // Beyond the bound on references, first bring down their number.
    memoryWasLast = !memoryWasLast || memory.requeued() >= settings.maxDeferred();
    return memoryWasLast;
  }

  /**
   * Delivers one message, or disposes of one that is sampled out, deferred or lost (its client is
   * null then).
   *
   * @return null when there is none
   */
  private Message takeNext(ClientV2 client, ByteBuf out, long nowNs) throws IOException {
    Message message;
    boolean inView = false;
    if (takeFromMemory()) {
      message = memory.poll();
      if (message.bytes == null) {
        if (!backend.read(message, view)) {
          finishing.add(message.ordinal());
          return message;
        }
        inView = true;
      }
    } else {
      if (!pollBackend(nowNs)) {
        return memory.size() > 0 ? takeNext(client, out, nowNs) : null;
      }
      message = Message.of(view);
      inView = true;
    }
    int sampleRate = client.sampleRate();
    if (sampleRate > 0 && ThreadLocalRandom.current().nextInt(PERCENT) >= sampleRate) {
      finishing.add(message.ordinal());
      return message;
    }
    startInFlight(message, client, nowNs);
    int attempts = message.nextAttempt();
    long id = guids.idOf(message.ordinal());
    if (inView) {
      FrameEncoder.message(out, view.timestampNs(), attempts, id, view.body());
    } else {
      FrameEncoder.messageHead(out, message.timestampNs, attempts, id, message.bodyLength());
      out.writeBytes(message.bytes, message.bodyStart, message.bodyLength());
      if (backend.keepsBodies()) {
        message.bytes = null;
      }
    }
    return message;
  }

  /** Takes from the backend what is due; what is not goes to the deferred messages. */
  private boolean pollBackend(long nowNs) throws IOException {
    while (backend.poll(view)) {
      if (view.deferMs() == 0) {
        return true;
      }
      long dueMs = dueMs(view);
      long delayMs = dueMs - settings.clock().wallMs();
      if (delayMs <= 0) {
        return true;
      }
      Message message = Message.of(view);
      defer(message, nowNs + TimeUnit.MILLISECONDS.toNanos(delayMs));
      backend.hold(List.of(new HeldMessage(message, dueMs)));
    }
    return false;
  }

  /** Before the frame goes out: whatever happens to the connection, the message has an owner. */
  private void startInFlight(Message message, ClientV2 client, long nowNs) {
    message.client = client;
    message.deliveryNs = nowNs;
    message.deadlineNs = nowNs + client.msgTimeoutNs();
    inFlight.add(message);
    client.inFlight().add(message);
  }

  private void waitForMore(ClientV2 client) {
    if (!client.isWaiting()) {
      client.setWaiting(true);
      waiting.add(client);
    }
  }

  /** The client that has waited longest, of the nearest ones where that makes a difference. */
  private ClientV2 nextWaiting() {
    ClientV2 next = waiting.peek();
    if (next == null) {
      return null;
    }
    if (settings.topology().isAware()) {
      for (ClientV2 client : waiting) {
        if (locality(client).compareTo(locality(next)) < 0) {
          next = client;
        }
      }
    }
    waiting.remove(next);
    next.setWaiting(false);
    return next;
  }

  private Locality locality(ClientV2 client) {
    return Locality.of(client, settings.topology());
  }

  private static void wake(ClientV2 client) {
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
  public void finishMessages(ClientV2 client, long[] ids, int count, Outcome[] outcomes) {
    synchronized (lock) {
      finishing.clear();
      for (int i = 0; i < count; i++) {
        Message message = inFlight.get(guids.ordinalOf(ids[i]));
        outcomes[i] = exiting ? Outcome.EXITING : check(message, client);
        if (outcomes[i] == Outcome.OK) {
          popInFlight(message);
          finishing.add(message.ordinal());
          recordLatency(message);
        }
      }
      if (!finishing.isEmpty()) {
        record(() -> backend.finish(finishing));
      }
    }
  }

  /**
   * REQ: delivers again, at once or after a delay.
   *
   * @param delayMs 0 for at once
   */
  public Outcome requeueMessage(ClientV2 client, long id, long delayMs) {
    ClientV2 wake = null;
    synchronized (lock) {
      if (exiting) {
        return Outcome.EXITING;
      }
      Message message = inFlight.get(guids.ordinalOf(id));
      Outcome outcome = check(message, client);
      if (outcome != Outcome.OK) {
        return outcome;
      }
      if (delayMs > 0 && deferred.size() >= settings.maxDeferred()) {
        return Outcome.TOO_MANY_DEFERRED;
      }
      popInFlight(message);
      requeueCount++;
      long dueMs = 0;
      if (delayMs > 0) {
        defer(message, settings.clock().nanos() + TimeUnit.MILLISECONDS.toNanos(delayMs));
        dueMs = settings.clock().wallMs() + delayMs;
      } else {
        memory.requeue(message);
        wake = nextWaiting();
      }
      List<HeldMessage> held = List.of(new HeldMessage(message, dueMs));
      record(() -> backend.hold(held));
    }
    wake(wake);
    return Outcome.OK;
  }

  /** TOUCH: the timeout begins anew, up to max-msg-timeout after the delivery. */
  public Outcome touchMessage(ClientV2 client, long id) {
    synchronized (lock) {
      Message message = inFlight.get(guids.ordinalOf(id));
      Outcome outcome = check(message, client);
      if (outcome == Outcome.OK) {
        client.inFlight().remove(message);
        long wanted = settings.clock().nanos() + client.msgTimeoutNs();
        long latest = message.deliveryNs + settings.maxMsgTimeoutNs();
        message.deadlineNs = wanted - latest < 0 ? wanted : latest;
        client.inFlight().add(message);
      }
      return outcome;
    }
  }

  private void recordLatency(Message message) {
    if (latency != E2eProcessingLatency.NONE && message.timestampNs > 0) {
      long nowNs = TimeUnit.MILLISECONDS.toNanos(settings.clock().wallMs());
      latency.record(nowNs - message.timestampNs);
    }
  }

  private static Outcome check(Message message, ClientV2 client) {
    if (message == null) {
      return Outcome.NOT_IN_FLIGHT;
    }
    return message.client == client ? Outcome.OK : Outcome.NOT_OWNER;
  }

  private void popInFlight(Message message) {
    inFlight.remove(message);
    message.client.inFlight().remove(message);
    message.client = null;
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

  private void defer(Message message, long dueNs) {
    message.dueNs = dueNs;
    deferred.add(message);
    watch(dueNs);
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
    List<ClientV2> wake = new ArrayList<>();
    boolean keep;
    synchronized (lock) {
      if (exiting) {
        return false;
      }
      List<HeldMessage> timedOut = new ArrayList<>();
      long next = nowNs + TimeUnit.HOURS.toNanos(1);
      for (ClientV2 client : clients) {
        Message first;
        while ((first = client.inFlight().first()) != null && first.deadlineNs - nowNs <= 0) {
          popInFlight(first);
          timeoutCount++;
          memory.requeue(first);
          timedOut.add(new HeldMessage(first, 0));
          if (!wake.contains(client)) {
            wake.add(client);
          }
        }
        if (first != null && first.deadlineNs - next < 0) {
          next = first.deadlineNs;
        }
      }
      Message due;
      int ready = timedOut.size();
      while ((due = deferred.pollDue(nowNs)) != null) {
        memory.requeue(due);
        ready++;
      }
      Message firstDeferred = deferred.first();
      if (firstDeferred != null && firstDeferred.dueNs - next < 0) {
        next = firstDeferred.dueNs;
      }
      if (!timedOut.isEmpty()) {
        record(() -> backend.hold(timedOut));
      }
      for (ClientV2 another; ready > 0 && (another = nextWaiting()) != null; ready--) {
        wake.add(another);
      }
      keep = inFlight.size() > 0 || deferred.size() > 0;
      scanned = keep;
      nextEventNs = next;
    }
    wake.forEach(ClientV2::wake);
    return keep;
  }

  // ---------------------------------------------------------------- consumers

  /** Adds a consumer; it must be ready for wake-ups. */
  public void addClient(ClientV2 client) throws BrokerException {
    synchronized (lock) {
      if (exiting) {
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
  public boolean removeClient(ClientV2 client) {
    List<ClientV2> wake = new ArrayList<>();
    boolean last;
    synchronized (lock) {
      if (!clients.remove(client)) {
        return false;
      }
      waiting.remove(client);
      client.setWaiting(false);
      List<HeldMessage> held = new ArrayList<>();
      Message message;
      while ((message = client.inFlight().first()) != null) {
        popInFlight(message);
        memory.requeue(message);
        held.add(new HeldMessage(message, 0));
      }
      if (!held.isEmpty() && !exiting) {
        record(() -> backend.hold(held));
      }
      for (int i = 0; i < held.size() && !waiting.isEmpty(); i++) {
        wake.add(nextWaiting());
      }
      last = clients.isEmpty();
    }
    wake.forEach(ClientV2::wake);
    return last;
  }

  /** The consumers; a live view that any thread may read. */
  public Collection<ClientV2> clients() {
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
    clients.forEach(ClientV2::wake);
    settings.persistence().persist();
  }

  /** As it was when the broker stopped. */
  public void restorePaused() {
    paused = true;
  }

  public boolean isPaused() {
    return paused;
  }

  /** Drops everything the channel has, in flight and deferred messages too. */
  public void empty() throws IOException {
    synchronized (lock) {
      dropAll();
      backend.empty();
    }
    // Their slots are free again.
    clients.forEach(ClientV2::wake);
  }

  private void dropAll() {
    memory.clear();
    deferred.clear();
    inFlight.clear();
    clients.forEach(client -> client.inFlight().clear());
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
    clients.forEach(ClientV2::close);
    synchronized (lock) {
      backend.close();
    }
    scan.remove(this);
  }

  /** Whether it is being deleted or the broker stops. */
  public boolean isExiting() {
    return exiting;
  }

  /** Brings the ledger to a new file when that pays, closes idle files. Housekeeping thread. */
  public void housekeep(boolean idle) {
    synchronized (lock) {
      if (exiting) {
        return;
      }
      if (backend.wantsCheckpoint()) {
        record(() -> backend.checkpoint(heldMessages()));
      }
      if (idle && clients.isEmpty()) {
        backend.closeIdle();
      }
    }
  }

  /** Every message with attempts or a due time, wherever it is. */
  private Iterator<HeldMessage> heldMessages() {
    List<HeldMessage> held = new ArrayList<>();
    for (Message message : memory.messages()) {
      if (message.requeued) {
        held.add(new HeldMessage(message, 0));
      }
    }
    long nowNs = settings.clock().nanos();
    long nowMs = settings.clock().wallMs();
    for (Message message : deferred.messages()) {
      long delayMs = TimeUnit.NANOSECONDS.toMillis(message.dueNs - nowNs);
      held.add(new HeldMessage(message, nowMs + Math.max(0, delayMs)));
    }
    for (ClientV2 client : clients) {
      for (Message m = client.inFlight().first(); m != null; m = m.next) {
        held.add(new HeldMessage(m, 0));
      }
    }
    return held.iterator();
  }

  // ---------------------------------------------------------------- figures (any thread)

  /** Messages ready for delivery: memory queue and backend. */
  public long depth() {
    synchronized (lock) {
      return memory.size() + backend.depth();
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
      return deferred.size();
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

  /** The lowest ordinal that may still be needed here. */
  public long floor() {
    synchronized (lock) {
      return backend.floor();
    }
  }

  /** Messages dropped for want of room; only an ephemeral channel drops any. */
  public long droppedCount() {
    synchronized (lock) {
      return backend.dropped();
    }
  }
}
