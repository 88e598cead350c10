package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.xerial.snappy.SnappyFramedInputStream;
import org.xerial.snappy.SnappyFramedOutputStream;

/**
 * How a connection begins (PROTOCOL.md §2): the magic and IDENTIFY in clear, its answer, then what
 * was agreed: TLS, and an OK inside it; compression, and an OK inside that. What was asked for and
 * is not granted is an error: nobody sends in clear what they wanted encrypted. Used once, by one
 * thread.
 */
final class Handshake {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] MAGIC = "  V2".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] OK = "OK".getBytes(StandardCharsets.US_ASCII);
  private static final int DEFLATE_LEVEL = 6;
  private static final int BUFFER_BYTES = 32 << 10;

  /** Longest wait at the end for what is unsent, s: without it a close waits for a stuck write. */
  private static final int LINGER_SECONDS = 2;

  private final ConnectOptions options;
  private Socket socket;
  private InputStream input;
  private OutputStream output;
  private FrameReader frame;
  private ServerFeatures features = ServerFeatures.UNKNOWN;

  /**
   * What came of it.
   *
   * @param socket to be closed in the end
   * @param frame reads, from where the handshake ended
   * @param output to be flushed after each write
   */
  record Result(Socket socket, FrameReader frame, OutputStream output, ServerFeatures features) {}

  private Handshake(Socket socket, ConnectOptions options) throws IOException {
    this.options = options;
    use(socket);
    frame = new FrameReader(input);
  }

  /**
   * Runs it.
   *
   * @param socket connected, with a read timeout
   * @param host the name that the broker's certificate must have
   * @throws NsqErrorException when the broker refuses
   * @throws IOException when it is no broker, or does not grant what was asked for
   */
  static Result run(Socket socket, String host, ConnectOptions options) throws IOException {
    Handshake handshake = new Handshake(socket, options);
    handshake.identify();
    if (options.wire().tls() != null) {
      handshake.encrypt(host);
    }
    handshake.compress();
    return new Result(handshake.socket, handshake.frame, handshake.output, handshake.features);
  }

  private void use(Socket with) throws IOException {
    socket = with;
    input = with.getInputStream();
    output = with.getOutputStream();
  }

  private void identify() throws IOException {
    ObjectNode json = JSON.createObjectNode();
    String host = localHostName();
    json.put("client_id", host).put("hostname", host).put("user_agent", options.userAgent());
    json.put("feature_negotiation", true);
    if (options.looks()) {
      json.put("keeps_backlog", true);
    }
    putIfSet(json, "heartbeat_interval", options.heartbeatMs());
    putIfSet(json, "output_buffer_timeout", options.outputBufferTimeoutMs());
    Wire wire = options.wire();
    if (wire.tls() != null) {
      json.put("tls_v1", true);
    }
    switch (wire.compression()) {
      case SNAPPY -> json.put("snappy", true);
      case DEFLATE -> json.put("deflate", true).put("deflate_level", DEFLATE_LEVEL);
      case NONE -> {}
    }
    byte[] body = JSON.writeValueAsBytes(json);
    CommandBuffer commands = new CommandBuffer(body.length + 32);
    commands.raw(MAGIC, 0, MAGIC.length);
    commands.lineWithBody("IDENTIFY", body, 0, body.length);
    commands.writeTo(output);
    readReply();
    JsonNode reply =
        frame.dataIs(OK)
            ? JSON.createObjectNode()
            : JSON.readTree(frame.bytes(), frame.dataOffset(), frame.dataLength());
    if (reply.has("version")) {
      features = ServerFeatures.of(reply);
    }
    require(wire.tls() == null || reply.path("tls_v1").asBoolean(), "TLS");
    require(granted(wire, reply), wire.compression().name().toLowerCase(Locale.ROOT));
  }

  private static boolean granted(Wire wire, JsonNode reply) {
    return switch (wire.compression()) {
      case SNAPPY -> reply.path("snappy").asBoolean();
      case DEFLATE -> reply.path("deflate").asBoolean();
      case NONE -> true;
    };
  }

  private static void require(boolean granted, String what) throws IOException {
    if (!granted) {
      throw new IOException("the broker does not do " + what);
    }
  }

  private static void putIfSet(ObjectNode json, String key, int value) {
    if (value != 0) {
      json.put(key, value);
    }
  }

  private static String localHostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "localhost"; // A machine without a name of its own; the name is only for display.
    }
  }

  private void encrypt(String host) throws IOException {
    try {
      // The broker waits for the client's hello: nothing of TLS has been read with the answer.
      SSLSocket tls =
          (SSLSocket)
              options
                  .wire()
                  .tls()
                  .getSocketFactory()
                  .createSocket(socket, host, socket.getPort(), true);
      SSLParameters parameters = tls.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS"); // the certificate is this host's
      tls.setSSLParameters(parameters);
      tls.setSoLinger(true, LINGER_SECONDS);
      tls.startHandshake();
      use(tls);
      frame = new FrameReader(input);
      readOk(); // With TLS 1.3 it is here that a refused client certificate shows.
    } catch (SSLException e) {
      throw new IOException("TLS failed: " + e.getMessage(), e);
    }
  }

  /** The broker does not wait for anything: what it compressed may have been read already. */
  private void compress() throws IOException {
    switch (options.wire().compression()) {
      case DEFLATE -> {
        // Their native memory goes with the connection, by their cleaners: a thread may still read.
        input = new InflaterInputStream(frame.rest(), new Inflater(true), BUFFER_BYTES);
        output =
            new DeflaterOutputStream(output, new Deflater(DEFLATE_LEVEL, true), BUFFER_BYTES, true);
      }
      case SNAPPY -> snappy();
      case NONE -> {
        return;
      }
    }
    frame = new FrameReader(input);
    readOk();
  }

  private void snappy() throws IOException {
    try {
      output = new SnappyFramedOutputStream(output);
      input = new SnappyFramedInputStream(frame.rest());
    } catch (LinkageError e) {
      throw new IOException("snappy's library does not run here: " + e.getMessage(), e);
    }
  }

  private void readReply() throws IOException {
    FrameType type = frame.next();
    if (type == FrameType.ERROR) {
      throw new NsqErrorException(text());
    }
    if (type == FrameType.MESSAGE) {
      throw new IOException("a message where an answer was due");
    }
  }

  private void readOk() throws IOException {
    readReply();
    if (!frame.dataIs(OK)) {
      throw new IOException("unexpected answer \"" + text() + "\"");
    }
  }

  private String text() {
    return new String(
        frame.bytes(), frame.dataOffset(), frame.dataLength(), StandardCharsets.UTF_8);
  }
}
