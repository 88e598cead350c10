package io.holdfast.tools.client;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * One connection to a broker. Blocking; one thread reads ({@link #readFrame} and everything about
 * the current frame), any thread may send. Commands collect in a buffer until {@link #flush} or
 * {@link #send}; heartbeats are answered inside {@code readFrame}, together with what the buffer
 * holds.
 *
 * <p>Reading allocates nothing: a frame is a place in the input buffer, valid until the next {@code
 * readFrame}.
 */
public final class NsqConnection implements Closeable {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] OK = "OK".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CLOSE_WAIT = "CLOSE_WAIT".getBytes(StandardCharsets.US_ASCII);

  private static final int CONNECT_TIMEOUT_MS = 5_000;

  /** Timestamp, attempts and id in front of a message's body (PROTOCOL.md §3). */
  private static final int MESSAGE_HEADER = 8 + 2 + CommandBuffer.ID_LENGTH;

  private final BrokerAddress address;
  private final Socket socket;
  private final OutputStream output;
  private final ServerFeatures features;

  // Owned by the reading thread.
  private final FrameReader frame;

  // Guarded by itself.
  private final CommandBuffer out = new CommandBuffer(4096);

  private NsqConnection(BrokerAddress address, Handshake.Result begun) {
    this.address = address;
    this.socket = begun.socket();
    this.frame = begun.frame();
    this.output = begun.output();
    this.features = begun.features();
  }

  /**
   * Connects, sends the magic and IDENTIFY, reads its answer and does what was agreed.
   *
   * @param address the broker's TCP address
   * @param options what to ask for
   * @return a connection in state init
   * @throws NsqErrorException when the broker refuses
   * @throws IOException when there is no broker
   */
  public static NsqConnection open(BrokerAddress address, ConnectOptions options)
      throws IOException {
    return open(new Socket(), address, options);
  }

  /**
   * As {@link #open(BrokerAddress, ConnectOptions)}, over a socket of the caller's, such as a
   * channel's; closed when this fails.
   *
   * @param socket not yet connected
   */
  public static NsqConnection open(Socket socket, BrokerAddress address, ConnectOptions options)
      throws IOException {
    InetSocketAddress target = address.socketAddress();
    if (target.isUnresolved()) {
      socket.close();
      throw new UnknownHostException(address.host());
    }
    try {
      socket.setTcpNoDelay(true);
      socket.connect(target, CONNECT_TIMEOUT_MS);
      // A broker that accepts and then says nothing must not hang the set-up.
      socket.setSoTimeout(
          options.readTimeoutMs() > 0 ? options.readTimeoutMs() : CONNECT_TIMEOUT_MS);
      NsqConnection connection =
          new NsqConnection(address, Handshake.run(socket, address.host(), options));
      connection.authenticate(options.wire().authSecret());
      socket.setSoTimeout(options.readTimeoutMs());
      return connection;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** AUTH, where the broker wants it first. */
  private void authenticate(String secret) throws IOException {
    if (!features.authRequired()) {
      return;
    }
    if (secret == null) {
      throw new IOException("the broker wants AUTH: give --auth-secret or HOLDFAST_AUTH_SECRET");
    }
    byte[] body = secret.getBytes(StandardCharsets.UTF_8);
    synchronized (out) {
      out.lineWithBody("AUTH", body, 0, body.length);
    }
    flush();
    readReply();
  }

  /**
   * @return the broker's address as it was given
   */
  public BrokerAddress address() {
    return address;
  }

  /**
   * @return what the broker answered to IDENTIFY
   */
  public ServerFeatures features() {
    return features;
  }

  // ---------------------------------------------------------------- handing over

  /**
   * What was read after the last frame, for somebody who goes on reading {@link #input}.
   *
   * @return a copy; empty mostly
   */
  public byte[] unread() {
    return frame.unread();
  }

  /**
   * @return what comes after {@link #unread}, decrypted and decompressed; blocking
   */
  public InputStream input() {
    return frame.input();
  }

  /**
   * @return where commands go to be compressed and encrypted; to be flushed after each write
   */
  public OutputStream output() {
    return output;
  }

  // ---------------------------------------------------------------- reading

  /**
   * Waits for the next frame that is not a heartbeat.
   *
   * @return its type; its data is at {@link #dataOffset} of {@link #buffer}
   * @throws EOFException when the broker closed the connection
   * @throws IOException when it broke or timed out
   */
  public FrameType readFrame() throws IOException {
    FrameType type = frame.next();
    while (frame.isHeartbeat()) {
      answerHeartbeat();
      type = frame.next();
    }
    if (type == FrameType.MESSAGE && frame.dataLength() < MESSAGE_HEADER) {
      throw new IOException("message frame of " + frame.dataLength() + " bytes");
    }
    return type;
  }

  /**
   * Whether the next {@link #readFrame} returns without waiting. Answers heartbeats that are in the
   * way, so that nobody waits behind one with unsent FINs. The current frame stays valid.
   *
   * @return true when a whole frame other than a heartbeat is buffered
   * @throws IOException when a heartbeat cannot be answered
   */
  public boolean frameBuffered() throws IOException {
    while (frame.skipBufferedHeartbeat()) {
      answerHeartbeat();
    }
    return frame.buffered();
  }

  /**
   * Reads the answer to a command on a connection that gets no messages.
   *
   * @throws NsqErrorException when it is an error frame
   * @throws IOException when the connection broke
   */
  public void readReply() throws IOException {
    switch (readFrame()) {
      case ERROR -> throw new NsqErrorException(text());
      case MESSAGE -> throw new IOException("a message where an answer was due");
      case RESPONSE -> {}
    }
  }

  /**
   * Reads an answer that must be {@code OK}.
   *
   * @throws IOException when it is anything else
   */
  public void readOk() throws IOException {
    readReply();
    if (!frame.dataIs(OK)) {
      throw new IOException("unexpected answer \"" + text() + "\"");
    }
  }

  /**
   * @return whether the current response is CLS's answer
   */
  public boolean isCloseWait() {
    return frame.dataIs(CLOSE_WAIT);
  }

  /**
   * @return the input buffer; its place may change with every {@link #readFrame}
   */
  public byte[] buffer() {
    return frame.bytes();
  }

  /**
   * @return where the current frame's data starts
   */
  public int dataOffset() {
    return frame.dataOffset();
  }

  /**
   * @return bytes of the current frame's data
   */
  public int dataLength() {
    return frame.dataLength();
  }

  /**
   * @return the current frame's data as text
   */
  public String text() {
    return new String(
        frame.bytes(), frame.dataOffset(), frame.dataLength(), StandardCharsets.UTF_8);
  }

  /**
   * @return publish time of the current message, ns since the epoch
   */
  public long messageTimestampNs() {
    return (long) LONG.get(frame.bytes(), frame.dataOffset());
  }

  /**
   * @return how often the current message was delivered, this time included
   */
  public int messageAttempts() {
    byte[] in = frame.bytes();
    int at = frame.dataOffset() + 8;
    return ((in[at] & 0xff) << 8) | (in[at + 1] & 0xff);
  }

  /**
   * @return where the current message's id starts in {@link #buffer}
   */
  public int messageIdOffset() {
    return frame.dataOffset() + 10;
  }

  /**
   * @return id of the current message
   */
  public String messageId() {
    return new String(
        frame.bytes(), messageIdOffset(), CommandBuffer.ID_LENGTH, StandardCharsets.ISO_8859_1);
  }

  /**
   * @return where the current message's body starts in {@link #buffer}
   */
  public int bodyOffset() {
    return frame.dataOffset() + MESSAGE_HEADER;
  }

  /**
   * @return bytes of the current message's body
   */
  public int bodyLength() {
    return frame.dataLength() - MESSAGE_HEADER;
  }

  private void answerHeartbeat() throws IOException {
    synchronized (out) {
      out.line("NOP");
      writeOut();
    }
  }

  // ---------------------------------------------------------------- sending

  /**
   * SUB, waiting for its answer.
   *
   * @param topic valid topic name
   * @param channel valid channel name
   * @throws NsqErrorException when refused
   * @throws IOException when the connection broke
   */
  public void subscribe(String topic, String channel) throws IOException {
    synchronized (out) {
      out.line("SUB " + topic + " " + channel);
    }
    flush();
    readOk();
  }

  /**
   * RDY, sent at once.
   *
   * @param count zero or more; lowered to what the broker takes
   * @throws IOException when the connection broke
   */
  public void ready(int count) throws IOException {
    synchronized (out) {
      out.line("RDY " + Math.min(count, features.maxRdyCount()));
      writeOut();
    }
  }

  /** FIN of the current message; buffered. Only the reading thread may call it. */
  public void finish() {
    synchronized (out) {
      out.fin(frame.bytes(), messageIdOffset());
    }
  }

  /**
   * REQ of the current message; buffered. Only the reading thread may call it.
   *
   * @param delayMs zero or more
   */
  public void requeue(long delayMs) {
    synchronized (out) {
      out.req(frame.bytes(), messageIdOffset(), delayMs);
    }
  }

  /** TOUCH of the current message; buffered. Only the reading thread may call it. */
  public void touch() {
    synchronized (out) {
      out.touch(frame.bytes(), messageIdOffset());
    }
  }

  /**
   * CLS, sent at once; the broker sends no messages after its {@code CLOSE_WAIT}.
   *
   * @param timeoutMs longest silence from the next read on; 0 = no limit
   * @throws IOException when the connection broke
   */
  public void startClose(int timeoutMs) throws IOException {
    socket.setSoTimeout(timeoutMs);
    synchronized (out) {
      out.line("CLS");
      writeOut();
    }
  }

  /**
   * Writes what is buffered.
   *
   * @throws IOException when the connection broke
   */
  public void flush() throws IOException {
    synchronized (out) {
      writeOut();
    }
  }

  /** Writes what is buffered, through what compresses; the caller holds the buffer's lock. */
  private void writeOut() throws IOException {
    out.writeTo(output);
    output.flush();
  }

  /**
   * Writes what is buffered and then these commands.
   *
   * @param commands complete commands; cleared
   * @throws IOException when the connection broke
   */
  public void send(CommandBuffer commands) throws IOException {
    synchronized (out) {
      out.writeTo(output);
      commands.writeTo(output);
      output.flush();
    }
  }

  /** Closes the socket; a thread that reads gets an exception. */
  @Override
  public void close() throws IOException {
    socket.close();
  }
}
