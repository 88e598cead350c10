package io.holdfast.tools.bench.peers;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * A client's half of a protocol, on one connection and for one queue: writes publishes, cuts what
 * comes into messages and confirmations, and finishes the messages. First the blocking part ({@link
 * #greet}, {@link #create}, {@link #subscribe}), then the part without waiting. Not thread-safe.
 */
abstract class Protocol {
  /** How many messages a consumer may have unfinished. */
  static final int PREFETCH = 2500;

  /** What a protocol makes of the bytes that come. */
  interface Listener {
    /**
     * @param messages that the server has answered for
     */
    void confirmed(int messages);

    /** A message came; its body lies in the input. */
    void message(byte[] in, int at, int length) throws IOException;
  }

  private String version = "unknown";

  /** What the server said it is, after {@link #greet}. */
  final String version() {
    return version;
  }

  /** Keeps what stands between two marks in a greeting. */
  final void version(String greeting, String before, String after) {
    int at = greeting.indexOf(before);
    int to = at < 0 ? -1 : greeting.indexOf(after, at + before.length());
    if (to >= 0) {
      version = greeting.substring(at + before.length(), to);
    }
  }

  /** What comes first on every connection. */
  abstract void greet(DataInputStream in, OutputStream out) throws IOException;

  /** Creates the queue, empty and with a place for consumers. */
  abstract void create(DataInputStream in, OutputStream out) throws IOException;

  /** Prepares to consume; no message may come before {@link #begin}. */
  void subscribe(DataInputStream in, OutputStream out) throws IOException {}

  /** Asks for messages. */
  abstract void begin(Out out);

  /**
   * Publishes some bodies in one command where the protocol has that.
   *
   * @param dueNs when they were due
   */
  abstract void publish(Out out, Bodies bodies, int count, long dueNs);

  /**
   * Takes all whole frames.
   *
   * @param out for answers that the protocol asks for by itself
   * @return where the first frame begins that is not whole
   * @throws IOException when the server refuses something or is not understood
   */
  abstract int read(byte[] in, int at, int end, Listener listener, Out out) throws IOException;

  /** Finishes the messages since the last time, and asks for more where that is needed. */
  abstract void finish(Out out);

  // ---------------------------------------------------------------- for the subclasses

  static void send(OutputStream out, Out bytes) throws IOException {
    out.write(bytes.toBytes());
    out.flush();
  }

  static void send(OutputStream out, String text) throws IOException {
    send(out, new Out().ascii(text));
  }

  /** A line without its end. */
  static String line(DataInputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  static String text(byte[] in, int at, int length) {
    return new String(in, at, length, StandardCharsets.UTF_8);
  }

  /**
   * @return -1 when there is none
   */
  static int indexOf(byte[] in, char wanted, int at, int end) {
    for (int i = at; i < end; i++) {
      if (in[i] == wanted) {
        return i;
      }
    }
    return -1;
  }

  /** A decimal number with an optional sign. */
  static int number(byte[] in, int at, int end) throws IOException {
    int value = 0;
    boolean negative = at < end && in[at] == '-';
    for (int i = negative ? at + 1 : at; i < end; i++) {
      int digit = in[i] - '0';
      if (digit < 0 || digit > 9 || value > Integer.MAX_VALUE / 16) {
        throw new IOException("not a number: " + text(in, at, end - at));
      }
      value = 10 * value + digit;
    }
    return negative ? -value : value;
  }
}
