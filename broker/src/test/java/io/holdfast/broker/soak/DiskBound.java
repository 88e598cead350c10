package io.holdfast.broker.soak;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Whether the journal of a topic keeps to its bound while stragglers are left unfinished: 2 x live
 * bytes + 2 files. Live is what was answered OK and some channel has not finished. A file is {@code
 * max_bytes_per_file}, what the record that fills it goes beyond, and the blocks reserved ahead.
 * Used by one thread.
 */
final class DiskBound {
  /** 1 MiB, an eighth of it reserved ahead, and what the last record may go beyond. */
  private static final long FILE_BYTES = (1 << 20) + (512 << 10);

  private static final int PATIENCE_MS = 30_000;

  private final DataPathWatch files;
  private final SoakReport report;
  private final SoakTopic topic;
  private final List<ChannelAudit> channels;

  DiskBound(
      DataPathWatch files, SoakReport report, SoakTopic topic, Collection<ChannelAudit> channels) {
    this.files = files;
    this.report = report;
    this.topic = topic;
    this.channels = List.copyOf(channels);
  }

  /** Disk use over what is allowed; at most 1 when the bound holds. */
  private double ratio(boolean print) {
    long liveBytes = topic.liveBytes(channels);
    Path journal = files.journal(topic.name());
    long bytes = DataPathWatch.diskBytes(journal);
    double ratio = bytes / (2.0 * liveBytes + 2.0 * FILE_BYTES);
    report.max("disk: journal KiB of one topic, most", bytes >> 10);
    report.max("disk: live KiB of one topic, most", liveBytes >> 10);
    report.max("disk: ledgers KiB of one topic, most", ledgerBytes() >> 10);
    if (print) {
      System.out.printf(
          "  disk of %s: journal %d KiB in %d files, live %d KiB, ledgers %d KiB, ratio %.2f%n",
          topic.name(),
          bytes >> 10,
          DataPathWatch.files(journal),
          liveBytes >> 10,
          ledgerBytes() >> 10,
          ratio);
    }
    return ratio;
  }

  private long ledgerBytes() {
    return DataPathWatch.diskBytes(files.ledgers(topic.name()));
  }

  /** Notes the highest ratio while the broker is killed over and over: it may need a moment. */
  void sample() {
    report.max("disk: percent of 2 x live + 2 files between kills, most", percent(ratio(false)));
  }

  private static long percent(double ratio) {
    return Math.round(ratio * 100);
  }

  /**
   * With traffic and stragglers, but a broker that lives: the bound is reached within seconds.
   *
   * @param asserted otherwise it is only printed and counted
   */
  void awaitBound(boolean asserted) {
    long startNs = System.nanoTime();
    double ratio = ratio(false);
    while (ratio > 1 && System.nanoTime() - startNs < TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS)) {
      SoakBroker.sleepMs(500);
      ratio = ratio(false);
    }
    ratio(true);
    report.max("disk: percent of 2 x live + 2 files, broker left alive, most", percent(ratio));
    report.max(
        "disk: ms until the bound held, most",
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
    if (ratio > 1 && asserted) {
      report.violation("disk bound", topic.name() + " uses " + percent(ratio) + " percent");
    }
  }

  /** Everything is finished: one file stays, to keep the count of messages. */
  void awaitShrunk() {
    Path journal = files.journal(topic.name());
    long startNs = System.nanoTime();
    while (DataPathWatch.files(journal) > 2) {
      if (System.nanoTime() - startNs > TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS)) {
        report.violation(
            "disk not given back",
            topic.name() + " keeps " + DataPathWatch.files(journal) + " journal files");
        return;
      }
      SoakBroker.sleepMs(100);
    }
    report.max("disk: journal KiB of an empty topic, most", DataPathWatch.diskBytes(journal) >> 10);
    report.max("disk: ledgers KiB of an empty topic, most", ledgerBytes() >> 10);
  }
}
