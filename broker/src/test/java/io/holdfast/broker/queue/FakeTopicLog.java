package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Batch;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.ChannelAccount;
import io.holdfast.storage.ledger.LedgerState;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A topic that several brokers share, of which there is one, and a log that agrees to everything:
 * at once, or for publishes when it is told. One thread.
 */
final class FakeTopicLog implements TopicLog, AutoCloseable {
  static final String NAME = "shared";

  /** What a channel wrote down. */
  static final class Account implements ChannelAccount {
    final List<String> records = new ArrayList<>();
    boolean congested;
    long epoch;

    @Override
    public void finish(OrdinalRanges ranges) {
      add("FINISH", ranges);
    }

    @Override
    public void deliver(OrdinalRanges ranges) {
      add("DELIVER", ranges);
    }

    private void add(String what, OrdinalRanges ranges) {
      for (int i = 0; i < ranges.count(); i++) {
        records.add(what + " " + ranges.from(i) + "-" + ranges.to(i));
      }
    }

    @Override
    public void hold(List<HeldMessage> messages) {
      for (HeldMessage message : messages) {
        records.add("HOLD " + message.ref().ordinal() + " x" + message.ref().attempts());
      }
    }

    @Override
    public boolean isShared() {
      return true;
    }

    @Override
    public long lost(long ordinal, long end) {
      records.add("LOST " + ordinal + "-" + end);
      return LEFT;
    }

    @Override
    public boolean isCongested() {
      return congested;
    }

    @Override
    public void begin(long newEpoch) {
      epoch = newEpoch;
    }
  }

  private final Object lock = new Object();
  private final Deque<Runnable> underWay = new ArrayDeque<>();
  private final ChronicleJournal journal;
  private final SharedTopic shared;
  final Map<String, Account> accounts = new TreeMap<>();

  /** What was asked for, but for publishes. */
  final List<String> asked = new ArrayList<>();

  /** Whether publishes wait for {@link #agree}. */
  boolean holds;

  /** Why nothing more is agreed on, null when it is. */
  String refusal;

  private long keptFrom;

  FakeTopicLog(SimulatedBroker broker, Path dir) throws IOException {
    journal =
        new ChronicleJournal(
            Files.createDirectories(dir), broker.storageOptions(false), broker.syncThread());
    synchronized (lock) {
      shared =
          SharedTopic.open(
              new SharedTopic.Parts(NAME, 1000, 900, journal, lock, this, 0, false, Map.of()),
              broker);
    }
  }

  Topic topic() {
    return shared.topic();
  }

  ChronicleJournal journal() {
    return journal;
  }

  /** All that waits is agreed on. */
  void agree() {
    while (!underWay.isEmpty()) {
      underWay.remove().run();
    }
  }

  /** Somebody else leads from now on. */
  void lose() {
    synchronized (lock) {
      shared.end(false);
    }
  }

  private void decide(String what) throws IOException {
    if (refusal != null) {
      throw new SharedLogException(refusal, false);
    }
    asked.add(what);
  }

  @Override
  public void publish(
      ByteBuffer section, int count, long deferMs, long timeNs, PublishListener listener) {
    if (refusal != null) {
      listener.onRefused(refusal);
      return;
    }
    byte[] copy = new byte[section.remaining()];
    section.duplicate().get(copy);
    underWay.add(
        () -> {
          Batch batch = new Batch(ByteBuffer.wrap(copy), count, deferMs, timeNs);
          synchronized (lock) {
            try {
              journal.append(batch);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
            shared.published(batch);
          }
          listener.onDurable();
        });
    if (!holds) {
      agree();
    }
  }

  @Override
  public void dropKept(long first) {
    asked.add("drop kept to " + first);
    keptFrom = first;
    underWay.add(
        () -> {
          synchronized (lock) {
            shared.emptied(first);
          }
        });
  }

  @Override
  public void createChannel(String channel, long from) throws IOException {
    decide("create " + channel + " at " + from);
    synchronized (lock) {
      long begin = keptFrom < 0 ? journal.nextOrdinal() : keptFrom;
      Account account = new Account();
      accounts.put(channel, account);
      LedgerState state = new LedgerState(from == BY_RULE ? begin : from);
      if (!topic().isPaused()) {
        keptFrom = KeptBack.NOTHING;
      }
      shared.channelCreated(new SharedChannel(channel, state, account, false, Map.of()), keptFrom);
    }
  }

  /** There was this channel before. */
  void adopt(String channel, LedgerState state) throws IOException {
    synchronized (lock) {
      Account account = new Account();
      accounts.put(channel, account);
      keptFrom = KeptBack.NOTHING;
      shared.adopt(new SharedChannel(channel, state, account, false, Map.of()));
    }
  }

  @Override
  public void deleteChannel(String channel) throws IOException {
    decide("delete " + channel);
    synchronized (lock) {
      accounts.remove(channel);
      keptFrom = accounts.isEmpty() ? journal.nextOrdinal() : keptFrom;
      shared.channelDeleted(channel, keptFrom);
    }
  }

  @Override
  public void delete() throws IOException {
    decide("delete");
    synchronized (lock) {
      shared.end(true);
    }
  }

  @Override
  public void pause(boolean on) throws IOException {
    decide("pause " + on);
    synchronized (lock) {
      if (on && keptFrom < 0) {
        keptFrom = journal.nextOrdinal();
      } else if (!on && !accounts.isEmpty()) {
        keptFrom = KeptBack.NOTHING;
      }
      shared.paused(on, keptFrom);
    }
  }

  @Override
  public void empty() throws IOException {
    decide("empty");
    synchronized (lock) {
      keptFrom = keptFrom < 0 ? keptFrom : journal.nextOrdinal();
      shared.emptied(keptFrom);
    }
  }

  @Override
  public void setPolicy(Map<String, String> byHand) throws IOException {
    decide("policy " + byHand);
    synchronized (lock) {
      shared.policyChanged(byHand);
    }
  }

  @Override
  public void pauseChannel(String channel, boolean on) throws IOException {
    decide("pause " + channel + " " + on);
    synchronized (lock) {
      shared.channelPaused(channel, on);
    }
  }

  @Override
  public void emptyChannel(String channel) throws IOException {
    decide("empty " + channel);
    move(channel, journal.nextOrdinal());
  }

  @Override
  public void rewindChannel(String channel, long first) throws IOException {
    decide("rewind " + channel + " to " + first);
    move(channel, first);
  }

  private void move(String channel, long first) throws IOException {
    synchronized (lock) {
      LedgerState state = new LedgerState(first);
      shared.channelMoved(channel, state, accounts.get(channel).epoch + 1);
    }
  }

  @Override
  public void setChannelPolicy(String channel, Map<String, String> byHand) throws IOException {
    decide("policy of " + channel + " " + byHand);
    synchronized (lock) {
      shared.channelPolicyChanged(channel, byHand);
    }
  }

  @Override
  public void close() throws IOException {
    lose();
    synchronized (lock) {
      journal.close();
    }
  }
}
