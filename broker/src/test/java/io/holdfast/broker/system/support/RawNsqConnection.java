package io.holdfast.broker.system.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.xerial.snappy.SnappyFramedInputStream;
import org.xerial.snappy.SnappyFramedOutputStream;

/**
 * A TCP connection to a broker that says exactly what the test says. Text is ISO 8859-1 both ways,
 * so any byte can be written as a character. Heartbeats are skipped but not answered unless a test
 * reads frames itself. Used by one thread, but one more may write.
 */
public final class RawNsqConnection implements AutoCloseable {
  /** How long an expected frame or end may take before the test fails. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private Socket socket;
  private DataInputStream in;
  private OutputStream out;

  /** Of {@link #out}; null unless deflate was agreed. */
  private DeflaterOutputStream deflate;

  /** Messages that came where a response was expected: they may overtake it. */
  private final Deque<Frame> setAside = new ArrayDeque<>();

  private RawNsqConnection(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    streams(socket.getInputStream(), socket.getOutputStream());
  }

  private interface Io {
    void run() throws IOException;
  }

  private RawNsqConnection doing(Io something) {
    try {
      something.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  private void streams(InputStream from, OutputStream to) {
    in = new DataInputStream(new BufferedInputStream(from, 1 << 16));
    out = to;
  }

  /** A new connection to a loopback port, without the magic. */
  public static RawNsqConnection open(int port) {
    try {
      return new RawNsqConnection(port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The bytes of an int32. */
  public static String int32(int value) {
    return latin1(ByteBuffer.allocate(4).putInt(0, value).array());
  }

  /** A body with its size in front. */
  public static String sized(String body) {
    return int32(body.length()) + body;
  }

  /** An MPUB body without its outer size: count, then size and body of each message. */
  public static String batch(String... messages) {
    StringBuilder batch = new StringBuilder(int32(messages.length));
    for (String message : messages) {
      batch.append(sized(message));
    }
    return batch.toString();
  }

  public static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  public RawNsqConnection sendMagic() {
    return send("  V2");
  }

  /** Sends these bytes as they are. */
  public RawNsqConnection send(String bytes) {
    return send(bytes.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Sends these bytes as they are. */
  public RawNsqConnection send(byte[] bytes) {
    return doing(() -> out.write(bytes));
  }

  /** Sends a command line; the newline is added. */
  public RawNsqConnection line(String line) {
    return send(line + "\n");
  }

  /** Sends a command line and a body with its size. */
  public RawNsqConnection command(String line, String body) {
    return send(line + "\n" + sized(body));
  }

  public RawNsqConnection pub(String topic, String body) {
    return command("PUB " + topic, body).expectOk();
  }

  public RawNsqConnection mpub(String topic, String... messages) {
    return command("MPUB " + topic, batch(messages)).expectOk();
  }

  /** IDENTIFY with a JSON object; returns the reply's text. */
  public String identify(String json) {
    return command("IDENTIFY", json).expectResponse();
  }

  /**
   * IDENTIFY with feature negotiation and these further fields (as {@code ,"a":1}), then whatever
   * the reply says: TLS, then compression, each confirmed by an OK.
   *
   * @param tls for the handshake; may be null if the reply will not say TLS
   * @return the reply
   */
  public String upgrade(String fields, SSLContext tls) {
    String reply = identify("{\"feature_negotiation\":true" + fields + "}");
    if (reply.contains("\"tls_v1\":true")) {
      startTls(tls);
      expectOk();
    }
    if (reply.contains("\"snappy\":true")) {
      startSnappy();
      expectOk();
    } else if (reply.contains("\"deflate\":true")) {
      startDeflate();
      expectOk();
    }
    return reply;
  }

  /**
   * Does a TLS handshake; the certificate's name is not looked at.
   *
   * @throws UncheckedIOException when it fails
   */
  public RawNsqConnection startTls(SSLContext tls) {
    try {
      SSLSocket upgraded =
          (SSLSocket)
              tls.getSocketFactory().createSocket(socket, "localhost", socket.getPort(), true);
      upgraded.setSoTimeout((int) PATIENCE.toMillis());
      socket = upgraded;
      upgraded.startHandshake();
      streams(upgraded.getInputStream(), upgraded.getOutputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /**
   * Speaks snappy's framing format from here on, by another implementation than the broker's. On
   * top of what is buffered: the broker's first compressed bytes may be in there.
   */
  private void startSnappy() {
    try {
      OutputStream plain = out;
      streams(new SnappyFramedInputStream(in), null);
      out = new Flushed(new SnappyFramedOutputStream(plain));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Speaks raw deflate from here on, with the JDK's streams. */
  private void startDeflate() {
    OutputStream plain = out;
    streams(new InflaterInputStream(in, new Inflater(true)), null);
    deflate = new DeflaterOutputStream(plain, new Deflater(6, true), 8192, true);
    out = new Flushed(deflate);
  }

  /** The handshake's outcome; null before TLS. */
  public SSLSession tlsSession() {
    return socket instanceof SSLSocket tls ? tls.getSession() : null;
  }

  /** FIN without waiting for anything; use {@link #flushed()} to know it was handled. */
  public RawNsqConnection fin(Frame.Msg message) {
    return line("FIN " + message.id());
  }

  /** Waits until all commands sent were handled, by publishing to a throw-away topic. */
  public RawNsqConnection flushed() {
    return pub("flushed#ephemeral", "x");
  }

  /** Ends our direction; the broker sees the end of the stream. */
  public RawNsqConnection endOutput() {
    return doing(() -> socket.shutdownOutput());
  }

  /** Sends these bytes, if any, in the final block of the deflate stream; the socket stays open. */
  public RawNsqConnection endDeflate(String bytes) {
    return doing(
        () -> {
          deflate.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
          deflate.finish();
          deflate.flush();
        });
  }

  /** The next frame of any kind, or null when none comes within that time; EOF fails. */
  public Frame poll(Duration atMost) {
    try {
      return read(atMost);
    } catch (SocketTimeoutException e) {
      return null;
    } catch (EOFException | SocketException e) {
      throw new ClosedByBroker(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A frame whose first byte came is read whole, so that a timeout never loses part of a frame. */
  private Frame read(Duration atMost) throws IOException {
    socket.setSoTimeout((int) Math.max(1, atMost.toMillis()));
    in.mark(1);
    if (in.read() < 0) {
      throw new EOFException();
    }
    in.reset();
    socket.setSoTimeout((int) PATIENCE.toMillis());
    int size = in.readInt();
    if (size < 4 || size > 64 << 20) {
      throw new AssertionError("frame size " + size);
    }
    int type = in.readInt();
    byte[] data = new byte[size - 4];
    in.readFully(data);
    return new Frame(type, data);
  }

  /** The next frame but heartbeats, or null when none comes within that time. */
  public Frame pollFrame(Duration atMost) {
    return setAside.isEmpty() ? receive(atMost) : setAside.removeFirst();
  }

  private Frame receive(Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    while (true) {
      long leftNs = deadline - System.nanoTime();
      Frame frame = leftNs <= 0 ? null : poll(Duration.ofNanos(Math.max(leftNs, 1_000_000)));
      if (frame == null || !frame.isHeartbeat()) {
        return frame;
      }
    }
  }

  /** The next frame but heartbeats. */
  public Frame frame() {
    Frame frame = pollFrame(PATIENCE);
    if (frame == null) {
      throw new AssertionError("no frame within " + PATIENCE);
    }
    return frame;
  }

  /** The next message; any other frame fails. */
  public Frame.Msg message() {
    return frame().message();
  }

  /** The next message, or null when nothing comes within that time. */
  public Frame.Msg pollMessage(Duration atMost) {
    Frame frame = pollFrame(atMost);
    return frame == null ? null : frame.message();
  }

  /** That many messages. */
  public List<Frame.Msg> messages(int count) {
    List<Frame.Msg> messages = new ArrayList<>();
    while (messages.size() < count) {
      messages.add(message());
    }
    return messages;
  }

  /** Reads and finishes that many messages; their bodies in the order they came. */
  public List<String> finish(int count) {
    List<String> bodies = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Frame.Msg message = message();
      bodies.add(message.text());
      fin(message);
    }
    return bodies;
  }

  /** The next response or error; messages before it are kept for later. */
  private Frame reply() {
    while (true) {
      Frame frame = receive(PATIENCE);
      if (frame == null) {
        throw new AssertionError("no reply within " + PATIENCE);
      }
      if (frame.type() != Frame.MESSAGE) {
        return frame;
      }
      setAside.add(frame);
    }
  }

  /**
   * The text of the next reply, which must be a response; messages before it are kept for later.
   */
  public String expectResponse() {
    Frame frame = reply();
    assertEquals(Frame.RESPONSE, frame.type(), frame::toString);
    return frame.text();
  }

  public RawNsqConnection expectOk() {
    assertEquals("OK", expectResponse());
    return this;
  }

  /** The next reply is this error, byte for byte. */
  public RawNsqConnection expectError(String text) {
    Frame frame = reply();
    assertEquals("type 1: " + text, "type " + frame.type() + ": " + frame.text());
    return this;
  }

  /** The next reply is an error that begins like this; returns the whole text. */
  public String expectErrorLike(String begin) {
    Frame frame = reply();
    assertTrue(
        frame.type() == Frame.ERROR && frame.text().startsWith(begin), () -> "reply: " + frame);
    return frame.text();
  }

  /** Error, and the connection is closed. */
  public void expectFatal(String text) {
    expectError(text).expectClosed();
  }

  /** Nothing but heartbeats comes until the connection ends (by FIN or RST). */
  public void expectClosed() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (System.nanoTime() < deadline) {
        Frame frame = read(PATIENCE);
        if (!frame.isHeartbeat()) {
          throw new AssertionError("frame instead of the end: " + frame);
        }
      }
      throw new AssertionError("not closed, only heartbeats");
    } catch (SocketTimeoutException e) {
      throw new AssertionError("not closed within " + PATIENCE, e);
    } catch (EOFException | SocketException e) {
      return; // closed, as expected
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** No frame but heartbeats within that time, and not closed. */
  public RawNsqConnection expectSilence(Duration time) {
    Frame frame = pollFrame(time);
    assertNull(frame, () -> "unexpected frame " + frame);
    return this;
  }

  /** The connection still works. */
  public RawNsqConnection expectAlive() {
    return flushed();
  }

  /** Reads raw bytes until the end, without parsing. */
  public byte[] readToEnd() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      for (int b = in.read(); b >= 0; b = in.read()) {
        bytes.write(b);
      }
    } catch (SocketTimeoutException e) {
      throw new AssertionError("not closed within " + PATIENCE, e);
    } catch (SocketException e) {
      return bytes.toByteArray(); // reset after what we have
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Reads raw bytes until the end of the stream, which no reset may take the place of. */
  public byte[] readToCleanEnd() throws IOException {
    socket.setSoTimeout((int) PATIENCE.toMillis());
    return in.readAllBytes();
  }

  /** {@code ip:port} of our end, as /stats shows it. */
  public String localAddress() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  /** Milliseconds since a {@link System#nanoTime()}. */
  public static long millisSince(long startNs) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
  }

  @Override
  public void close() {
    doing(() -> socket.close());
  }
}
