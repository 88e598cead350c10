package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.Proposal;
import io.holdfast.broker.cluster.lead.UnfinishedMessages.Unfinished;
import io.holdfast.broker.cluster.state.CarryEntry;
import io.holdfast.broker.cluster.state.ReplicatedChannel;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.PublishLimits;
import io.holdfast.broker.queue.RelocationGain;
import io.holdfast.broker.queue.SharedTopic;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a few unfinished messages from pinning a led topic's journal, on all nodes: when that pays
 * ({@link RelocationGain}), those of the oldest file are read here and go into the group's log, by
 * which each node has a copy at its journal's end. What is decided here is only which ones; what is
 * needed where, the state says. Housekeeping thread.
 */
final class CarryForward {
  private static final Logger LOG = LoggerFactory.getLogger(CarryForward.class);

  /** Of an entry, unless one message is larger. */
  static final int ENTRY_BYTES = 512 << 10;

  /** There is no node whose log takes less, whatever its options are now. */
  private static final int MAX_BODY_BYTES = PublishLimits.MIN_CHUNKED_BYTES - Integer.BYTES;

  /** So many entries are proposed at once; what is left of the file comes in a later turn. */
  static final int MAX_ENTRIES = 4;

  /** With more unfinished messages before the backlog nothing is carried. */
  private static final int MAX_LOOKED = 1 << 16;

  /** Messages that are passed by reading; more are not. */
  private static final int MAX_PASSED = 256;

  /** After a file was read in vain, or an entry was refused. */
  private static final long PAUSE_NS = TimeUnit.MINUTES.toNanos(1);

  private final ReplicatedTopic topic;
  private final SharedTopic led;
  private final TopicContext context;
  private final TermLog log;
  private final CarryTurn turn;
  private final MissingMessages missing;
  private final RelocationGain gain;

  private volatile boolean isPausing;
  private volatile long pausedNs;

  /**
   * @param turn of all topics of the group
   * @param missing where what this disk has lost is asked for
   */
  CarryForward(
      ReplicatedTopic topic,
      SharedTopic led,
      TopicContext context,
      TermLog log,
      CarryTurn turn,
      MissingMessages missing) {
    this.topic = topic;
    this.led = led;
    this.context = context;
    this.log = log;
    this.turn = turn;
    this.missing = missing;
    gain = new RelocationGain(context.storageOptions(false).maxBytesPerFile());
  }

  /**
   * Has the oldest file's messages carried forward if that pays, as many as the turn has room for.
   */
  void housekeep() throws IOException {
    long nowNs = context.channelSettings().clock().nanos();
    if (turn.isOver() || (isPausing && nowNs - pausedNs < PAUSE_NS)) {
      return;
    }
    isPausing = false;
    ChronicleJournal journal = topic.journal();
    long end;
    long needed;
    int oldest;
    synchronized (topic.lock()) {
      end = end();
      needed = topic.firstNeeded();
      oldest = topic.oldestCopyFile();
    }
    oldest = Math.min(oldest, journal.fileOf(needed));
    int backlogFile = journal.fileOf(end);
    if (oldest < 0 || oldest >= backlogFile) {
      return;
    }
    long spareBytes = gain.spareBytes(journal, oldest, backlogFile);
    if (!gain.isDue(spareBytes, nowNs)) {
      return;
    }
    gain.looked(spareBytes, nowNs);
    UnfinishedMessages found = UnfinishedMessages.find(topic, end, oldest, backlogFile, MAX_LOOKED);
    if (found != null
        && !found.inOldest().isEmpty()
        && RelocationGain.pays(found.bytesInOldest() + found.bytesElsewhere(), spareBytes)
        && context.hasRoom(found.bytesInOldest())
        && mayCarry(found.withoutCopy())) {
      carry(found, spareBytes, nowNs);
    }
  }

  /** From here on all counts as unfinished, or has to stay. The topic's lock. */
  private long end() {
    long end = topic.journal().nextOrdinal();
    end = topic.keptFrom() < 0 ? end : Math.min(end, topic.keptFrom());
    end = topic.retainFrom() < 0 ? end : Math.min(end, topic.retainFrom());
    for (ReplicatedChannel channel : topic.channels()) {
      end = Math.min(end, backlogFrom(channel, end));
    }
    return end;
  }

  /** A channel's first message that nobody has had yet; what was in flight may come again. */
  private long backlogFrom(ReplicatedChannel channel, long end) {
    LedgerState state = channel.state();
    long from = Math.max(led.backlogFrom(channel.name()), state.floor());
    long at = from < end ? state.finished().nextAbsent(from) : end;
    for (int i = 0; i < MAX_LOOKED && at < end && isKnown(state, at); i++) {
      at = state.finished().nextAbsent(at + 1);
    }
    return at;
  }

  private boolean isKnown(LedgerState state, long ordinal) {
    return state.packedAttempts(ordinal) > 0
        || state.held(ordinal) != null
        || topic.carried(ordinal) != null;
  }

  private boolean mayCarry(int more) {
    synchronized (topic.lock()) {
      return topic.mayCarry(more);
    }
  }

  /**
   * All of them or, when one cannot be read or they are larger than was thought, none. What another
   * node has given of what this disk has lost goes on at once, and what is before it.
   */
  private void carry(UnfinishedMessages found, long spareBytes, long nowNs) throws IOException {
    List<ByteBuffer> entries = new ArrayList<>();
    CarryEntry entry = new CarryEntry(topic.number());
    MessageView view = new MessageView();
    long bytes = 0;
    long takenBytes = 0;
    boolean isAll = true;
    boolean isGiven = false;
    try (JournalCursor cursor = topic.journal().cursor()) {
      cursor.onUnreadable(line -> LOG.debug("TOPIC({}): {}", topic.name(), line));
      for (Unfinished message : found.inOldest()) {
        if (!read(cursor, message, view)) {
          if (!missing.take(message.ordinal(), view)) {
            askFor(message.ordinal(), nowNs);
            if (!isGiven) {
              return;
            }
            isAll = false;
            break;
          }
          isGiven = true;
        }
        if (view.bodyLength() > MAX_BODY_BYTES) {
          LOG.debug("TOPIC({}): message {} is too large", topic.name(), message.ordinal());
          pause(nowNs);
          return;
        }
        long messageBytes = view.bodyLength() + RelocationGain.RECORD_BYTES;
        bytes += messageBytes;
        if (!entry.isEmpty() && entry.bytes() + view.bodyLength() > ENTRY_BYTES) {
          entries.add(entry.toEntry(log.nowNs()));
        }
        isAll &=
            entries.size() < MAX_ENTRIES
                && turn.hasRoom(takenBytes + messageBytes, /* isFirst= */ takenBytes == 0);
        if (isAll) {
          entry.add(view);
          takenBytes += messageBytes;
        }
      }
    }
    if (!entry.isEmpty()) {
      entries.add(entry.toEntry(log.nowNs()));
    }
    if (!RelocationGain.pays(bytes + found.bytesElsewhere(), spareBytes)
        || !context.hasRoom(bytes)) {
      // They are larger than was thought: the file is not read again at once to find that out.
      pause(nowNs);
      return;
    }
    LOG.debug("TOPIC({}): carries {} byte(s) forward of {}", topic.name(), takenBytes, bytes);
    gain.copied();
    turn.takes(topic.name(), entries.size(), takenBytes, isAll);
    entries.forEach(each -> log.propose(each, new Carrying()));
  }

  /**
   * Asks others for a message, one at a time: it may be one that nobody is to deliver for long, who
   * would find out that it is lost here.
   */
  private void askFor(long ordinal, long nowNs) {
    LOG.debug("TOPIC({}): message {} cannot be read", topic.name(), ordinal);
    if (!missing.has(ordinal)) {
      missing.clear();
    }
    if (missing.lost(ordinal, ordinal + 1) == ChannelAccount.LEFT) {
      // All have lost it.
      pause(nowNs);
    }
  }

  /** The topic is no more, or not led here: what was asked for is nobody's. */
  void forget() {
    missing.clear();
  }

  private static boolean read(JournalCursor cursor, Unfinished message, MessageView to)
      throws IOException {
    if (message.copy() != null) {
      return cursor.read(message.copy(), to);
    }
    long ordinal = message.ordinal();
    if (cursor.nextOrdinal() > ordinal || ordinal - cursor.nextOrdinal() > MAX_PASSED) {
      cursor.moveTo(ordinal);
    }
    boolean found = cursor.next(to, ordinal + 1);
    while (found && to.ordinal() < ordinal) {
      found = cursor.next(to, ordinal + 1);
    }
    return found;
  }

  private void pause(long nowNs) {
    pausedNs = nowNs;
    isPausing = true;
  }

  /** Of an entry: who it concerns sees it applied. */
  private final class Carrying implements Proposal {
    @Override
    public void applied(long index) {
      turn.done();
    }

    @Override
    public void refused(String reason) {
      LOG.debug("TOPIC({}): not carried: {}", topic.name(), reason);
      pause(context.channelSettings().clock().nanos());
      turn.done();
    }

    @Override
    public void unknown(String reason) {
      // The term is over.
      turn.done();
    }
  }
}
