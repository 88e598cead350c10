package io.holdfast.tools.bench.peers;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/**
 * NATS with JetStream: asynchronous publishes, each with its acknowledgement; a durable pull
 * consumer with overlapping pulls and an explicit +ACK for each message.
 */
final class NatsProtocol extends Protocol {
  private static final AtomicLong CONNECTIONS = new AtomicLong();
  private static final int PULL = PREFETCH / 2;
  private static final int MAX_TOKENS = 6;
  private static final byte[] PUB = "PUB ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ACK = " 4\r\n+ACK\r\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CRLF = {'\r', '\n'};

  private final String queue;
  private final int replicas;
  private final String inbox = "_I." + CONNECTIONS.incrementAndGet();
  private final byte[] head;
  private final byte[] pull;
  private final Out acks = new Out();

  /** Messages that were asked for and have not come. */
  private int asked;

  private boolean consuming;

  private final int[] from = new int[MAX_TOKENS];
  private final int[] to = new int[MAX_TOKENS];

  /**
   * @param replicas how many servers keep a message
   */
  NatsProtocol(String queue, int replicas) {
    this.queue = queue;
    this.replicas = replicas;
    head =
        ("PUB " + queue + " " + inbox + " " + Bodies.SIZE + "\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    pull =
        request(
                "$JS.API.CONSUMER.MSG.NEXT." + queue + ".c",
                inbox + ".m",
                "{\"batch\":" + PULL + ",\"expires\":120000000000}")
            .getBytes(StandardCharsets.US_ASCII);
  }

  private static String request(String subject, String reply, String json) {
    return "PUB " + subject + " " + reply + " " + json.length() + "\r\n" + json + "\r\n";
  }

  @Override
  void greet(DataInputStream in, OutputStream out) throws IOException {
    version(line(in), "\"version\":\"", "\"");
    send(
        out,
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"java\",\"version\":\"1\","
            + "\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\nSUB "
            + inbox
            + " 1\r\nSUB "
            + inbox
            + ".m 2\r\nPING\r\n");
    String line = line(in);
    if (!line.equals("PONG")) {
      throw new IOException("the server says " + line);
    }
  }

  @Override
  void create(DataInputStream in, OutputStream out) throws IOException {
    ask(
        in,
        out,
        "$JS.API.STREAM.CREATE." + queue,
        "{\"name\":\"%s\",\"subjects\":[\"%s\"],\"storage\":\"file\",\"num_replicas\":"
            + replicas
            + "}");
    ask(
        in,
        out,
        "$JS.API.CONSUMER.DURABLE.CREATE." + queue + ".c",
        "{\"stream_name\":\"%s\",\"config\":{\"durable_name\":\"c\",\"deliver_policy\":\"all\","
            + "\"ack_policy\":\"explicit\",\"ack_wait\":60000000000,\"max_ack_pending\":"
            + 2 * PREFETCH
            + "}}");
  }

  private void ask(DataInputStream in, OutputStream out, String subject, String json)
      throws IOException {
    send(out, request(subject, inbox, json.replace("%s", queue)));
    String[] words = line(in).split(" ");
    byte[] answer = new byte[number(words[words.length - 1])];
    in.readFully(answer);
    line(in);
    String text = text(answer, 0, answer.length);
    if (!words[0].equals("MSG") || text.contains("\"error\"")) {
      throw new IOException("the server says " + text);
    }
  }

  private static int number(String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return number(bytes, 0, bytes.length);
  }

  @Override
  void begin(Out out) {
    consuming = true;
    finish(out);
  }

  @Override
  void publish(Out out, Bodies bodies, int count, long dueNs) {
    for (int i = 0; i < count; i++) {
      out.put(head);
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
      int tokens = in[p] == 'M' || in[p] == 'H' ? tokens(in, p, eol - 1) : 0;
      if (tokens == 0) {
        control(text(in, p, eol - 1 - p), out);
        p = eol + 1;
        continue;
      }
      int length = number(in, from[tokens - 1], to[tokens - 1]);
      if (end - eol - 1 < length + CRLF.length) {
        break;
      }
      if (in[p] == 'H') {
        status(text(in, eol + 1, length));
      } else if (in[from[2]] == '1') {
        confirmation(in, eol + 1, length, listener);
      } else {
        asked--;
        acks.put(PUB).put(in, from[3], to[3] - from[3]).put(ACK);
        listener.message(in, eol + 1, length);
      }
      p = eol + 1 + length + CRLF.length;
    }
    return p;
  }

  /** Where the words of a line are; their number. */
  private int tokens(byte[] in, int at, int end) throws IOException {
    int count = 0;
    int p = at;
    while (p < end) {
      if (count == MAX_TOKENS) {
        throw new IOException("the server says " + text(in, at, end - at));
      }
      int blank = indexOf(in, ' ', p, end);
      from[count] = p;
      to[count] = blank < 0 ? end : blank;
      p = to[count++] + 1;
    }
    return count;
  }

  private static void control(String line, Out out) throws IOException {
    if (line.equals("PING")) {
      out.ascii("PONG\r\n");
    } else if (line.startsWith("-ERR")) {
      throw new IOException("the server says " + line);
    }
  }

  private static void confirmation(byte[] in, int at, int length, Listener listener)
      throws IOException {
    // {"stream":"q", "seq":1} or {"error":{...}...}
    if (length < 3 || in[at + 2] != 's') {
      throw new IOException("the server says " + text(in, at, length));
    }
    listener.confirmed(1);
  }

  /** A pull has ended without being served in full, or nobody listens where it was published. */
  private void status(String header) throws IOException {
    if (header.startsWith("NATS/1.0 408") || header.startsWith("NATS/1.0 404")) {
      asked = 0;
    } else if (!header.startsWith("NATS/1.0 100")) {
      throw new IOException("the server says " + header.strip());
    }
  }

  @Override
  void finish(Out out) {
    out.put(acks);
    acks.clear();
    while (consuming && asked <= PULL) {
      out.put(pull);
      asked += PULL;
    }
  }
}
