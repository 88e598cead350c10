package io.holdfast.tools.bench;

import io.holdfast.tools.client.NsqConnection;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Publishes as fast as the OKs come, with a fixed number of commands outstanding. */
final class ClosedLoopPublisher extends Worker {
  private static final long WINDOW_POLL_NS = TimeUnit.MICROSECONDS.toNanos(50);

  private final List<PubTemplate> templates;
  private final BenchOptions options;
  private final List<String> topics;
  private final long runId;

  // Owned by the worker's thread; a ring of the commands outstanding.
  private final long[] sentNs;
  private final int[] sentMessages;
  private long sent;
  private long acked;
  private long number;

  ClosedLoopPublisher(
      NsqConnection conn,
      Schedule schedule,
      BenchOptions options,
      List<String> topics,
      long runId) {
    super(conn, schedule);
    this.options = options;
    this.topics = topics;
    this.runId = runId;
    this.templates =
        topics.stream()
            .map(topic -> new PubTemplate(topic, options.batch(), options.size(), runId))
            .toList();
    this.sentNs = new long[options.pipeline()];
    this.sentMessages = new int[options.pipeline()];
  }

  @Override
  void work() throws IOException {
    long nowNs = System.nanoTime();
    boolean more = true;
    while (more || acked < sent) {
      while (more && sent - acked < sentNs.length) {
        if (schedule.over(nowNs)) {
          more = false;
        } else if (schedule.windowFull()) {
          if (acked < sent) {
            break;
          }
          LockSupport.parkNanos(WINDOW_POLL_NS);
          nowNs = System.nanoTime();
        } else {
          more = sendOne(nowNs);
        }
      }
      if (acked < sent) {
        conn.readOk();
        nowNs = System.nanoTime();
        onOk(nowNs);
        while (acked < sent && conn.frameBuffered()) {
          conn.readOk();
          onOk(nowNs);
        }
      }
    }
  }

  private boolean sendOne(long nowNs) throws IOException {
    int messages = (int) schedule.claim(options.batch(), nowNs);
    if (messages == 0) {
      return false;
    }
    int topic = (int) (sent % topics.size());
    PubTemplate template =
        messages == options.batch()
            ? templates.get(topic)
            : new PubTemplate(topics.get(topic), messages, options.size(), runId);
    template.stamp(nowNs, number);
    number += messages;
    int slot = (int) (sent % sentNs.length);
    sentNs[slot] = nowNs;
    sentMessages[slot] = messages;
    sent++;
    conn.send(template.bytes(), 0, template.length());
    return true;
  }

  private void onOk(long nowNs) {
    int slot = (int) (acked % sentNs.length);
    boolean measured = schedule.measures(sentNs[slot]);
    if (measured) {
      record(nowNs - sentNs[slot]);
    }
    acked++;
    tally.add(sentMessages[slot], measured, nowNs);
  }
}
