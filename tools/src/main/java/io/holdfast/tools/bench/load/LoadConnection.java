package io.holdfast.tools.bench.load;

import io.holdfast.tools.client.BrokerAddress;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
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

  final SocketChannel channel;
  private SelectionKey key;

  /** The beginning of a frame whose rest has yet to come; null until there is one. */
  private ByteBuffer partial;

  /** What the socket has yet to take; null mostly. */
  private ByteBuffer unsent;

  /**
   * @param heartbeatMs as in IDENTIFY: 0 = the broker's default, -1 = none
   */
  LoadConnection(BrokerAddress broker, int heartbeatMs) throws IOException {
    String identify =
        "{\"client_id\":\"bench\",\"hostname\":\"bench\",\"user_agent\":\"holdfast-tools/suite\","
            + "\"heartbeat_interval\":"
            + heartbeatMs
            + "}";
    channel = SocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.connect(broker.socketAddress());
      ask("  V2IDENTIFY\n" + length(identify) + identify);
    } catch (IOException e) {
      channel.close();
      throw new IOException(broker + ": " + e.getMessage(), e);
    }
  }

  private static String length(String text) {
    byte[] bytes = ByteBuffer.allocate(Integer.BYTES).putInt(text.length()).array();
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** Sends a command and waits for its OK; only before {@link #register}. */
  final void askForOk(String command) throws IOException {
    String answer = ask(command);
    if (!answer.equals("OK")) {
      throw new IOException("unexpected answer \"" + answer + "\"");
    }
  }

  private String ask(String command) throws IOException {
    ByteBuffer out = ByteBuffer.wrap(command.getBytes(StandardCharsets.ISO_8859_1));
    while (out.hasRemaining()) {
      channel.write(out);
    }
    ByteBuffer head = exactly(FRAME_HEAD);
    int size = head.getInt();
    int type = head.getInt();
    if (size < Integer.BYTES || size > 1 << 20) {
      throw new IOException("not an NSQ broker: frame of " + size + " bytes");
    }
    String answer = StandardCharsets.UTF_8.decode(exactly(size - Integer.BYTES)).toString().strip();
    if (type != RESPONSE) {
      throw new IOException(answer);
    }
    return answer;
  }

  private ByteBuffer exactly(int bytes) throws IOException {
    ByteBuffer to = ByteBuffer.allocate(bytes);
    while (to.hasRemaining()) {
      if (channel.read(to) < 0) {
        throw new EOFException("connection closed by the broker");
      }
    }
    return to.flip();
  }

  final void register(Selector selector) throws IOException {
    channel.configureBlocking(false);
    key = channel.register(selector, SelectionKey.OP_READ, this);
  }

  // ---------------------------------------------------------------- reading

  /** One read and all frames in it. */
  final void onReadable(ByteBuffer in) throws IOException {
    in.clear();
    if (partial != null) {
      in.put(partial.flip());
      partial.clear();
    }
    if (channel.read(in) < 0) {
      throw new EOFException("connection closed by the broker");
    }
    in.flip();
    long nowNs = System.nanoTime();
    int at = 0;
    int limit = in.limit();
    while (limit - at >= FRAME_HEAD) {
      int size = in.getInt(at);
      if (size < Integer.BYTES || size > in.capacity() - Integer.BYTES) {
        throw new IOException("not an NSQ broker: frame of " + size + " bytes");
      }
      if (limit - at < Integer.BYTES + size) {
        break;
      }
      frame(in, at + FRAME_HEAD, size - Integer.BYTES, in.getInt(at + Integer.BYTES), nowNs);
      at += Integer.BYTES + size;
    }
    if (at < limit) {
      keep(in.position(at));
    }
    afterRead(nowNs);
  }

  private void frame(ByteBuffer in, int data, int length, int type, long nowNs) throws IOException {
    if (type == MESSAGE) {
      onMessage(in, data, length, nowNs);
    } else if (type == ERROR) {
      onError(text(in, data, length));
    } else if (length == OK_LENGTH) {
      onOk(nowNs);
    } else if (length == HEARTBEAT_LENGTH) {
      send(ByteBuffer.wrap("NOP\n".getBytes(StandardCharsets.US_ASCII)));
    } else if (length == CLOSE_WAIT_LENGTH) {
      onCloseWait();
    } else {
      throw new IOException("unexpected answer \"" + text(in, data, length) + "\"");
    }
  }

  private static String text(ByteBuffer in, int data, int length) {
    byte[] bytes = new byte[length];
    in.get(data, bytes);
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

  void onMessage(ByteBuffer in, int data, int length, long nowNs) throws IOException {
    throw new IOException("a message on a publishing connection");
  }

  void onError(String text) throws IOException {
    throw new IOException(text);
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

  /** Sends a buffer, which is the caller's again at once. */
  final void send(ByteBuffer commands) throws IOException {
    if (unsent == null) {
      channel.write(commands);
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
    channel.write(commands);
    if (commands.hasRemaining()) {
      waitForSocket(commands);
    }
  }

  private void waitForSocket(ByteBuffer rest) {
    unsent = rest;
    key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
  }

  /** The socket takes more. */
  final void onWritable() throws IOException {
    if (unsent != null) {
      channel.write(unsent);
      if (unsent.hasRemaining()) {
        return;
      }
      unsent = null;
    }
    key.interestOps(SelectionKey.OP_READ);
    afterRead(System.nanoTime());
  }

  @Override
  public final void close() throws IOException {
    channel.close();
  }
}
