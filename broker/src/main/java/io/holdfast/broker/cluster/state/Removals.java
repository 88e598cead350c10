package io.holdfast.broker.cluster.state;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * What is to go from the disk and may not yet: journal files that nobody needs, deleted topics.
 * Whatever the last finished snapshot has listed stays in place, for a start begins with that; so
 * what a snapshot leaves out goes when that one, or a later one, is finished. Any thread.
 */
final class Removals {
  /** Of snapshots that were begun; one that failed leaves what it was to free to the next one. */
  private static final int MAX_PENDING = 4;

  @GuardedBy("this")
  private List<ReplicatedTopic> deleted = new ArrayList<>();

  @GuardedBy("this")
  private final Deque<Pending> pending = new ArrayDeque<>();

  /** Files of a topic that is there. */
  record OldFiles(ReplicatedTopic topic, List<Integer> numbers) {}

  /** What may go when the snapshot of an index is finished. */
  private record Pending(long index, List<OldFiles> files, List<ReplicatedTopic> topics) {}

  /** A topic is gone from the state; its directory is to go. */
  synchronized void deleted(ReplicatedTopic topic) {
    deleted.add(topic);
  }

  /**
   * A snapshot is being made.
   *
   * @param files which it does not have
   */
  synchronized void snapshotBegins(long index, List<OldFiles> files) {
    List<ReplicatedTopic> topics = deleted;
    deleted = new ArrayList<>();
    if (pending.size() == MAX_PENDING) {
      topics.addAll(pending.removeFirst().topics());
    }
    pending.addLast(new Pending(index, files, topics));
  }

  /** A snapshot is finished; takes out what may go now. */
  private synchronized List<Pending> take(long index) {
    List<Pending> taken = new ArrayList<>();
    while (!pending.isEmpty() && pending.peekFirst().index() <= index) {
      taken.add(pending.removeFirst());
    }
    return taken;
  }

  /**
   * Removes what no finished snapshot needs.
   *
   * @param index of the last finished one
   * @throws IOException when something could not be removed: it is tried again with the next one
   */
  void snapshotFinished(long index, TopicDirs dirs, GroupObserver observer) throws IOException {
    IOException failed = null;
    for (Pending old : take(index)) {
      for (OldFiles files : old.files()) {
        try {
          removeFiles(files);
        } catch (IOException e) {
          // The next snapshot has it no more than this one.
          failed = e;
        }
        observer.filesRemoved(files.topic());
      }
      for (ReplicatedTopic topic : old.topics()) {
        try {
          dirs.delete(topic.name(), topic.number());
        } catch (IOException e) {
          deleted(topic);
          failed = e;
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  private static void removeFiles(OldFiles files) throws IOException {
    for (int number : files.numbers()) {
      files.topic().journal().removeFile(number);
    }
  }

  /** Another snapshot takes the place of everything, and says itself what there is. */
  synchronized void clear() {
    deleted.clear();
    pending.clear();
  }
}
