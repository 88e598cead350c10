package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.state.Entries;
import io.holdfast.broker.policy.TopicPolicy;
import io.holdfast.broker.queue.TopicContext;
import io.holdfast.storage.journal.ChronicleJournal;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * From which message on a topic's finished messages are to stay: its leader decides by its policy
 * and clock, and the log tells the others. Stateless.
 */
final class Retained {
  private Retained() {}

  /**
   * What is to be said, if anything. Reads files: housekeeping.
   *
   * @param known what was said last
   * @param policy the topic's
   * @return an ordinal or {@link Entries#NONE}; the known one while no file would go for another
   */
  static long from(ChronicleJournal journal, long known, TopicPolicy policy, TopicContext context)
      throws IOException {
    long forMs = policy.retainForMs() < 0 ? context.retentionMs() : policy.retainForMs();
    long bytes = policy.retainBytes();
    if (forMs == 0 && bytes == 0) {
      return Entries.NONE;
    }
    // With both bounds a file goes for either.
    long from = 0;
    if (forMs > 0) {
      long sinceMs = context.channelSettings().clock().steadyMs() - forMs;
      from = journal.ordinalAt(TimeUnit.MILLISECONDS.toNanos(sinceMs));
    }
    if (bytes > 0) {
      from = Math.max(from, newest(journal, bytes));
    }
    boolean isWorthIt = known == Entries.NONE || journal.fileOf(from) != journal.fileOf(known);
    return isWorthIt ? from : known;
  }

  /** With what the first of the newest files begins that take so many bytes. */
  private static long newest(ChronicleJournal journal, long bytes) throws IOException {
    List<Integer> numbers = journal.fileNumbers();
    List<Long> firsts = List.copyOf(journal.files().values());
    for (int i = Math.min(numbers.size(), firsts.size()) - 1; i > 0; i--) {
      if (journal.diskBytesAfter(numbers.get(i - 1)) >= bytes && firsts.get(i) >= 0) {
        return firsts.get(i);
      }
    }
    return 0;
  }
}
