package io.holdfast.tools.bench.peers;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Redis streams: pipelined XADD; XREADGROUP of up to {@link #PREFETCH} entries, asked for again as
 * soon as one is answered, and an XACK for the entries of each read.
 */
final class RedisProtocol extends Protocol {
  private static final AtomicLong CONNECTIONS = new AtomicLong();
  private static final byte[] CRLF = {'\r', '\n'};
  private static final int BLOCK_MS = 5000;
  private static final int MAX_DEPTH = 8;

  // Depths in the answer to XREADGROUP: streams, name and entries, entries, id and fields, fields.
  private static final int ENTRY = 4;
  private static final int FIELDS = 5;

  private final String queue;
  private final byte[] add;
  private final byte[] readGroup;
  private final Out ids = new Out();
  private int idCount;
  private boolean reading;
  private boolean consuming;

  /** What is still to come of each array around, from the outermost one at 1. */
  private final int[] left = new int[MAX_DEPTH];

  private int depth;

  RedisProtocol(String queue) {
    this.queue = queue;
    Out xadd = command("XADD", queue, "*", "b");
    xadd.put('$').decimal(Bodies.SIZE).put(CRLF);
    add = xadd.toBytes();
    add[1]++; // One argument more: the body.
    String consumer = "c" + CONNECTIONS.incrementAndGet();
    readGroup =
        command(
                "XREADGROUP",
                "GROUP",
                "g",
                consumer,
                "COUNT",
                Integer.toString(PREFETCH),
                "BLOCK",
                Integer.toString(BLOCK_MS),
                "STREAMS",
                queue,
                ">")
            .toBytes();
  }

  private static Out command(String... words) {
    Out out = new Out().put('*').decimal(words.length).put(CRLF);
    for (String word : words) {
      out.put('$').decimal(word.length()).put(CRLF).ascii(word).put(CRLF);
    }
    return out;
  }

  @Override
  void greet(DataInputStream in, OutputStream out) throws IOException {
    send(out, command("INFO", "server"));
    String size = line(in);
    if (!size.startsWith("$")) {
      throw new IOException("the server says " + size);
    }
    byte[] digits = size.getBytes(StandardCharsets.US_ASCII);
    byte[] info = new byte[number(digits, 1, digits.length)];
    in.readFully(info);
    line(in);
    version(text(info, 0, info.length), "redis_version:", "\r");
  }

  @Override
  void create(DataInputStream in, OutputStream out) throws IOException {
    send(out, command("XGROUP", "CREATE", queue, "g", "0", "MKSTREAM"));
    String line = line(in);
    if (!line.equals("+OK")) {
      throw new IOException("the server says " + line);
    }
  }

  @Override
  void begin(Out out) {
    consuming = true;
    finish(out);
  }

  @Override
  void publish(Out out, Bodies bodies, int count, long dueNs) {
    for (int i = 0; i < count; i++) {
      out.put(add);
      bodies.write(out, dueNs);
      out.put(CRLF);
    }
  }

  @Override
  int read(byte[] in, int at, int end, Listener listener, Out out) throws IOException {
    int p = at;
    while (p < end) {
      int eol = indexOf(in, '\n', p, end);
      if (eol < 0) {
        break;
      }
      switch (in[p]) {
        case '*' -> begin(number(in, p + 1, eol - 1));
        case '$' -> {
          int length = number(in, p + 1, eol - 1);
          int data = eol + 1;
          if (end - data < length + CRLF.length) {
            return p;
          }
          bulk(in, data, length, listener);
          eol = data + length + 1;
        }
        case ':' -> element();
        default -> throw new IOException("the server says " + text(in, p, eol - 1 - p));
      }
      p = eol + 1;
    }
    return p;
  }

  private void begin(int elements) throws IOException {
    if (elements <= 0) {
      if (depth == 0) {
        reading = false; // Nothing came for so long as it was to block.
      }
      element();
    } else if (depth == MAX_DEPTH - 1) {
      throw new IOException("an answer of more than " + depth + " levels");
    } else {
      left[++depth] = elements;
    }
  }

  private void bulk(byte[] in, int at, int length, Listener listener) throws IOException {
    if (depth == 0) {
      listener.confirmed(1); // The id that XADD gave it.
    } else if (depth == ENTRY) {
      ids.put('$').decimal(length).put(CRLF).put(in, at, length).put(CRLF);
      idCount++;
    } else if (depth == FIELDS && left[depth] == 1) {
      listener.message(in, at, length);
    }
    element();
  }

  /** Something is whole, and with it maybe what it was the last part of. */
  private void element() {
    if (depth == 0) {
      return;
    }
    while (depth > 0 && --left[depth] == 0) {
      depth--;
    }
    if (depth == 0) {
      reading = false;
    }
  }

  @Override
  void finish(Out out) {
    if (idCount > 0) {
      out.put('*').decimal(3L + idCount).put(CRLF);
      out.ascii("$4\r\nXACK\r\n$").decimal(queue.length()).put(CRLF).ascii(queue);
      out.ascii("\r\n$1\r\ng\r\n").put(ids);
      ids.clear();
      idCount = 0;
    }
    if (consuming && !reading) {
      out.put(readGroup);
      reading = true;
    }
  }
}
