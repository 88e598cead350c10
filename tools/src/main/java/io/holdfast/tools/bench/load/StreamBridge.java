package io.holdfast.tools.bench.load;

import io.holdfast.tools.client.NsqConnection;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;

/**
 * Lets the loop select on a connection that encrypts or compresses, which only streams can do: one
 * thread reads the broker's into a pipe, another writes what comes out of a second pipe. Both end
 * when this is closed.
 */
final class StreamBridge implements Closeable {
  private static final int BUFFER_BYTES = 64 << 10;

  private final NsqConnection conn;
  private final Pipe fromBroker = Pipe.open();
  private final Pipe toBroker = Pipe.open();
  private volatile IOException failure;

  /**
   * @param conn nobody else reads or writes it any more
   */
  StreamBridge(NsqConnection conn) throws IOException {
    this.conn = conn;
    start("bridge-in", this::read);
    start("bridge-out", this::write);
  }

  private interface Copying {
    void run() throws IOException;
  }

  private void start(String name, Copying copying) {
    Thread thread =
        new Thread(
            () -> {
              try {
                copying.run();
              } catch (IOException e) {
                failure = e; // The loop asks when it comes to the end of the pipe.
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
  }

  private void read() throws IOException {
    InputStream in = conn.input();
    byte[] bytes = new byte[BUFFER_BYTES];
    try (Pipe.SinkChannel sink = fromBroker.sink()) {
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
        while (buffer.hasRemaining()) {
          sink.write(buffer);
        }
      }
    }
  }

  private void write() throws IOException {
    OutputStream out = conn.output();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    try (Pipe.SourceChannel source = toBroker.source()) {
      while (source.read(buffer) >= 0) {
        out.write(buffer.array(), 0, buffer.position());
        out.flush();
        buffer.clear();
      }
    } catch (IOException e) {
      conn.close(); // So that the other thread comes to its end, and the loop to the pipe's.
      throw e;
    }
  }

  /** Where the loop reads. */
  Pipe.SourceChannel source() {
    return fromBroker.source();
  }

  /** Where the loop writes. */
  Pipe.SinkChannel sink() {
    return toBroker.sink();
  }

  /** Why nothing more comes; null when the broker closed the connection. */
  IOException failure() {
    return failure;
  }

  @Override
  public void close() throws IOException {
    fromBroker.source().close();
    toBroker.sink().close();
    conn.close();
  }
}
