package io.holdfast.tools.bench.load;

import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.ConnectOptions;
import io.holdfast.tools.client.NsqConnection;
import io.holdfast.tools.client.NsqErrorException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;

/**
 * A connection of the load: cuts what comes into frames where it lies in the loop's input buffer,
 * and keeps what the socket does not take. Owned by the loop's thread.
 */
abstract class LoadConnection implements Closeable {
  private static final int RESPONSE = 0;
  private static final int ERROR = 1;
  private static final int MESSAGE = 2;
  private static final int FRAME_HEAD = 8;
  private static final int HEARTBEAT_LENGTH = "_heartbeat_".length();
  private static final int OK_LENGTH = "OK".length();
  private static final int CLOSE_WAIT_LENGTH = "CLOSE_WAIT".length();

  /** A larger frame means that this is no NSQ broker. */
  private static final int MAX_FRAME = 256 << 20;

  private final BrokerAddress address;
  private final int maxRdyCount;
  private final SocketChannel socket;

  /** Beside the socket when what it carries is encrypted or compressed; else null. */
  private StreamBridge bridge;

  private ReadableByteChannel in;
  private WritableByteChannel out;
  private SelectionKey writing;
  private boolean closed;

  /** The beginning of a frame whose rest has yet to come; null until there is one. */
  private ByteBuffer partial;

  /** What the socket has yet to take; null mostly. */
  private ByteBuffer unsent;

  /**
   * Connects, and subscribes if there is a channel.
   *
   * @param topic to subscribe to; null for nothing
   * @throws ToolException when there is no broker or it refuses
   */
  LoadConnection(BrokerAddress address, ConnectOptions options, String topic, String channel)
      throws IOException {
    this.address = address;
    socket = SocketChannel.open();
    try {
      NsqConnection conn = NsqConnection.open(socket.socket(), address, options);
      maxRdyCount = conn.features().maxRdyCount();
      if (topic != null) {
        conn.subscribe(topic, channel);
      }
      byte[] unread = conn.unread();
      if (unread.length > 0) {
        keep(ByteBuffer.wrap(unread));
      }
      if (options.wire().isPlain()) {
        in = socket;
        out = socket;
      } else {
        bridge = new StreamBridge(conn);
        in = bridge.source();
        out = bridge.sink();
      }
    } catch (IOException e) {
      socket.close();
      throw new ToolException(address + ": " + ToolException.describe(e), e);
    }
  }

  final BrokerAddress address() {
    return address;
  }

  final int maxRdyCount() {
    return maxRdyCount;
  }

  final void register(Selector selector) throws IOException {
    SelectionKey reading = key(in, selector, SelectionKey.OP_READ);
    writing = in == out ? reading : key(out, selector, 0);
  }

  private SelectionKey key(Object channel, Selector selector, int operations) throws IOException {
    SelectableChannel selectable = (SelectableChannel) channel;
    selectable.configureBlocking(false);
    return selectable.register(selector, operations, this);
  }

  // ---------------------------------------------------------------- reading

  /** One read and all frames in it. */
  final void onReadable(LoadRun run) throws IOException {
    ByteBuffer buffer = run.input(partial == null ? 0 : partialFrame());
    buffer.clear();
    if (partial != null) {
      buffer.put(partial.flip());
      partial.clear();
    }
    if (in.read(buffer) < 0) {
      throw bridge != null && bridge.failure() != null
          ? bridge.failure()
          : new EOFException("connection closed by the broker");
    }
    buffer.flip();
    long nowNs = System.nanoTime();
    int at = 0;
    int limit = buffer.limit();
    while (limit - at >= FRAME_HEAD) {
      int size = checkedSize(buffer.getInt(at));
      if (limit - at < Integer.BYTES + size) {
        break;
      }
      int type = buffer.getInt(at + Integer.BYTES);
      frame(buffer, at + FRAME_HEAD, size - Integer.BYTES, type, nowNs);
      at += Integer.BYTES + size;
    }
    if (at < limit) {
      keep(buffer.position(at));
    }
    afterRead(nowNs);
  }

  private static int checkedSize(int size) throws IOException {
    if (size < Integer.BYTES || size > MAX_FRAME) {
      throw new IOException("not an NSQ broker: frame of " + size + " bytes");
    }
    return size;
  }

  /** Bytes of the frame that has begun; 0 while its head has not come. */
  private int partialFrame() {
    return partial.position() < FRAME_HEAD ? 0 : Integer.BYTES + partial.getInt(0);
  }

  private void frame(ByteBuffer buffer, int data, int length, int type, long nowNs)
      throws IOException {
    if (type == MESSAGE) {
      onMessage(buffer, data, length, nowNs);
    } else if (type == ERROR) {
      onError(new NsqErrorException(text(buffer, data, length)));
    } else if (type == RESPONSE && length == OK_LENGTH) {
      onOk(nowNs);
    } else if (type == RESPONSE && length == HEARTBEAT_LENGTH) {
      command("NOP");
    } else if (type == RESPONSE && length == CLOSE_WAIT_LENGTH) {
      onCloseWait();
    } else {
      throw new IOException("unexpected answer \"" + text(buffer, data, length) + "\"");
    }
  }

  private static String text(ByteBuffer buffer, int data, int length) {
    byte[] bytes = new byte[length];
    buffer.get(data, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private void keep(ByteBuffer tail) {
    if (partial == null || partial.capacity() < tail.remaining()) {
      partial = ByteBuffer.allocate(Math.max(4096, 2 * tail.remaining()));
    }
    partial.put(tail);
  }

  void onOk(long nowNs) throws IOException {
    throw new IOException("an OK to nothing");
  }

  void onMessage(ByteBuffer buffer, int data, int length, long nowNs) throws IOException {
    throw new IOException("a message on a publishing connection");
  }

  void onError(NsqErrorException error) throws IOException {
    throw error;
  }

  void onCloseWait() throws IOException {
    throw new IOException("CLOSE_WAIT to nothing");
  }

  /** All frames of a read have been handled. */
  abstract void afterRead(long nowNs) throws IOException;

  // ---------------------------------------------------------------- sending

  /** Whether the socket has taken everything. */
  final boolean allSent() {
    return unsent == null;
  }

  /** Sends a line without its newline. */
  final void command(String line) throws IOException {
    send(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII)));
  }

  /** Sends a buffer, which is the caller's again at once. */
  final void send(ByteBuffer commands) throws IOException {
    if (unsent == null) {
      out.write(commands);
    }
    if (commands.hasRemaining()) {
      int pending = unsent == null ? 0 : unsent.remaining();
      ByteBuffer all = ByteBuffer.allocate(pending + commands.remaining());
      if (pending > 0) {
        all.put(unsent);
      }
      waitForSocket(all.put(commands).flip());
    }
  }

  /** Sends a buffer that the caller leaves alone until {@link #allSent}. */
  final void sendInPlace(ByteBuffer commands) throws IOException {
    out.write(commands);
    if (commands.hasRemaining()) {
      waitForSocket(commands);
    }
  }

  /** Sends what the socket takes now, from any thread that is the only one to send here. */
  final void sendSome(ByteBuffer commands) throws IOException {
    out.write(commands);
  }

  private void waitForSocket(ByteBuffer rest) {
    unsent = rest;
    writing.interestOpsOr(SelectionKey.OP_WRITE);
  }

  /** The socket takes more. */
  final void onWritable() throws IOException {
    if (unsent != null) {
      out.write(unsent);
      if (unsent.hasRemaining()) {
        return;
      }
      unsent = null;
    }
    writing.interestOpsAnd(~SelectionKey.OP_WRITE);
    afterRead(System.nanoTime());
  }

  /** Whether it has been closed, or the broker has said that nothing more comes. */
  boolean isClosed() {
    return closed;
  }

  @Override
  public final void close() throws IOException {
    closed = true;
    if (bridge != null) {
      bridge.close();
    }
    socket.close();
  }
}
