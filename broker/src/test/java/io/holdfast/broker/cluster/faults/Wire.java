package io.holdfast.broker.cluster.faults;

import io.holdfast.broker.system.support.Frame;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A connection to a node. What is sent goes out with {@link #flush}. Used by one thread. */
final class Wire implements Closeable {
  /** For the rest of a frame that has begun, ms. */
  private static final int REST_MS = 5000;

  private static final int MAX_FRAME = 16 << 20;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  Wire(FaultNode node) throws IOException {
    socket = node.connect();
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
    out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), 1 << 16));
    out.writeBytes("  V2");
  }

  void line(String line) throws IOException {
    out.writeBytes(line + "\n");
  }

  void command(String line, byte[] body) throws IOException {
    line(line);
    out.writeInt(body.length);
    out.write(body);
  }

  /** MPUB. */
  void batch(String line, List<byte[]> bodies) throws IOException {
    line(line);
    out.writeInt(Integer.BYTES + bodies.stream().mapToInt(b -> b.length + Integer.BYTES).sum());
    out.writeInt(bodies.size());
    for (byte[] body : bodies) {
      out.writeInt(body.length);
      out.write(body);
    }
  }

  void flush() throws IOException {
    out.flush();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** The next frame; heartbeats are answered and returned, too. Null when none comes in time. */
  Frame poll(int millis) throws IOException {
    socket.setSoTimeout(Math.max(1, millis));
    in.mark(1);
    try {
      if (in.read() < 0) {
        throw new EOFException("closed by the broker");
      }
    } catch (SocketTimeoutException e) {
      return null;
    }
    in.reset();
    socket.setSoTimeout(REST_MS);
    int size = in.readInt();
    if (size < Integer.BYTES || size > MAX_FRAME) {
      throw new IOException("frame of " + size);
    }
    int type = in.readInt();
    byte[] data = new byte[size - Integer.BYTES];
    in.readFully(data);
    Frame frame = new Frame(type, data);
    if (frame.isHeartbeat()) {
      line("NOP");
      flush();
    }
    return frame;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
