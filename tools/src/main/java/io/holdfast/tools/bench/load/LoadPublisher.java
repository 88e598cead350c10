package io.holdfast.tools.bench.load;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/**
 * Publishes commands that were built once; only the times in their bodies change. Owned by the
 * loop's thread, except for {@link #sendDue}, which is the pacer's way in.
 */
final class LoadPublisher extends LoadConnection {
  private final LoadRun run;
  private final int batch;
  private final int pipeline;
  private final int stride;

  /** One command per topic, bodies with the run's id. */
  private final List<byte[]> commands;

  private final ByteBuffer out;
  private final long[] sentNs;
  private long sent;
  private long acked;

  /** The topic whose command fills {@link #out} already; -1 for none. */
  private int loaded = -1;

  LoadPublisher(LoadPlan plan, LoadRun run) throws IOException {
    super(plan.broker, -1); // No heartbeats: they would get between the pacer's commands.
    this.run = run;
    this.batch = plan.batch;
    this.pipeline = plan.pipeline;
    this.stride = Integer.BYTES + plan.size;
    byte[] body = new byte[plan.size];
    new Random(run.id()).nextBytes(body);
    ByteBuffer.wrap(body).putLong(run.id());
    this.commands = plan.topicNames().stream().map(topic -> command(topic, body, batch)).toList();
    int longest = commands.stream().mapToInt(command -> command.length).max().orElse(0);
    this.out = ByteBuffer.allocateDirect(longest * pipeline);
    this.sentNs = new long[pipeline];
  }

  private static byte[] command(String topic, byte[] body, int messages) {
    String line = (messages == 1 ? "PUB " : "MPUB ") + topic + "\n";
    int head = messages == 1 ? 0 : 2 * Integer.BYTES;
    int section = messages * (Integer.BYTES + body.length);
    ByteBuffer to = ByteBuffer.allocate(line.length() + head + section);
    to.put(line.getBytes(StandardCharsets.US_ASCII));
    if (messages > 1) {
      to.putInt(Integer.BYTES + section).putInt(messages);
    }
    for (int i = 0; i < messages; i++) {
      to.putInt(body.length).put(body);
    }
    return to.array();
  }

  /** Sends as many commands as the pipeline, the run and the socket allow. */
  void pump(long nowNs) throws IOException {
    if (!allSent() || sent - acked >= pipeline) {
      return;
    }
    int end = 0;
    while (sent - acked < pipeline && run.claim(batch, nowNs)) {
      end = add(end, nowNs);
      sentNs[(int) (sent % pipeline)] = nowNs;
      sent++;
    }
    if (end > 0) {
      sendInPlace(out.limit(end).position(0));
    }
  }

  /** Puts the next command at an offset of the output; returns where it ends. */
  private int add(int at, long stampNs) {
    int topic = (int) (sent % commands.size());
    byte[] command = commands.get(topic);
    int end = at + command.length;
    out.limit(out.capacity());
    if (at > 0 || topic != loaded) {
      out.put(at, command);
      loaded = at == 0 ? topic : -1;
    }
    int first = end - batch * stride + Integer.BYTES + Long.BYTES;
    for (int i = 0; i < batch; i++) {
      out.putLong(first + i * stride, stampNs);
    }
    return end;
  }

  /**
   * Open loop: sends one command however many are outstanding. Only the pacer calls it, which then
   * is the only one that sends messages here.
   */
  void sendDue(long dueNs) throws IOException {
    int end = add(0, dueNs);
    sent++;
    out.limit(end).position(0);
    while (out.hasRemaining()) {
      if (channel.write(out) == 0) {
        Thread
            .onSpinWait(); // The broker does not read: the next ones will be late, and counted so.
      }
    }
  }

  @Override
  void onOk(long nowNs) {
    long sinceNs = run.isPaced() ? run.dueNs(this, acked) : sentNs[(int) (acked % pipeline)];
    acked++;
    run.published(batch, sinceNs, nowNs);
  }

  @Override
  void afterRead(long nowNs) throws IOException {
    if (!run.isPaced()) {
      pump(nowNs);
    }
  }

  /** Commands without an answer; of a paced run only after the pacer's end. */
  long outstanding() {
    return sent - acked;
  }
}
