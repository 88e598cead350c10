package io.holdfast.tools.bench.load;

import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.NsqErrorException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Consumes: the FINs of all messages of one read leave in one write. Owned by the loop's thread.
 */
final class LoadConsumer extends LoadConnection {
  private static final int FIN = 0x46494E20; // "FIN "
  private static final int FIN_BYTES = Integer.BYTES + 2 * Long.BYTES + 1;

  /** Where attempts, id and body are in a message frame's data (PROTOCOL.md §3). */
  private static final int ATTEMPTS = Long.BYTES;

  private static final int ID = ATTEMPTS + Short.BYTES;
  private static final int BODY = ID + 2 * Long.BYTES;

  private final LoadCounts counts;
  private final int rdy;

  /** The loop's, empty between reads. */
  private final ByteBuffer fins;

  private int messages;

  // Messages of one MPUB have one time: they are recorded together.
  private long stampNs;
  private int stamped;
  private boolean closeWait;

  LoadConsumer(
      LoadPlan plan,
      BrokerAddress broker,
      LoadCounts counts,
      ByteBuffer fins,
      String topic,
      String channel)
      throws IOException {
    super(broker, plan.connect, topic, channel);
    this.counts = counts;
    this.rdy = Math.min(plan.rdy, maxRdyCount());
    this.fins = fins;
  }

  void start() throws IOException {
    command("RDY " + rdy);
  }

  void startClose() throws IOException {
    command("CLS");
  }

  @Override
  boolean isClosed() {
    return closeWait || super.isClosed();
  }

  @Override
  void onMessage(ByteBuffer buffer, int data, int length, long nowNs) throws IOException {
    if (length < BODY) {
      throw new IOException("message frame of " + length + " bytes");
    }
    if (fins.remaining() < FIN_BYTES) {
      sendFins();
    }
    fins.putInt(FIN);
    fins.putLong(buffer.getLong(data + ID)).putLong(buffer.getLong(data + ID + Long.BYTES));
    fins.put((byte) '\n');
    messages++;
    if (buffer.getShort(data + ATTEMPTS) != 1) {
      counts.redelivered();
    }
    if (length >= BODY + LoadPlan.STAMP_BYTES && buffer.getLong(data + BODY) == counts.runId()) {
      long sinceNs = buffer.getLong(data + BODY + Long.BYTES);
      if (sinceNs != stampNs) {
        recordStamped(nowNs);
        stampNs = sinceNs;
      }
      stamped++;
    }
  }

  private void recordStamped(long nowNs) {
    if (stamped > 0) {
      counts.arrived(stampNs, nowNs, stamped);
      stamped = 0;
    }
  }

  private void sendFins() throws IOException {
    send(fins.flip());
    fins.clear();
  }

  /** A FIN that came too late is counted; the message comes again. */
  @Override
  void onError(NsqErrorException error) throws IOException {
    if (!error.code().equals("E_FIN_FAILED")) {
      throw error;
    }
    counts.finRefused();
  }

  @Override
  void onCloseWait() {
    closeWait = true;
  }

  @Override
  void afterRead(long nowNs) throws IOException {
    recordStamped(nowNs);
    if (fins.position() > 0) {
      sendFins();
    }
    counts.consumed(messages, nowNs);
    messages = 0;
  }
}
