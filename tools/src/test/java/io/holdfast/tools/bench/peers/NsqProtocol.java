package io.holdfast.tools.bench.peers;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Queue;

/** NSQ V2: PUB and MPUB, RDY, a FIN for each message, all FINs of a read in one write. */
final class NsqProtocol extends Protocol {
  private static final int RESPONSE = 0;
  private static final int MESSAGE = 2;
  private static final int HEAD = 8;
  private static final int HEARTBEAT = "_heartbeat_".length();
  private static final int ID = 10;
  private static final int ID_SIZE = 16;
  private static final int BODY = ID + ID_SIZE;
  private static final byte[] FIN = "FIN ".getBytes(StandardCharsets.US_ASCII);

  private final String queue;
  private final boolean prompt;
  private final byte[] pub;
  private final byte[] mpub;
  private final Out fins = new Out();

  /** Messages of each command that has no answer yet. */
  private final Queue<Integer> unanswered = new ArrayDeque<>();

  /**
   * @param prompt whether the server shall send each message at once, not when its buffer is full
   */
  NsqProtocol(String queue, boolean prompt) {
    this.queue = queue;
    this.prompt = prompt;
    pub = ("PUB " + queue + "\n").getBytes(StandardCharsets.US_ASCII);
    mpub = ("MPUB " + queue + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  void greet(DataInputStream in, OutputStream out) throws IOException {
    String options =
        "{\"client_id\":\"peers\",\"feature_negotiation\":true"
            + (prompt ? ",\"output_buffer_size\":-1,\"output_buffer_timeout\":-1}" : "}");
    send(out, new Out().ascii("  V2IDENTIFY\n").int32(options.length()).ascii(options));
    version(answer(in), "\"version\":\"", "\"");
  }

  private static String answer(DataInputStream in) throws IOException {
    int size = in.readInt();
    int type = in.readInt();
    byte[] data = new byte[size - Integer.BYTES];
    in.readFully(data);
    if (type != RESPONSE) {
      throw new IOException(text(data, 0, data.length));
    }
    return text(data, 0, data.length);
  }

  /** Subscribing creates; the channel stays when its consumer goes. */
  @Override
  void create(DataInputStream in, OutputStream out) throws IOException {
    subscribe(in, out);
  }

  @Override
  void subscribe(DataInputStream in, OutputStream out) throws IOException {
    send(out, "SUB " + queue + " c\n");
    answer(in);
  }

  @Override
  void begin(Out out) {
    out.ascii("RDY " + PREFETCH + "\n");
  }

  @Override
  void publish(Out out, Bodies bodies, int count, long dueNs) {
    unanswered.add(count);
    if (count == 1) {
      out.put(pub).int32(Bodies.SIZE);
      bodies.write(out, dueNs);
      return;
    }
    out.put(mpub).int32(Integer.BYTES + count * (Integer.BYTES + Bodies.SIZE)).int32(count);
    for (int i = 0; i < count; i++) {
      out.int32(Bodies.SIZE);
      bodies.write(out, dueNs);
    }
  }

  @Override
  int read(byte[] in, int at, int end, Listener listener, Out out) throws IOException {
    int p = at;
    while (end - p >= HEAD) {
      int size = int32(in, p);
      if (end - p < Integer.BYTES + size) {
        break;
      }
      int type = int32(in, p + Integer.BYTES);
      int data = p + HEAD;
      int length = size - Integer.BYTES;
      p += Integer.BYTES + size;
      if (type == MESSAGE) {
        fins.put(FIN).put(in, data + ID, ID_SIZE).put('\n');
        listener.message(in, data + BODY, length - BODY);
      } else if (type == RESPONSE && length == 2 && !unanswered.isEmpty()) {
        listener.confirmed(unanswered.remove());
      } else if (type == RESPONSE && length == HEARTBEAT) {
        out.ascii("NOP\n");
      } else {
        throw new IOException("the server says " + text(in, data, length));
      }
    }
    return p;
  }

  private static int int32(byte[] in, int at) {
    return in[at] << 24
        | (in[at + 1] & 0xff) << 16
        | (in[at + 2] & 0xff) << 8
        | (in[at + 3] & 0xff);
  }

  @Override
  void finish(Out out) {
    out.put(fins);
    fins.clear();
  }
}
