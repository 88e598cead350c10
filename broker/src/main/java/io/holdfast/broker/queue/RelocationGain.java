package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import java.util.concurrent.TimeUnit;

/**
 * Says when the unfinished messages of a topic's oldest journal file are worth being copied to the
 * journal's head, so that the file can go: only when the finished ones take at least as many bytes
 * as the unfinished ones of the whole topic, so that on average a message is copied no more often
 * than as many bytes are given back (log-structured cleaning, Rosenblum and Ousterhout 1991).
 *
 * <p>Housekeeping thread.
 */
public final class RelocationGain {
  /** What a message takes beside its body. */
  public static final long RECORD_BYTES = 56;

  /** After a look that found nothing to do it looks again after this time, or with more to gain. */
  private static final long LOOK_AGAIN_NS = TimeUnit.SECONDS.toNanos(10);

  private static final int GAIN_PART = 4;

  private final long slackBytes;

  // When it last looked in vain, and what seemed to be gained then.
  private long lookedNs;
  private long lookedBytes = -1;

  /**
   * @param slackBytes finished bytes that may stay in any case: one journal file
   */
  public RelocationGain(long slackBytes) {
    this.slackBytes = slackBytes;
  }

  /**
   * Twice as many bytes as there may be unfinished ones in files before the backlog's.
   *
   * @param oldest file that is to go
   * @param backlogFile what it has, and newer ones, is counted as unfinished
   * @return 0 or less when nothing is to be gained
   */
  public long spareBytes(Journal journal, int oldest, int backlogFile) {
    return journal.diskBytesAfter(oldest - 1)
        - 2 * journal.diskBytesAfter(backlogFile)
        - slackBytes;
  }

  /**
   * Whether it is time to look at the messages.
   *
   * @param nowNs monotonic
   */
  public boolean isDue(long spareBytes, long nowNs) {
    boolean lookedJustNow = lookedBytes >= 0 && nowNs - lookedNs < LOOK_AGAIN_NS;
    return spareBytes > 0 && (!lookedJustNow || spareBytes >= lookedBytes + slackBytes / GAIN_PART);
  }

  /** It was looked at; whatever came of it, what it cost is not to be paid at each turn. */
  public void looked(long spareBytes, long nowNs) {
    lookedNs = nowNs;
    lookedBytes = spareBytes;
  }

  /** The messages are copied: the next file may be looked at. */
  public void copied() {
    lookedBytes = -1;
  }

  /** Whether so many unfinished bytes are few enough. */
  public static boolean pays(long unfinishedBytes, long spareBytes) {
    return 2 * unfinishedBytes < spareBytes;
  }
}
