package io.holdfast.storage.ledger;

import io.holdfast.storage.values.HeldMessage;
import io.holdfast.storage.values.MessageView;
import io.holdfast.storage.values.OrdinalRanges;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;

/**
 * Where a {@code ChronicleBackend} writes down what becomes of its channel's messages: {@link
 * Ledger}, a log that several brokers share, or {@link #NONE} for a channel of which nothing is to
 * survive the process.
 *
 * <p>The channel's lock guards everything but the forcing of files.
 */
public interface ChannelAccount {
  /** The channel has messages: what is to be known of it when they are lost is written down. */
  default void hasMessages() throws IOException {
    // Nobody will ask.
  }

  /** These messages are finished. */
  default void finish(OrdinalRanges ranges) throws IOException {
    // Nobody will ask.
  }

  /** What {@link #lost} says: nobody has the message, so it is finished. */
  long GONE = 0;

  /** What {@link #lost} says: it stays unfinished, and nothing here will have it. */
  long LEFT = -1;

  /** What {@link #lost} says: too many are being looked for, ask again later. */
  long NO_ROOM = -2;

  /** Whether others have the messages, too, on disks of their own. */
  default boolean isShared() {
    return false;
  }

  /**
   * A message cannot be read here any more. Any other channel of the journal has lost it too, but
   * not those who share the topic: they are asked for it.
   *
   * @param end none from the message on and below this can be read
   * @return when to look for it again ({@link #readCopy}), ms; or {@link #GONE}, {@link #LEFT},
   *     {@link #NO_ROOM}
   */
  default long lost(long ordinal, long end) {
    return GONE;
  }

  /** Whether a message is known to be lost here: there is no use in reading it. */
  default boolean isLost(long ordinal) {
    return false;
  }

  /**
   * A lost message as others have it, once.
   *
   * @return false when it has not come
   */
  default boolean readCopy(long ordinal, MessageView to) {
    return false;
  }

  /** These messages went out for the first time. */
  default void deliver(OrdinalRanges ranges) throws IOException {
    // Nobody will ask.
  }

  /** Attempts and due times of messages that wait outside the backend. */
  default void hold(List<HeldMessage> messages) throws IOException {
    // Nobody will ask.
  }

  /** Everything below an ordinal was dropped. */
  default void empty(long floor) throws IOException {
    // Nobody will ask.
  }

  /** See {@link Ledger#checkpoint}. */
  default void checkpoint(
      FinishedSet finished, long end, Iterator<HeldMessage> held, FinishedSet delivered)
      throws IOException {
    // Nobody will ask.
  }

  /** See {@link Ledger#rewind}. */
  default void rewind(FinishedSet finished, long end, Iterator<HeldMessage> held, long first)
      throws IOException {
    // Nobody will ask.
  }

  /**
   * The channel begins anew: what is written from now on counts for that, and what was written
   * before does not.
   *
   * @param epoch higher than before
   */
  default void begin(long epoch) {
    // What nobody will ask for has no order.
  }

  /** Whether so much waits to be written that nothing is to be delivered now. */
  default boolean isCongested() {
    return false;
  }

  /** Whether something could not be written, until a checkpoint succeeds. */
  default boolean isBehind() {
    return false;
  }

  /** Whether anything was written since the last checkpoint. */
  default boolean isDirty() {
    return false;
  }

  /** Whether a checkpoint would pay. */
  default boolean wantsCheckpoint() {
    return false;
  }

  /** See {@link Ledger#onFormat2}. */
  default void onFormat2(Runnable told) {
    // It has no records.
  }

  /** Waits until everything is on disk; without the channel's lock. */
  default void force() throws IOException {
    // Nothing is on disk.
  }

  /** See {@link Ledger#removeOldFiles}. */
  default void removeOldFiles() throws IOException {
    // No files.
  }

  /** Bytes that all files take on the disk. */
  default long diskBytes() {
    return 0;
  }

  /** Number of files. */
  default int diskFiles() {
    return 0;
  }

  /** See {@code Journal.giveBackHoles}. */
  default void giveBackHoles() throws IOException {
    // No files.
  }

  /** Closes the files until the next record. */
  default void closeIdle() {
    // No files.
  }

  /** Closes the files. */
  default void close() {
    // No files.
  }

  /** Of an {@code #ephemeral} channel: writes nothing. */
  ChannelAccount NONE = new ChannelAccount() {};
}
