package io.holdfast.junit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.broker.Holdfast;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/**
 * The broker of a test: where it listens, what its topics and channels have, and its stops and
 * starts. It keeps address and data over a restart. Thread-safe.
 */
public final class TestBroker {
  /** How long {@link #awaitDepth(String, String, long)} waits. */
  public static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final long LOOK_NS = 20_000_000;
  private static final int OK = 200;
  private static final int NOT_FOUND = 404;
  private static final int MAX_MESSAGES = 1000;
  private static final int MAX_BODY_BYTES = 1 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path dataPath;
  private final Map<String, String> options;
  private final HttpClient http = HttpClient.newHttpClient();
  private String tcpAddress = "127.0.0.1:0";

  /** null while it is down. */
  private Holdfast broker;

  TestBroker(Path dataPath, Map<String, String> options) {
    this.dataPath = dataPath;
    this.options = Map.copyOf(options);
  }

  synchronized void start() {
    Holdfast.Builder builder = Holdfast.builder().dataPath(dataPath).httpAddress("127.0.0.1:0");
    options.forEach(builder::option);
    if (!options.containsKey("tcp_address")) {
      builder.tcpAddress(tcpAddress);
    }
    try {
      broker = builder.build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    InetSocketAddress listening = broker.tcpAddress();
    tcpAddress = listening == null ? tcpAddress : "127.0.0.1:" + listening.getPort();
  }

  /** The broker that runs now. A restart replaces it. */
  public synchronized Holdfast holdfast() {
    if (broker == null) {
      throw new IllegalStateException("the broker is down: restart() starts it");
    }
    return broker;
  }

  /** Where clients connect; the same after a restart. */
  public InetSocketAddress tcpAddress() {
    return holdfast().tcpAddress();
  }

  /** Where the HTTP API is; another port after a restart. */
  public InetSocketAddress httpAddress() {
    return holdfast().httpAddress();
  }

  /** Stops it in order, if it is up, and starts it with the same data at the same address. */
  public synchronized void restart() {
    stop();
    start();
  }

  /**
   * Ends it as a process that is killed, as far as one JVM can: nothing is summed up, what was in
   * flight comes again. {@link #restart} starts it again.
   */
  public synchronized void kill() {
    if (broker != null) {
      broker.kill();
      broker = null;
    }
  }

  synchronized void stop() {
    if (broker != null) {
      broker.close();
      broker = null;
    }
  }

  /** Makes a channel, and its topic, if there is none: from now on messages are kept for it. */
  public void createChannel(String topic, String channel) {
    HttpRequest.BodyPublisher nothing = HttpRequest.BodyPublishers.noBody();
    String names = "?topic=" + encoded(topic);
    ask("/topic/create" + names, request -> request.POST(nothing));
    ask(
        "/channel/create" + names + "&channel=" + encoded(channel),
        request -> request.POST(nothing));
  }

  /** Messages that wait in a channel: neither in flight nor deferred; 0 if there is no such. */
  public long depth(String topic, String channel) {
    for (JsonNode found : stats(topic, channel).path("channels")) {
      if (channel.equals(found.path("channel_name").asText())) {
        return found.path("depth").asLong();
      }
    }
    return 0;
  }

  /** Messages that a topic keeps for want of a channel; 0 if there is no such. */
  public long depth(String topic) {
    return stats(topic, "").path("depth").asLong();
  }

  private JsonNode stats(String topic, String channel) {
    String query = "/stats?format=json&include_clients=false&topic=" + encoded(topic);
    JsonNode stats = get(channel.isEmpty() ? query : query + "&channel=" + encoded(channel));
    return stats.path("topics").path(0);
  }

  /**
   * Waits until so many messages wait in a channel, for {@link #PATIENCE} at most.
   *
   * @throws AssertionError that says how many there are, if there are never so many
   */
  public void awaitDepth(String topic, String channel, long depth) {
    awaitDepth(topic, channel, depth, PATIENCE);
  }

  /**
   * As {@link #awaitDepth(String, String, long)}.
   *
   * @param atMost how long it waits
   */
  public void awaitDepth(String topic, String channel, long depth, Duration atMost) {
    long startNs = System.nanoTime();
    long now = depth(topic, channel);
    while (now != depth && System.nanoTime() - startNs < atMost.toNanos()) {
      LockSupport.parkNanos(LOOK_NS);
      now = depth(topic, channel);
    }
    if (now != depth) {
      throw new AssertionError(
          "depth of "
              + topic
              + "/"
              + channel
              + " is "
              + now
              + " after "
              + atMost
              + ", not "
              + depth);
    }
  }

  /**
   * Looks at the messages that wait in a channel, oldest first, up to 1000, each with up to 1 MiB
   * of its body; they stay there. None if there is no such channel.
   */
  public List<SeenMessage> messages(String topic, String channel) {
    JsonNode peeked =
        get(
            "/channel/peek?topic="
                + encoded(topic)
                + "&channel="
                + encoded(channel)
                + "&n="
                + MAX_MESSAGES
                + "&bytes="
                + MAX_BODY_BYTES);
    List<SeenMessage> messages = new ArrayList<>();
    for (JsonNode found : peeked.path("messages")) {
      byte[] body =
          found.has("body")
              ? found.path("body").asText().getBytes(StandardCharsets.UTF_8)
              : Base64.getDecoder().decode(found.path("body_base64").asText());
      messages.add(
          new SeenMessage(
              found.path("id").asText(),
              found.path("timestamp").asLong(),
              found.path("attempts").asInt(),
              body));
    }
    return messages;
  }

  private static String encoded(String name) {
    return URLEncoder.encode(name, StandardCharsets.UTF_8);
  }

  /** The answer; a missing node where there is no such topic or channel. */
  private JsonNode get(String path) {
    String answer = ask(path, HttpRequest.Builder::GET);
    try {
      return answer.isEmpty() ? JSON.missingNode() : JSON.readTree(answer);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The answer; empty where there is no such topic or channel. */
  private String ask(String path, UnaryOperator<HttpRequest.Builder> method) {
    URI uri = URI.create("http://127.0.0.1:" + httpAddress().getPort() + path);
    try {
      HttpResponse<String> answer =
          http.send(
              method.apply(HttpRequest.newBuilder(uri)).build(),
              BodyHandlers.ofString(StandardCharsets.UTF_8));
      if (answer.statusCode() == NOT_FOUND) {
        return "";
      }
      if (answer.statusCode() != OK) {
        throw new IOException(path + " answers " + answer.statusCode() + " " + answer.body());
      }
      return answer.body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the broker was asked", e);
    }
  }
}
