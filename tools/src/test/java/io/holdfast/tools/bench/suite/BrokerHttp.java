package io.holdfast.tools.bench.suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;

/** A broker's HTTP API, as much of it as the suite needs. */
final class BrokerHttp {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int OK = 200;
  private static final int TIMEOUT_MS = 30_000;

  private final int port;

  BrokerHttp(int port) {
    this.port = port;
  }

  /** Whether /ping says OK. A broker that is not there yet says nothing. */
  boolean ping() {
    try {
      return call("GET", "/ping", 2_000).status == OK;
    } catch (IOException e) {
      return false; // That is the answer.
    }
  }

  /** Creates topics with their channels, so that nobody has to wait for that later. */
  void create(Iterable<String> topics, Iterable<String> channels) throws IOException {
    for (String topic : topics) {
      post("/topic/create?topic=" + topic);
      for (String channel : channels) {
        post("/channel/create?topic=" + topic + "&channel=" + channel);
      }
    }
  }

  void delete(Iterable<String> topics) throws IOException {
    for (String topic : topics) {
      post("/topic/delete?topic=" + topic);
    }
  }

  /**
   * Messages that the channels of a topic have waiting.
   *
   * @return the largest depth among its channels; 0 when there is no such topic
   */
  long depth(String topic) throws IOException {
    Answer answer =
        call("GET", "/stats?format=json&include_clients=false&topic=" + topic, TIMEOUT_MS);
    long depth = 0;
    for (JsonNode channel : JSON.readTree(answer.body).at("/topics/0/channels")) {
      depth = Math.max(depth, channel.path("depth").asLong());
    }
    return depth;
  }

  private void post(String path) throws IOException {
    Answer answer = call("POST", path, TIMEOUT_MS);
    if (answer.status != OK) {
      throw new IOException("POST " + path + ": HTTP status " + answer.status);
    }
  }

  private record Answer(int status, byte[] body) {}

  private Answer call(String method, String path, int timeoutMs) throws IOException {
    HttpURLConnection http =
        (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
    http.setRequestMethod(method);
    http.setConnectTimeout(timeoutMs);
    http.setReadTimeout(timeoutMs);
    int status = http.getResponseCode();
    try (InputStream in = status < 400 ? http.getInputStream() : http.getErrorStream()) {
      return new Answer(status, in == null ? new byte[0] : in.readAllBytes());
    }
  }
}
