package io.holdfast.broker.system.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import javax.net.SocketFactory;
import org.awaitility.Awaitility;

/**
 * HTTP/1.1 over a raw socket: targets, methods and bodies go out as given. Text is ISO 8859-1.
 * Thread-safe.
 */
public final class Http {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int TIMEOUT_MS = 20_000;

  private final int port;
  private final SocketFactory sockets;

  public Http(int port) {
    this(port, SocketFactory.getDefault());
  }

  /** HTTPS on a loopback port: the factory of an {@link javax.net.ssl.SSLContext}. */
  public Http(int port, SocketFactory sockets) {
    this.port = port;
    this.sockets = sockets;
  }

  /**
   * An answer.
   *
   * @param headers by lower-case name; the last value of a repeated one
   * @param rawHeaders the header lines as they came
   */
  public record Response(
      int status, Map<String, String> headers, List<String> rawHeaders, String body) {
    public String header(String name) {
      return headers.get(name.toLowerCase(Locale.ROOT));
    }

    public JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new AssertionError("not JSON: " + body, e);
      }
    }

    /**
     * This, unless the broker has yet to start, or is about to stop: then nothing was done, and
     * there is an exception as of one that does not listen.
     */
    public Response unlessDown() {
      boolean isDown = body.contains("\"STARTING\"") || body.contains("\"EXITING\"");
      if (status == 503 && isDown) {
        throw new UncheckedIOException(new IOException("the broker starts or stops: " + body));
      }
      return this;
    }

    /** Fails unless status and body are these. */
    public Response expect(int expectedStatus, String expectedBody) {
      assertEquals(expectedStatus + " " + expectedBody, status + " " + body);
      return this;
    }

    /** Fails unless this is nsqd's JSON error with that code. */
    public Response expectError(int expectedStatus, String code) {
      return expect(expectedStatus, "{\"message\":\"" + code + "\"}");
    }
  }

  public Response get(String target) {
    return request("GET", target, null);
  }

  public Response post(String target) {
    return request("POST", target, "");
  }

  public Response post(String target, String body) {
    return request("POST", target, body);
  }

  /** A request on a connection of its own; a null body sends no Content-Length. */
  public Response request(String method, String target, String body) {
    String head =
        method
            + " "
            + target
            + " HTTP/1.1\r\nHost: 127.0.0.1:"
            + port
            + "\r\nConnection: close\r\n";
    if (body != null) {
      head += "Content-Length: " + body.length() + "\r\n";
    }
    return raw(head + "\r\n" + (body == null ? "" : body), method.equals("HEAD"));
  }

  /** Sends these bytes and reads one answer. */
  public Response raw(String bytes, boolean bodyless) {
    try (Socket socket = sockets.createSocket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(TIMEOUT_MS);
      socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
      return read(new BufferedInputStream(socket.getInputStream()), bodyless);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads one answer from a stream; several on one stream are keep-alive. */
  public static Response read(InputStream in, boolean bodyless) throws IOException {
    String statusLine = readLine(in);
    int status = Integer.parseInt(statusLine.split(" ", 3)[1]);
    List<String> rawHeaders = new ArrayList<>();
    Map<String, String> headers = new TreeMap<>();
    for (String line = readLine(in); !line.isEmpty(); line = readLine(in)) {
      rawHeaders.add(line);
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    String body;
    if (bodyless) {
      body = "";
    } else if ("chunked".equalsIgnoreCase(headers.get("transfer-encoding"))) {
      body = readChunks(in);
    } else if (headers.containsKey("content-length")) {
      body =
          RawNsqConnection.latin1(in.readNBytes(Integer.parseInt(headers.get("content-length"))));
    } else {
      body = RawNsqConnection.latin1(in.readAllBytes());
    }
    return new Response(status, headers, rawHeaders, body);
  }

  private static String readChunks(InputStream in) throws IOException {
    StringBuilder body = new StringBuilder();
    while (true) {
      int size = Integer.parseInt(readLine(in).strip(), 16);
      body.append(RawNsqConnection.latin1(in.readNBytes(size)));
      readLine(in);
      if (size == 0) {
        return body.toString();
      }
    }
  }

  private static String readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("end of stream in a header line: " + line);
      }
      line.write(b);
    }
    return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
  }

  /** Whether a started broker answers; one that requires TLS refuses this with 403. */
  boolean pingIsOk() {
    try {
      int status = get("/ping").status();
      return status == 200 || status == 403;
    } catch (UncheckedIOException e) {
      return false; // not listening yet
    }
  }

  /** Whether a started broker answers at all. */
  /** Whether it has started, well or not: HTTP answers before that, too. */
  boolean pingAnswers() {
    try {
      return !get("/ping").body().equals("NOK - starting");
    } catch (UncheckedIOException e) {
      return false; // not listening yet
    }
  }

  /** {@code /stats?format=json} with these further parameters (as {@code &a=b}). */
  public JsonNode stats(String parameters) {
    return get("/stats?format=json" + parameters).json();
  }

  /** The topic's object in /stats; a missing node if the topic does not exist. */
  public JsonNode topic(String topic) {
    for (JsonNode node : stats("").path("topics")) {
      if (node.path("topic_name").asText().equals(topic)) {
        return node;
      }
    }
    return JSON.missingNode();
  }

  /** The channel's object in /stats; a missing node if it does not exist. */
  public JsonNode channel(String topic, String channel) {
    for (JsonNode node : topic(topic).path("channels")) {
      if (node.path("channel_name").asText().equals(channel)) {
        return node;
      }
    }
    return JSON.missingNode();
  }

  /** Waits, at most 15 s, until a channel's object satisfies the condition. */
  public JsonNode awaitChannel(String topic, String channel, Predicate<JsonNode> condition) {
    return await("channel " + topic + ":" + channel, () -> channel(topic, channel), condition);
  }

  /** Waits, at most 15 s, until a topic's object satisfies the condition. */
  public JsonNode awaitTopic(String topic, Predicate<JsonNode> condition) {
    return await("topic " + topic, () -> topic(topic), condition);
  }

  /** Waits, at most 15 s, until a channel's counter has that value. */
  public void awaitChannelCount(String topic, String channel, String field, long value) {
    awaitChannel(topic, channel, c -> c.path(field).asLong(-1) == value);
  }

  private static JsonNode await(
      String what, java.util.concurrent.Callable<JsonNode> source, Predicate<JsonNode> condition) {
    JsonNode[] last = new JsonNode[1];
    try {
      Awaitility.await(what)
          .atMost(Duration.ofSeconds(15))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(20))
          .until(
              () -> {
                last[0] = source.call();
                return condition.test(last[0]);
              });
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError("still " + last[0], e);
    }
    return last[0];
  }
}
