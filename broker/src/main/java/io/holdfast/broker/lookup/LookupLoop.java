package io.holdfast.broker.lookup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps every configured nsqlookupd told which topics and channels this broker has (contract §6).
 *
 * <p>One daemon thread owns all peers; the methods called by others only leave a note in a bounded
 * queue or a field and return at once, whatever state the peers are in. A note says what changed,
 * never what to send: at send time the supplier's current truth decides, so that taking back a
 * topic that meanwhile exists again sends nothing. All of the topic that a note is about is then
 * made what it is; with each ping, and if the queue was full and a note dropped, all topics are.
 *
 * <p>The notes of one turn are sent together, and a peer that cannot be reached is dialled once per
 * turn rather than once per note: a dead nsqlookupd delays the others by one dial at most. A
 * connection found broken is replaced at once, so that a restarted nsqlookupd does not wait for the
 * next ping.
 */
public final class LookupLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LookupLoop.class);
  private static final long DEFAULT_PING_INTERVAL_MS = 15_000;
  private static final int DEFAULT_QUEUE_CAPACITY = 1024;

  private enum Kind {
    CREATED,
    DELETED,
    /** Only wakes the thread up. */
    NUDGE
  }

  private record Note(Kind kind, Registration registration) {}

  private static final Note NUDGE = new Note(Kind.NUDGE, null);

  private final BrokerIdentity identity;
  private final int maxReplyBytes;
  private final Supplier<List<Registration>> registrations;
  private final long pingIntervalNs;
  private final ArrayBlockingQueue<Note> notes;
  private final AtomicLong droppedNotes = new AtomicLong();
  private final Thread thread;

  /** Written by any thread, read by the loop. */
  private volatile List<String> wantedAddresses;

  /** Set by any thread when a note was dropped, taken by the loop. */
  private volatile boolean reannounce;

  private volatile boolean closed;

  /** The peer that the loop talks to, null for none; written by the loop, read by any thread. */
  private volatile LookupPeer serving;

  /** Written by the loop, read by any thread. */
  private volatile List<PeerInfo> identifiedPeers = List.of();

  /** Owned by the loop; by address, in the order configured. */
  private final Map<String, LookupPeer> peers = new LinkedHashMap<>();

  /**
   * @param identity sent to each peer at connect
   * @param addresses host:port of each nsqlookupd (lookupd-tcp-address); may be empty
   * @param maxReplyBytes limit for a peer's reply, in bytes (max-body-size)
   * @param registrations what exists right now: each topic with a null channel, each channel.
   *     Called on the loop's thread; may take the broker's locks for a short time. Must show a
   *     change before its event is posted here
   */
  public LookupLoop(
      BrokerIdentity identity,
      List<String> addresses,
      int maxReplyBytes,
      Supplier<List<Registration>> registrations) {
    this(
        identity,
        addresses,
        maxReplyBytes,
        registrations,
        DEFAULT_PING_INTERVAL_MS,
        DEFAULT_QUEUE_CAPACITY);
  }

  LookupLoop(
      BrokerIdentity identity,
      List<String> addresses,
      int maxReplyBytes,
      Supplier<List<Registration>> registrations,
      long pingIntervalMs,
      int queueCapacity) {
    this.identity = identity;
    this.wantedAddresses = List.copyOf(addresses);
    this.maxReplyBytes = maxReplyBytes;
    this.registrations = registrations;
    this.pingIntervalNs = TimeUnit.MILLISECONDS.toNanos(pingIntervalMs);
    this.notes = new ArrayBlockingQueue<>(queueCapacity);
    this.thread = new Thread(this::run, "lookup-loop");
    thread.setDaemon(true);
  }

  /** Starts the thread, which connects to all peers. */
  public void start() {
    thread.start();
  }

  /** To be called once the topic is visible through the supplier. Never blocks. */
  public void topicCreated(String topic) {
    post(new Note(Kind.CREATED, new Registration(topic, null)));
  }

  /** To be called once the channel is visible through the supplier. Never blocks. */
  public void channelCreated(String topic, String channel) {
    post(new Note(Kind.CREATED, new Registration(topic, channel)));
  }

  /** To be called once the topic is gone from what the supplier shows. Never blocks. */
  public void topicDeleted(String topic) {
    post(new Note(Kind.DELETED, new Registration(topic, null)));
  }

  /** To be called once the channel is gone from what the supplier shows. Never blocks. */
  public void channelDeleted(String topic, String channel) {
    post(new Note(Kind.DELETED, new Registration(topic, channel)));
  }

  /** To be called when many may have come or gone at once. Never blocks. */
  public void changed() {
    reannounce = true;
    notes.offer(NUDGE); // A full queue means that the loop is awake anyway.
  }

  /** Replaces the set of peers: new ones are connected, others dropped at once. Never blocks. */
  public void setAddresses(List<String> addresses) {
    wantedAddresses = List.copyOf(addresses);
    notes.offer(NUDGE); // A full queue means that the loop is awake anyway.
  }

  /** What the peers connected right now said of themselves; for {@link ChannelLookup}. */
  public List<PeerInfo> identifiedPeers() {
    return identifiedPeers;
  }

  /** How often a full queue turned an event into a full re-announce. */
  public long droppedNotes() {
    return droppedNotes.get();
  }

  private void post(Note note) {
    if (!notes.offer(note)) {
      // In this order: the loop clears the flag before it asks for the truth, which already shows
      // the change this note was about.
      droppedNotes.incrementAndGet();
      reannounce = true;
    }
  }

  /** Ends the thread, dropping all connections; nsqlookupd then forgets us. Waits up to 3 s. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    LookupPeer silent = serving;
    if (silent != null) {
      silent.abort();
    }
    boolean interrupted = false;
    try {
      thread.join(3 * LookupPeer.TIMEOUT_MS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    long nextPing = System.nanoTime();
    try {
      while (!closed) {
        long wait = nextPing - System.nanoTime();
        Note first = reannounce ? notes.poll() : notes.poll(wait, TimeUnit.NANOSECONDS);
        List<Note> batch = new ArrayList<>();
        if (first != null) {
          batch.add(first);
          notes.drainTo(batch);
        }
        boolean all = reannounce;
        reannounce = false;
        boolean ping = System.nanoTime() - nextPing >= 0;
        if (ping) {
          nextPing = System.nanoTime() + pingIntervalNs;
        }
        turn(batch, all, ping);
      }
    } catch (InterruptedException e) {
      LOG.debug("LOOKUP: interrupted");
    } finally {
      identifiedPeers = List.of();
      peers.values().forEach(LookupPeer::close);
      LOG.info("LOOKUP: closing");
    }
  }

  private void turn(List<Note> batch, boolean all, boolean ping) {
    Set<LookupPeer> added = replacePeers();
    batch.removeIf(note -> note.kind() == Kind.NUDGE);
    if (peers.isEmpty()) {
      identifiedPeers = List.of();
      return;
    }
    if (batch.isEmpty() && !all && !ping && added.isEmpty()) {
      publishPeers();
      return;
    }
    Set<Registration> truth;
    try {
      truth = LookupPeer.withTopics(registrations.get());
    } catch (RuntimeException e) {
      LOG.error("LOOKUP: cannot list topics and channels, will announce all later", e);
      return;
    }
    for (LookupPeer peer : peers.values()) {
      if (closed) {
        return;
      }
      boolean due = !batch.isEmpty() || all || ping || added.contains(peer);
      if (due) {
        serving = peer;
        serve(peer, batch, truth, all, ping);
        serving = null;
        publishPeers();
      }
    }
  }

  private Set<LookupPeer> replacePeers() {
    Set<String> wanted = new LinkedHashSet<>(wantedAddresses);
    Iterator<LookupPeer> current = peers.values().iterator();
    while (current.hasNext()) {
      LookupPeer peer = current.next();
      if (!wanted.contains(peer.address())) {
        LOG.info("LOOKUP({}): removing peer", peer.address());
        peer.close();
        current.remove();
      }
    }
    Set<LookupPeer> added = new LinkedHashSet<>();
    for (String address : wanted) {
      if (!peers.containsKey(address)) {
        LOG.info("LOOKUP({}): adding peer", address);
        LookupPeer peer = new LookupPeer(address, identity, maxReplyBytes);
        peers.put(address, peer);
        added.add(peer);
      }
    }
    return added;
  }

  private void serve(
      LookupPeer peer, List<Note> batch, Set<Registration> truth, boolean all, boolean ping) {
    if (peer.isConnected()) {
      try {
        send(peer, batch, truth);
        Set<String> changed = new HashSet<>();
        batch.forEach(note -> changed.add(note.registration().topic()));
        // A note whose subject was not to be seen yet told nothing; what exists is told anyway.
        peer.reconcile(truth, topic -> all || ping || changed.contains(topic));
        if (ping) {
          LOG.debug("LOOKUP({}): sending heartbeat", peer.address());
          peer.ping();
        }
        return;
      } catch (IOException e) {
        LOG.error("LOOKUP({}): connection lost: {}", peer.address(), e.toString());
      }
    }
    if (closed) {
      return;
    }
    try {
      // Announces all of the truth, which covers whatever the batch is about.
      peer.connect(truth);
    } catch (IOException e) {
      LOG.error("LOOKUP({}): {}", peer.address(), e.toString());
    }
  }

  private static void send(LookupPeer peer, List<Note> batch, Set<Registration> truth)
      throws IOException {
    for (Note note : batch) {
      Registration changed = note.registration();
      boolean exists = truth.contains(changed);
      // A topic is told of although its channels imply it, as nsqd does.
      boolean isNews = changed.channel() == null || !peer.isRegistered(changed);
      if (note.kind() == Kind.CREATED && exists && isNews) {
        peer.register(changed);
      } else if (note.kind() == Kind.DELETED && !exists && peer.isRegistered(changed)) {
        peer.unregister(changed);
      }
    }
  }

  private void publishPeers() {
    List<PeerInfo> infos = new ArrayList<>();
    for (LookupPeer peer : peers.values()) {
      if (peer.info() != null) {
        infos.add(peer.info());
      }
    }
    identifiedPeers = List.copyOf(infos);
  }
}
