package io.holdfast.broker.queue;

import io.holdfast.storage.journal.ChronicleJournal;
import java.io.IOException;
import java.nio.file.Path;

/** How a topic ends: with the broker, deleted, or for want of channels. Workers. */
final class TopicEnd {
  private final String name;
  private final TopicContext context;
  private final TopicState state;
  private final ChronicleJournal journal;
  private final GuidFactory guids;
  private final TopicChannels channels;
  private final TopicUpkeep upkeep;

  /** Whether its memory was given back. Under the admin lock. */
  private boolean released;

  TopicEnd(
      String name,
      TopicContext context,
      TopicState state,
      ChronicleJournal journal,
      GuidFactory guids,
      TopicChannels channels,
      TopicUpkeep upkeep) {
    this.name = name;
    this.context = context;
    this.state = state;
    this.journal = journal;
    this.guids = guids;
    this.channels = channels;
    this.upkeep = upkeep;
  }

  /** See {@link Topic#exit}. */
  void exit(boolean deleting) throws IOException {
    if (state.log != null) {
      exitShared(deleting);
      return;
    }
    Path removed;
    synchronized (state.admin) {
      if (!state.beginExit(deleting)) {
        return;
      }
      if (deleting) {
        retireIds();
      }
      removed = upkeep.keepingFiles(() -> close(deleting));
    }
    context.dataDir().remove(removed);
  }

  private void exitShared(boolean deleting) throws IOException {
    if (deleting) {
      state.log.delete();
      return;
    }
    synchronized (state.lock) {
      endShared(false);
    }
  }

  /**
   * Ends a topic that other brokers share, whose files are not its own: nothing is written. Under
   * the topic's lock.
   *
   * @param deleting whether it ends with all brokers; otherwise it is somebody else's from now on
   */
  void endShared(boolean deleting) {
    if (!state.beginExit(deleting)) {
      return;
    }
    channels.end(deleting);
    release();
    state.deleted = true;
  }

  /**
   * Before the directory goes: a topic of the same name that is made after a crash must not give
   * out this one's ids again. When that cannot be written the topic stays. Under the admin lock.
   */
  private void retireIds() throws IOException {
    boolean done = false;
    try {
      context.retireIds(guids.idBase() + journal.nextOrdinal());
      done = true;
    } finally {
      if (!done) {
        state.cancelExit();
      }
    }
  }

  /**
   * Deletes an ephemeral topic if it has no channel.
   *
   * @return whether it did
   */
  boolean exitUnused() throws IOException {
    synchronized (state.admin) {
      if (state.exiting || !channels.isEmpty()) {
        return false;
      }
      exit(true);
      return true;
    }
  }

  private void release() {
    if (!released) {
      released = true;
      context.channelSettings().memory().topicClosed();
    }
  }

  private Path close(boolean deleting) throws IOException {
    channels.exit(deleting);
    synchronized (state.lock) {
      journal.close();
    }
    release();
    if (!deleting) {
      return null;
    }
    channels.clear();
    Path removed = context.dataDir().markTopicDeleted(name);
    state.deleted = true;
    return removed;
  }
}
