package io.holdfast.tools.bench.peers;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/**
 * AMQP 0-9-1 as RabbitMQ extends it: persistent messages with publisher confirms; a prefetch count,
 * and one acknowledgement for all messages of a read.
 */
final class AmqpProtocol extends Protocol {
  private static final int METHOD = 1;
  private static final int HEADER = 2;
  private static final int BODY = 3;
  private static final int FRAME_HEAD = 7;
  private static final int FRAME_END = 0xCE;
  private static final int FRAME_MAX = 131_072;
  private static final int CHANNEL = 1;
  private static final int DURABLE = 2;
  private static final int DELIVERY_MODE = 0x1000;
  private static final int PERSISTENT = 2;

  // Class and method.
  private static final int START = 10 << 16 | 10;
  private static final int START_OK = 10 << 16 | 11;
  private static final int TUNE = 10 << 16 | 30;
  private static final int TUNE_OK = 10 << 16 | 31;
  private static final int OPEN = 10 << 16 | 40;
  private static final int OPEN_OK = 10 << 16 | 41;
  private static final int CHANNEL_OPEN = 20 << 16 | 10;
  private static final int CHANNEL_OPEN_OK = 20 << 16 | 11;
  private static final int DECLARE = 50 << 16 | 10;
  private static final int DECLARE_OK = 50 << 16 | 11;
  private static final int QOS = 60 << 16 | 10;
  private static final int QOS_OK = 60 << 16 | 11;
  private static final int CONSUME = 60 << 16 | 20;
  private static final int CONSUME_OK = 60 << 16 | 21;
  private static final int PUBLISH = 60 << 16 | 40;
  private static final int DELIVER = 60 << 16 | 60;
  private static final int ACK = 60 << 16 | 80;
  private static final int SELECT = 85 << 16 | 10;
  private static final int SELECT_OK = 85 << 16 | 11;

  private final String queue;
  private final String type;

  /** Everything before the bytes of a body. */
  private final byte[] head;

  /** All publishes up to this one are confirmed; beyond it, those whose bit is set. */
  private long confirmed;

  private final BitSet beyond = new BitSet();

  private long delivered;
  private long finished;

  /**
   * @param type such as {@code quorum}
   */
  AmqpProtocol(String queue, String type) {
    this.queue = queue;
    this.type = type;
    Out out = new Out();
    frame(out, METHOD, new Out().int32(PUBLISH).int16(0).put(0).put(shortString(queue)).put(0));
    frame(
        out,
        HEADER,
        new Out().int16(60).int16(0).int64(Bodies.SIZE).int16(DELIVERY_MODE).put(PERSISTENT));
    head = out.put(BODY).int16(CHANNEL).int32(Bodies.SIZE).toBytes();
  }

  private static void frame(Out out, int type, Out payload) {
    frame(out, type, CHANNEL, payload);
  }

  private static void frame(Out out, int type, int channel, Out payload) {
    out.put(type).int16(channel).int32(payload.size()).put(payload).put(FRAME_END);
  }

  private static Out shortString(String text) {
    return new Out().put(text.length()).ascii(text);
  }

  private static Out longString(String text) {
    return new Out().int32(text.length()).ascii(text);
  }

  // ---------------------------------------------------------------- set-up

  @Override
  void greet(DataInputStream in, OutputStream out) throws IOException {
    send(out, new Out().ascii("AMQP").int32(0x00000901));
    version(
        answer(in, START).replaceAll("(?s).*\u0007versionS.{4}([0-9.]+).*", "v=$1;"), "v=", ";");
    call(
        out,
        0,
        new Out()
            .int32(START_OK)
            .int32(0) // no client properties
            .put(shortString("PLAIN"))
            .put(longString("\0guest\0guest"))
            .put(shortString("en_US")));
    answer(in, TUNE);
    call(out, 0, new Out().int32(TUNE_OK).int16(2047).int32(FRAME_MAX).int16(0));
    call(out, 0, new Out().int32(OPEN).put(shortString("/")).put(0).put(0));
    answer(in, OPEN_OK);
    call(out, CHANNEL, new Out().int32(CHANNEL_OPEN).put(0));
    answer(in, CHANNEL_OPEN_OK);
    call(out, CHANNEL, new Out().int32(SELECT).put(0));
    answer(in, SELECT_OK);
  }

  @Override
  void create(DataInputStream in, OutputStream out) throws IOException {
    Out arguments = shortString("x-queue-type").put('S').put(longString(type));
    call(
        out,
        CHANNEL,
        new Out()
            .int32(DECLARE)
            .int16(0)
            .put(shortString(queue))
            .put(DURABLE)
            .int32(arguments.size())
            .put(arguments));
    answer(in, DECLARE_OK);
  }

  private static void call(OutputStream to, int channel, Out method) throws IOException {
    Out out = new Out();
    frame(out, METHOD, channel, method);
    send(to, out);
  }

  private static String answer(DataInputStream in, int wanted) throws IOException {
    int type = in.read();
    in.readUnsignedShort();
    int size = in.readInt();
    if (type != METHOD || size < Integer.BYTES || size > FRAME_MAX) {
      throw new IOException("not an AMQP server");
    }
    byte[] payload = new byte[size];
    in.readFully(payload);
    in.read();
    if (int32(payload, 0) != wanted) {
      throw new IOException("the server says " + refusal(payload, 0, size));
    }
    return new String(payload, StandardCharsets.ISO_8859_1);
  }

  /** The text of a close; else which method it is. */
  private static String refusal(byte[] in, int at, int size) {
    int method = int32(in, at);
    boolean close = method == (10 << 16 | 50) || method == (20 << 16 | 40);
    return close && size > 7
        ? text(in, at + 7, in[at + 6] & 0xff)
        : "method " + (method >> 16) + "." + (method & 0xffff);
  }

  // ---------------------------------------------------------------- load

  @Override
  void begin(Out out) {
    frame(out, METHOD, new Out().int32(QOS).int32(0).int16(PREFETCH).put(0));
    frame(
        out,
        METHOD,
        new Out().int32(CONSUME).int16(0).put(shortString(queue)).put(0).put(0).int32(0));
  }

  @Override
  void publish(Out out, Bodies bodies, int count, long dueNs) {
    for (int i = 0; i < count; i++) {
      out.put(head);
      bodies.write(out, dueNs);
      out.put(FRAME_END);
    }
  }

  @Override
  int read(byte[] in, int at, int end, Listener listener, Out out) throws IOException {
    int p = at;
    while (end - p >= FRAME_HEAD) {
      int size = int32(in, p + 3);
      if (size < 0 || size > FRAME_MAX) {
        throw new IOException("a frame of " + size + " bytes");
      }
      if (end - p < FRAME_HEAD + size + 1) {
        break;
      }
      int payload = p + FRAME_HEAD;
      switch (in[p]) {
        case METHOD -> method(in, payload, size, listener);
        case HEADER -> {}
        case BODY -> listener.message(in, payload, size);
        default -> throw new IOException("a frame of type " + in[p]);
      }
      p = payload + size + 1;
    }
    return p;
  }

  private void method(byte[] in, int at, int size, Listener listener) throws IOException {
    int arguments = at + Integer.BYTES;
    switch (int32(in, at)) {
      case ACK -> {
        int count = confirm(int64(in, arguments), (in[arguments + Long.BYTES] & 1) == 1);
        if (count > 0) {
          listener.confirmed(count);
        }
      }
      case DELIVER -> delivered = int64(in, arguments + 1 + (in[arguments] & 0xff));
      case QOS_OK, CONSUME_OK -> {}
      default -> throw new IOException("the server says " + refusal(in, at, size));
    }
  }

  /**
   * How many publishes an acknowledgement is for that had none. Numbers come in any order.
   *
   * @param upTo whether for all earlier ones, too
   */
  int confirm(long tag, boolean upTo) {
    if (tag <= confirmed) {
      return 0;
    }
    int count = 0;
    if (upTo) {
      while (confirmed < tag) {
        confirmed++;
        count += beyond.get((int) confirmed) ? 0 : 1;
      }
    } else {
      count = beyond.get((int) tag) ? 0 : 1;
      beyond.set((int) tag);
    }
    while (beyond.get((int) confirmed + 1)) {
      confirmed++;
    }
    return count;
  }

  @Override
  void finish(Out out) {
    if (delivered > finished) {
      frame(out, METHOD, new Out().int32(ACK).int64(delivered).put(1));
      finished = delivered;
    }
  }

  private static int int32(byte[] in, int at) {
    return in[at] << 24
        | (in[at + 1] & 0xff) << 16
        | (in[at + 2] & 0xff) << 8
        | (in[at + 3] & 0xff);
  }

  private static long int64(byte[] in, int at) {
    return (long) int32(in, at) << 32 | (int32(in, at + 4) & 0xffffffffL);
  }
}
