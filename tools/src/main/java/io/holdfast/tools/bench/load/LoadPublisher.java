package io.holdfast.tools.bench.load;

import io.holdfast.tools.client.BrokerAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Publishes commands that were built once; only the times in their bodies change. Owned by the
 * loop's thread, except for {@link #addDue} and {@link #flushDue}, which are the pacer's way in.
 */
final class LoadPublisher extends LoadConnection {
  /** Commands are written together up to so many bytes; a longer one goes alone. */
  private static final int OUT_BYTES = 256 << 10;

  private static final long RETRY_NS = TimeUnit.MICROSECONDS.toNanos(50);

  private final LoadRun run;
  private final LoadCounts counts;
  private final int batch;
  private final int pipeline;
  private final boolean stamps;
  private final byte[] body;
  private final List<String> topics;

  /** One command per topic, bodies with the run's id. */
  private final List<byte[]> commands;

  private final ByteBuffer out;

  // A ring of the commands that wait for their OK; of a paced run unused.
  private final long[] sentNs;
  private final int[] sentMessages;
  private long sent;
  private long acked;

  /** The topic whose command is at the beginning of {@link #out}; -1 for none. */
  private int loaded = -1;

  /** Bytes of {@link #out} that the pacer has filled. */
  private int due;

  LoadPublisher(LoadPlan plan, BrokerAddress broker, LoadRun run, LoadCounts counts)
      throws IOException {
    // No heartbeats: they would get between the pacer's commands.
    super(broker, plan.connect.withHeartbeatMs(-1), null, null);
    this.run = run;
    this.counts = counts;
    this.batch = plan.batch;
    this.pipeline = plan.pipeline;
    this.stamps = plan.isStamped();
    this.body = new byte[plan.size];
    new Random(counts.runId()).nextBytes(body);
    if (stamps) {
      ByteBuffer.wrap(body).putLong(counts.runId());
    }
    this.topics = plan.topicNames();
    this.commands = topics.stream().map(topic -> command(topic, batch)).toList();
    int longest = commands.stream().mapToInt(command -> command.length).max().orElse(0);
    long together = plan.rate > 0 ? OUT_BYTES : Math.min(OUT_BYTES, (long) longest * pipeline);
    this.out = ByteBuffer.allocateDirect(Math.max(longest, (int) together));
    this.sentNs = new long[pipeline];
    this.sentMessages = new int[pipeline];
  }

  private byte[] command(String topic, int messages) {
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
    int end;
    do {
      end = 0;
      while (allSent() && sent - acked < pipeline && fits(end)) {
        int messages = run.claim(batch, nowNs);
        if (messages == 0) {
          break;
        }
        int slot = (int) (sent % pipeline);
        sentNs[slot] = nowNs;
        sentMessages[slot] = messages;
        end = add(end, messages, nowNs);
      }
      if (end > 0) {
        sendInPlace(out.limit(end).position(0));
      }
    } while (end > 0);
  }

  private boolean fits(int at) {
    return at == 0 || at + commands.get(topic()).length <= out.capacity();
  }

  private int topic() {
    return (int) (sent % topics.size());
  }

  /** Puts the next command at an offset of the output; returns where it ends. */
  private int add(int at, int messages, long stampNs) {
    int topic = topic();
    // The last one of a count may be smaller.
    byte[] command = messages == batch ? commands.get(topic) : command(topics.get(topic), messages);
    int end = at + command.length;
    out.limit(out.capacity());
    if (at > 0 || topic != loaded || messages != batch) {
      out.put(at, command);
      if (at == 0) {
        loaded = messages == batch ? topic : -1;
      }
    }
    if (stamps) {
      int stride = Integer.BYTES + body.length;
      int first = end - messages * stride + Integer.BYTES + Long.BYTES;
      for (int i = 0; i < messages; i++) {
        out.putLong(first + i * stride, stampNs);
      }
    }
    sent++;
    return end;
  }

  // ---------------------------------------------------------------- for the pacer's thread

  /**
   * Open loop: adds a command however many are outstanding. Only the pacer calls it, which then is
   * the only one that sends messages here.
   */
  void addDue(long dueNs) throws IOException {
    if (!fits(due)) {
      flushDue();
    }
    due = add(due, batch, dueNs);
  }

  /** Sends what was added. */
  void flushDue() throws IOException {
    if (due == 0) {
      return;
    }
    out.limit(due).position(0);
    while (out.hasRemaining()) {
      int before = out.remaining();
      sendSome(out);
      if (out.remaining() == before) {
        // The broker does not read: the next ones will be late, and counted so.
        LockSupport.parkNanos(RETRY_NS);
      }
    }
    due = 0;
  }

  // ---------------------------------------------------------------- for the loop's thread again

  @Override
  void onOk(long nowNs) throws IOException {
    if (run.isPaced()) {
      counts.published(batch, run.dueNs(this, acked), nowNs);
    } else if (acked < sent) {
      int slot = (int) (acked % pipeline);
      counts.published(sentMessages[slot], sentNs[slot], nowNs);
    } else {
      super.onOk(nowNs);
    }
    acked++;
  }

  @Override
  void afterRead(long nowNs) throws IOException {
    if (!run.isPaced()) {
      pump(nowNs);
    }
  }

  /** Commands without an answer; of a paced run only after the pacer's end. */
  long outstanding() {
    return isClosed() ? 0 : sent - acked;
  }
}
