package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import io.holdfast.storage.journal.JournalCursor;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;

/**
 * About how many bytes of bodies the newest messages of a topic have: of those published since the
 * start to within a thousandth of them, of older ones by the average of some that are read. The
 * topic's lock guards it.
 */
final class BodyBytes {
  private static final int SAMPLES = 1024;

  // Of older messages so many are read, at so many places.
  private static final int READ = 8;
  private static final int PLACES = 64;

  // Sample i: so many bytes were published before that ordinal, counted from the start.
  private final long[] ordinals = new long[SAMPLES];
  private final long[] totals = new long[SAMPLES];
  private int count;
  private long total;

  /** One above the last message. */
  private long end;

  /** Messages between two samples. */
  private long step = 1;

  /** Bytes of a message before the first sample. */
  private final double olderBytes;

  /**
   * @param next the first ordinal to be published
   * @param olderBytes of a message published before, on average
   */
  BodyBytes(long next, double olderBytes) {
    this.olderBytes = olderBytes;
    ordinals[0] = next;
    end = next;
    count = 1;
  }

  /** Of a topic that has messages already; reads some of them. */
  static BodyBytes of(Journal journal) throws IOException {
    long end = journal.nextOrdinal();
    MessageView view = new MessageView();
    long bytes = 0;
    long count = 0;
    try (JournalCursor cursor = journal.cursor()) {
      long first = journal.firstOrdinal();
      long apart = Math.max(READ, (end - first) / PLACES);
      for (long at = first; at < end; at += apart) {
        cursor.moveTo(at);
        for (int i = 0; i < READ && cursor.next(view, end); i++) {
          bytes += view.body().remaining();
          count++;
        }
      }
    }
    return new BodyBytes(end, count == 0 ? 1 : Math.max(1, (double) bytes / count));
  }

  /** Messages were published, up to an ordinal. */
  void published(long endOrdinal, long bytes) {
    total += bytes;
    end = endOrdinal;
    if (endOrdinal - ordinals[count - 1] >= step) {
      if (count == SAMPLES) {
        thin();
      }
      ordinals[count] = endOrdinal;
      totals[count++] = total;
    }
  }

  /** Every other sample goes; the next ones are twice as far apart. */
  private void thin() {
    int kept = 0;
    for (int i = 0; i < count; i += 2) {
      ordinals[kept] = ordinals[i];
      totals[kept++] = totals[i];
    }
    count = kept;
    step = Math.max(step * 2, (ordinals[count - 1] - ordinals[0]) / SAMPLES);
  }

  /** Bytes of the newest messages, so many before an end. */
  long ofNewest(long messages, long endOrdinal) {
    return total - before(endOrdinal - messages);
  }

  private long before(long ordinal) {
    if (ordinal <= ordinals[0]) {
      return (long) (-olderBytes * (ordinals[0] - ordinal));
    }
    int low = 0;
    int high = count - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (ordinals[middle] <= ordinal) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    boolean isLast = low == count - 1;
    long nextOrdinal = isLast ? end : ordinals[low + 1];
    long nextTotal = isLast ? total : totals[low + 1];
    if (ordinal >= nextOrdinal) {
      return nextTotal;
    }
    double part = (double) (ordinal - ordinals[low]) / (nextOrdinal - ordinals[low]);
    return totals[low] + (long) (part * (nextTotal - totals[low]));
  }

  /** How many of the newest messages before an end have at most so many bytes. */
  long fitting(long bytes, long endOrdinal, long most) {
    long low = 0;
    long high = most;
    while (low < high) {
      long middle = (low + high + 1) >>> 1;
      if (ofNewest(middle, endOrdinal) <= bytes) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
}
