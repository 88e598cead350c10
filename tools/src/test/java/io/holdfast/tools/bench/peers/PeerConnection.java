package io.holdfast.tools.bench.peers;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/**
 * A connection of the load. The loop's thread reads; that thread or a pacing one writes, each under
 * the connection's lock.
 */
final class PeerConnection implements Closeable {
  private static final int TIMEOUT_MS = 30_000;
  private static final int IN_BYTES = 16 << 10;
  private static final int CONSUMER_IN_BYTES = 256 << 10;

  private final SocketChannel socket;
  private final Protocol protocol;
  private ByteBuffer in;
  private SelectionKey key;

  /** Guarded by this. */
  private final Out out = new Out();

  /** Messages sent and not yet confirmed; the loop's. */
  int outstanding;

  /** When the only outstanding message was sent; the loop's. */
  long sentNs;

  private PeerConnection(SocketChannel socket, Protocol protocol, int bytes) {
    this.socket = socket;
    this.protocol = protocol;
    this.in = ByteBuffer.allocate(bytes);
  }

  /** What to do on a connection while it still waits for answers. */
  interface Step {
    void run(DataInputStream in, java.io.OutputStream out) throws IOException;
  }

  /** Connects, greets, takes a step, and closes. */
  static void once(int port, Protocol protocol, Step step) throws IOException {
    open(port, protocol, 0, step).close();
  }

  static PeerConnection publisher(int port, Protocol protocol) throws IOException {
    return open(port, protocol, IN_BYTES, (in, out) -> {});
  }

  static PeerConnection consumer(int port, Protocol protocol) throws IOException {
    return open(port, protocol, CONSUMER_IN_BYTES, protocol::subscribe);
  }

  private static PeerConnection open(int port, Protocol protocol, int bytes, Step step)
      throws IOException {
    SocketChannel socket = SocketChannel.open();
    try {
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      socket.socket().setSoTimeout(TIMEOUT_MS);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      DataInputStream in = new DataInputStream(socket.socket().getInputStream());
      protocol.greet(in, socket.socket().getOutputStream());
      step.run(in, socket.socket().getOutputStream());
      return new PeerConnection(socket, protocol, bytes);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  void register(Selector selector) throws IOException {
    socket.configureBlocking(false);
    key = socket.register(selector, SelectionKey.OP_READ, this);
  }

  /** Asks for messages. */
  synchronized void begin() throws IOException {
    protocol.begin(out);
    flush();
  }

  /** Puts messages; {@link #flush} sends them. */
  synchronized void publish(Bodies bodies, int count, long dueNs) {
    protocol.publish(out, bodies, count, dueNs);
  }

  /** Sends what the socket takes. */
  synchronized void flush() throws IOException {
    boolean all = out.writeTo(socket);
    if (all == ((key.interestOps() & SelectionKey.OP_WRITE) != 0)) {
      key.interestOps(SelectionKey.OP_READ | (all ? 0 : SelectionKey.OP_WRITE));
      key.selector().wakeup();
    }
  }

  /** Whether the socket has taken everything. */
  synchronized boolean allSent() {
    return out.size() == 0;
  }

  /** One read, all whole frames in it, and the answers to them. */
  synchronized void onReadable(Protocol.Listener listener) throws IOException {
    if (socket.read(in) < 0) {
      throw new EOFException("the server closed the connection");
    }
    byte[] bytes = in.array();
    int used = protocol.read(bytes, 0, in.position(), listener, out);
    int rest = in.position() - used;
    if (used == 0 && rest == bytes.length) {
      in = ByteBuffer.allocate(2 * bytes.length);
    }
    System.arraycopy(bytes, used, in.array(), 0, rest);
    in.position(rest);
    protocol.finish(out);
    if (out.size() > 0) {
      flush();
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
