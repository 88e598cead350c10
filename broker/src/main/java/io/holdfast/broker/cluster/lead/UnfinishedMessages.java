package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.state.ReplicatedChannel;
import io.holdfast.broker.cluster.state.ReplicatedTopic;
import io.holdfast.broker.queue.RelocationGain;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.journal.ChronicleJournal;
import io.holdfast.storage.ledger.FinishedSet;
import io.holdfast.storage.values.CarriedMessage;
import io.holdfast.storage.values.MessageRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.roaringbitmap.longlong.PeekableLongIterator;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * Which messages of a topic's older journal files are not finished, as the state has it, and about
 * how many bytes they take. Housekeeping thread.
 */
final class UnfinishedMessages {
  private final ReplicatedTopic topic;
  private final ChronicleJournal journal;
  private final int oldest;
  private final int backlogFile;

  /** Files by their first message. */
  private final TreeMap<Long, Integer> files = new TreeMap<>();

  /** With what the first file begins that is newer than the oldest one. */
  private long behindOldest = Long.MAX_VALUE;

  private final List<Unfinished> inOldest = new ArrayList<>();
  private long bytesInOldest;
  private long bytesElsewhere;

  /**
   * A message.
   *
   * @param copy where its copy stands; null for one that stands in its own record
   */
  record Unfinished(long ordinal, MessageRef copy) {}

  private UnfinishedMessages(ReplicatedTopic topic, int oldest, int backlogFile) {
    this.topic = topic;
    this.oldest = oldest;
    this.backlogFile = backlogFile;
    journal = topic.journal();
  }

  /**
   * Finds them; holds the topic's lock for a while.
   *
   * @param end below this ordinal
   * @param oldest file that is to go
   * @param backlogFile copies in this one, and in newer ones, do not count
   * @param max how many at most
   * @return null when there are more
   */
  static UnfinishedMessages find(
      ReplicatedTopic topic, long end, int oldest, int backlogFile, int max) throws IOException {
    UnfinishedMessages found = new UnfinishedMessages(topic, oldest, backlogFile);
    found.noteFiles();
    Map<Integer, Integer> counts = new HashMap<>();
    synchronized (topic.lock()) {
      Roaring64Bitmap ordinals = found.ordinals(end, max);
      if (ordinals == null) {
        return null;
      }
      for (PeekableLongIterator each = ordinals.getLongIterator(); each.hasNext(); ) {
        found.add(each.next(), counts);
      }
    }
    for (Map.Entry<Integer, Integer> count : counts.entrySet()) {
      found.count(count.getKey(), count.getValue() * found.averageBytes(count.getKey()));
    }
    return found;
  }

  private void count(int file, long bytes) {
    if (file <= oldest) {
      bytesInOldest += bytes;
    } else if (file < backlogFile) {
      bytesElsewhere += bytes;
    }
  }

  private void noteFiles() throws IOException {
    List<Integer> numbers = journal.fileNumbers();
    List<Long> firsts = List.copyOf(journal.files().values());
    for (int i = 0; i < Math.min(numbers.size(), firsts.size()); i++) {
      if (firsts.get(i) >= 0) {
        files.put(firsts.get(i), numbers.get(i));
        if (numbers.get(i) > oldest) {
          behindOldest = Math.min(behindOldest, firsts.get(i));
        }
      }
    }
  }

  private Roaring64Bitmap ordinals(long end, int max) {
    Roaring64Bitmap ordinals = new Roaring64Bitmap();
    long looks = 0;
    for (ReplicatedChannel channel : topic.channels()) {
      FinishedSet finished = channel.state().finished();
      long channelEnd = Math.min(end, topic.endOf(channel));
      long at = finished.nextAbsent(finished.floor());
      while (at < channelEnd) {
        long to = Math.min(channelEnd, finished.nextPresent(at));
        looks += to - at;
        if (looks > max) {
          return null;
        }
        ordinals.addRange(at, to);
        at = finished.nextAbsent(to);
      }
    }
    return ordinals;
  }

  private void add(long ordinal, Map<Integer, Integer> counts) {
    if (journal.skipped().overlap(ordinal, ordinal + 1) > 0) {
      // A channel of a topic that is paused has still to pass it.
      return;
    }
    CarriedMessage carried = topic.carried(ordinal);
    if (carried == null) {
      Map.Entry<Long, Integer> file = files.floorEntry(ordinal);
      counts.merge(file == null ? oldest : file.getValue(), 1, Integer::sum);
      if (ordinal < behindOldest) {
        inOldest.add(new Unfinished(ordinal, null));
      }
      return;
    }
    MessageRef place = carried.place();
    count(place.file(), place.bodyLength() + RelocationGain.RECORD_BYTES);
    if (place.file() <= oldest) {
      inOldest.add(new Unfinished(ordinal, place));
    }
  }

  /** What a message of a file takes. */
  private long averageBytes(int file) throws IOException {
    for (Map.Entry<Long, Integer> each : files.entrySet()) {
      if (each.getValue() == file) {
        Long next = files.higherKey(each.getKey());
        long end = next == null ? journal.nextOrdinal() : next;
        long messages = Math.max(1, end - each.getKey());
        return DurableFiles.allocatedBytes(journal.file(file)) / messages;
      }
    }
    return 0;
  }

  /** Those that the oldest file has, by ordinal: all that keeps it. */
  List<Unfinished> inOldest() {
    return inOldest;
  }

  /** How many of them have no copy yet. */
  int withoutCopy() {
    return (int) inOldest.stream().filter(each -> each.copy() == null).count();
  }

  /** About how many bytes those take that the oldest file has. */
  long bytesInOldest() {
    return bytesInOldest;
  }

  /** About how many bytes the others take. */
  long bytesElsewhere() {
    return bytesElsewhere;
  }
}
