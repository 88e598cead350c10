package io.holdfast.broker.queue;

import io.holdfast.storage.topic.BackendQueue;
import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * What a channel tells its ledger: it gathers what becomes of messages in one turn and writes it as
 * few records. Memory is ahead: when the disk refuses, memory stays right and the next checkpoint
 * makes up for it; a crash before that delivers the messages once more. The channel's lock guards
 * it.
 */
final class ChannelLedger {
  /** What is kept of the list between turns. */
  private static final int KEPT = 256;

  private final String topicName;
  private final String name;
  private final ChannelSettings settings;
  private final BackendQueue backend;

  // What became of messages in this turn: finished, not to be read any more, delivered for the
  // first time, and whose attempts or due times have changed.
  private final OrdinalRanges finished = new OrdinalRanges();
  private final OrdinalRanges lost = new OrdinalRanges();
  private final OrdinalRanges delivered = new OrdinalRanges();
  private List<HeldMessage> held = new ArrayList<>();

  /** What was written so far, or tried to. */
  private long writes;

  private boolean closed;

  ChannelLedger(String topicName, String name, ChannelSettings settings, BackendQueue backend) {
    this.topicName = topicName;
    this.name = name;
    this.settings = settings;
    this.backend = backend;
  }

  // ---------------------------------------------------------------- one turn

  /** The messages found lost in this turn, for {@link ReadyMessages#poll} to add to. */
  OrdinalRanges lost() {
    return lost;
  }

  /** A message is finished. */
  void finished(long ordinal) {
    finished.add(ordinal);
  }

  /** A message goes out; its attempts say how often it did. */
  void delivered(Message message) {
    if (message.packedAttempts() == 1) {
      delivered.add(message.ordinal());
    } else {
      held.add(new HeldMessage(message, 0));
    }
  }

  /**
   * A message came back.
   *
   * @param delayMs until it is ready; 0 when it is
   */
  void cameBack(Message message, long delayMs) {
    held.add(
        delayMs == 0
            ? new HeldMessage(message, 0)
            : HeldMessage.after(message, delayMs, settings.clock().wallMs()));
  }

  /**
   * A message died.
   *
   * @param diedMs ms since 1970
   */
  void died(Message message, long diedMs, HeldMessage.Mark mark) {
    held.add(HeldMessage.dead(message, diedMs, mark));
  }

  /**
   * Writes what this turn has gathered. Before frames go out, so that attempts survive a crash,
   * too.
   */
  void write() {
    if (!closed) {
      if (!delivered.isEmpty()) {
        record(() -> backend.deliver(delivered));
      }
      if (!held.isEmpty()) {
        record(() -> backend.hold(held));
      }
      // Last: a dead letter may be given up in the turn in which it died.
      if (!finished.isEmpty()) {
        record(() -> backend.finish(finished));
      }
      if (!lost.isEmpty()) {
        record(() -> backend.finish(lost));
      }
    }
    finished.clear();
    lost.clear();
    delivered.clear();
    if (held.size() > KEPT) {
      held = new ArrayList<>();
    } else {
      held.clear();
    }
  }

  // ---------------------------------------------------------------- other records

  /** Something that is written to the backend. */
  interface Write {
    /** Writes it. */
    void run() throws IOException;
  }

  /** How often something was written, or tried to: a change of it is what housekeeping sees. */
  long writes() {
    return writes;
  }

  /** Writes something; a failure is reported. */
  void record(Write write) {
    writes++;
    try {
      write.run();
    } catch (IOException e) {
      failed(e);
    }
  }

  /** Reports that the disk refused. */
  void failed(IOException cause) {
    settings.diskErrors().failed("CHANNEL(" + name + ") of TOPIC(" + topicName + ")", cause);
  }

  /**
   * Writes that messages were dropped, which memory has done already, and tells whoever asked for
   * it: on a full disk it is on the way to free space, and gets the room that is kept back for
   * that.
   *
   * @param messages every message with attempts or a due time that is left
   */
  void recordDropped(Write write, Iterable<HeldMessage> messages) throws IOException {
    writes++;
    try {
      write.run();
    } catch (IOException e) {
      if (!settings.diskErrors().makeRoom(e)) {
        throw e;
      }
      // Memory has dropped them, the ledger is behind.
      backend.checkpoint(messages.iterator());
    }
  }

  /**
   * Sums up what is known, the first of two phases; {@link BackendQueue#removeOldFiles}, without
   * the lock, is the second.
   *
   * @param messages every message with attempts or a due time
   */
  void checkpoint(Iterator<HeldMessage> messages) {
    record(() -> backend.checkpoint(messages));
  }

  /** See {@link BackendQueue#isCongested}. */
  boolean isCongested() {
    return backend.isCongested();
  }

  /** Nothing is written any more. */
  void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }
}
