package io.holdfast.storage;

import java.util.Iterator;
import java.util.List;

/** The backend of an {@code #ephemeral} channel: keeps nothing, and counts what it drops. */
public final class DummyBackend implements BackendQueue {
  private long dropped;

  @Override
  public boolean isCaughtUp() {
    return true;
  }

  @Override
  public void put(Batch batch, int inMemory) {
    dropped += batch.count() - inMemory;
  }

  @Override
  public void extend(long newEnd) {
    // The topic reads the journal for it.
  }

  @Override
  public void skipTo(long ordinal) {
    // It has no account of ordinals.
  }

  @Override
  public void putHeld(Batch batch, List<HeldMessage> messages) {
    // The channel has them.
  }

  @Override
  public long depth() {
    return 0;
  }

  @Override
  public boolean poll(MessageView to) {
    return false;
  }

  @Override
  public boolean read(MessageRef ref, MessageView to) {
    return false;
  }

  @Override
  public boolean keepsBodies() {
    return false;
  }

  @Override
  public void finish(OrdinalRanges ranges) {
    // Nobody will ask.
  }

  @Override
  public void deliver(OrdinalRanges ranges) {
    // Nobody will ask.
  }

  @Override
  public void hold(List<HeldMessage> messages) {
    // The channel has them.
  }

  @Override
  public void empty() {
    // Nothing is kept.
  }

  @Override
  public long unreadable() {
    return 0;
  }

  @Override
  public long dropped() {
    return dropped;
  }

  @Override
  public long neededFrom() {
    return Long.MAX_VALUE;
  }

  @Override
  public boolean isBehind() {
    return false;
  }

  @Override
  public int pinnedFile() {
    return Integer.MAX_VALUE;
  }

  @Override
  public long backlogFrom() {
    return Long.MAX_VALUE;
  }

  @Override
  public void carry(List<HeldMessage> messages) {
    // Nothing is read from the journal.
  }

  @Override
  public boolean hasUnforcedCarried() {
    return false;
  }

  @Override
  public void carriedForced() {
    // Nothing is on the disk.
  }

  @Override
  public boolean wantsCheckpoint() {
    return false;
  }

  @Override
  public void checkpoint(Iterator<HeldMessage> held) {
    // Nothing survives a restart.
  }

  @Override
  public void force() {
    // Nothing on disk.
  }

  @Override
  public void removeOldFiles() {
    // No files.
  }

  @Override
  public void filesRemoved() {
    // No files.
  }

  @Override
  public void journalFilesRemoved() {
    // No files.
  }

  @Override
  public int diskFiles() {
    return 0;
  }

  @Override
  public long diskBytes() {
    return 0;
  }

  @Override
  public void closeIdle() {
    // No files.
  }

  @Override
  public void close() {
    // No files.
  }
}
