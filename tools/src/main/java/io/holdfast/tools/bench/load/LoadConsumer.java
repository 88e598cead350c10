package io.holdfast.tools.bench.load;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Consumes: the FINs of all messages of one read leave in one write. Owned by the loop's thread.
 */
final class LoadConsumer extends LoadConnection {
  private static final int FIN = 0x46494E20; // "FIN "
  private static final int FIN_BYTES = Integer.BYTES + 2 * Long.BYTES + 1;

  /** Where attempts, id and body are in a message frame's data (contract §3). */
  private static final int ATTEMPTS = Long.BYTES;

  private static final int ID = ATTEMPTS + Short.BYTES;
  private static final int BODY = ID + 2 * Long.BYTES;

  private final LoadRun run;
  private final int rdy;

  /** The loop's, empty between reads. */
  private final ByteBuffer fins;

  private int messages;

  // Messages of one MPUB have one time: they are recorded together.
  private long stampNs;
  private int stamped;
  private boolean closed;

  LoadConsumer(LoadPlan plan, LoadRun run, ByteBuffer fins, String topic, String channel)
      throws IOException {
    super(plan.broker, 0);
    this.run = run;
    this.rdy = plan.rdy;
    this.fins = fins;
    try {
      askForOk("SUB " + topic + " " + channel + "\n");
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  void start() throws IOException {
    command("RDY " + rdy);
  }

  void startClose() throws IOException {
    command("CLS");
  }

  private void command(String line) throws IOException {
    send(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII)));
  }

  boolean isClosed() {
    return closed;
  }

  @Override
  void onMessage(ByteBuffer in, int data, int length, long nowNs) throws IOException {
    if (length < BODY) {
      throw new IOException("message frame of " + length + " bytes");
    }
    if (fins.remaining() < FIN_BYTES) {
      sendFins();
    }
    fins.putInt(FIN).putLong(in.getLong(data + ID)).putLong(in.getLong(data + ID + Long.BYTES));
    fins.put((byte) '\n');
    messages++;
    if (in.getShort(data + ATTEMPTS) != 1) {
      run.redelivered();
    }
    if (run.measuresEndToEnd()
        && length >= BODY + LoadPlan.STAMP_BYTES
        && in.getLong(data + BODY) == run.id()) {
      long sinceNs = in.getLong(data + BODY + Long.BYTES);
      if (sinceNs != stampNs) {
        recordStamped(nowNs);
        stampNs = sinceNs;
      }
      stamped++;
    }
  }

  private void recordStamped(long nowNs) {
    if (stamped > 0) {
      run.arrived(stampNs, nowNs, stamped);
      stamped = 0;
    }
  }

  private void sendFins() throws IOException {
    send(fins.flip());
    fins.clear();
  }

  @Override
  void onError(String text) throws IOException {
    if (!text.startsWith("E_FIN_FAILED")) {
      throw new IOException(text);
    }
    run.finRefused();
  }

  @Override
  void onCloseWait() {
    closed = true;
  }

  @Override
  void afterRead(long nowNs) throws IOException {
    recordStamped(nowNs);
    if (fins.position() > 0) {
      sendFins();
    }
    run.consumed(messages);
    messages = 0;
  }
}
