package io.holdfast.tools.bench;

import io.holdfast.tools.client.CommandBuffer;
import io.holdfast.tools.client.FrameType;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.NsqErrorException;
import java.io.IOException;

/** Consumes and finishes: the FINs of all messages that one read brought go out in one write. */
final class Subscriber extends Worker {
  private final long runId;
  private final CommandBuffer fins = new CommandBuffer(64 << 10);

  // Written by the worker's thread, read by others once it ended.
  private long foreign;
  private long redelivered;
  private long errors;
  private volatile long own;

  /**
   * @param runId whose messages have a latency; 0 = nobody's
   */
  Subscriber(NsqConnection conn, Schedule schedule, long runId) {
    super(conn, schedule);
    this.runId = runId;
  }

  @Override
  void work() throws IOException {
    while (true) {
      FrameType type = conn.readFrame();
      long nowNs = System.nanoTime();
      boolean measured = schedule.measures(nowNs);
      long count = 0;
      long ownCount = 0;
      boolean closeWait = false;
      while (true) {
        if (type == FrameType.MESSAGE) {
          count++;
          ownCount += onMessage(nowNs);
        } else if (type == FrameType.ERROR) {
          onError();
        } else {
          closeWait = conn.isCloseWait();
        }
        if (closeWait || !conn.frameBuffered()) {
          break;
        }
        type = conn.readFrame();
      }
      conn.send(fins);
      own += ownCount;
      tally.add(count, measured, nowNs);
      if (closeWait) {
        return;
      }
    }
  }

  private int onMessage(long nowNs) {
    byte[] buffer = conn.buffer();
    fins.fin(buffer, conn.messageIdOffset());
    if (conn.messageAttempts() > 1) {
      redelivered++;
    }
    int body = conn.bodyOffset();
    if (runId == 0) {
      return 0;
    }
    if (conn.bodyLength() < BenchBody.HEADER || BenchBody.runId(buffer, body) != runId) {
      foreign++;
      return 0;
    }
    long intendedNs = BenchBody.intendedNs(buffer, body);
    if (schedule.measures(intendedNs)) {
      record(nowNs - intendedNs);
    }
    return 1;
  }

  /** A FIN that came too late is counted; the message comes again. */
  private void onError() throws NsqErrorException {
    NsqErrorException error = new NsqErrorException(conn.text());
    if (!error.code().equals("E_FIN_FAILED")) {
      throw error;
    }
    errors++;
  }

  /** Messages of this run; any time. */
  long own() {
    return own;
  }

  /** Messages of other runs; after the end. */
  long foreign() {
    return foreign;
  }

  /** Deliveries that were not the first; after the end. */
  long redelivered() {
    return redelivered;
  }

  /** FINs that the broker refused; after the end. */
  long errors() {
    return errors;
  }
}
