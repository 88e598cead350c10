package io.holdfast.tools.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.tools.cli.ToolException;
import io.holdfast.tools.client.BrokerAddress;
import io.holdfast.tools.client.HttpJson;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Requests to one or several brokers. What one refuses is an error that says which and why. */
final class AdminApi {
  static final byte[] NO_BODY = {};

  private final HttpJson http;
  private final List<BrokerAddress> brokers;

  AdminApi(HttpJson http, List<BrokerAddress> brokers) {
    this.http = http;
    this.brokers = brokers;
  }

  HttpJson http() {
    return http;
  }

  List<BrokerAddress> brokers() {
    return brokers;
  }

  /** A path with arguments: names and values one after the other; null values are left out. */
  static String path(String path, Object... arguments) {
    StringBuilder all = new StringBuilder(path);
    char before = '?';
    for (int i = 0; i < arguments.length; i += 2) {
      if (arguments[i + 1] != null) {
        String value = URLEncoder.encode(arguments[i + 1].toString(), StandardCharsets.UTF_8);
        all.append(before).append(arguments[i]).append('=').append(value);
        before = '&';
      }
    }
    return all.toString();
  }

  /**
   * Has every broker do something.
   *
   * @throws IOException when one of them did not; the others have been asked all the same
   */
  void post(String path) throws IOException {
    post(path, NO_BODY);
  }

  /**
   * As {@link #post(String)}.
   *
   * @return what each of them said, in their order
   */
  List<String> post(String path, byte[] body) throws IOException {
    List<String> answers = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    for (BrokerAddress broker : brokers) {
      try {
        answers.add(done(broker, http.exchange("POST", broker, path, body)));
      } catch (IOException | ToolException e) {
        failures.add(ToolException.describe(e));
      }
    }
    if (!failures.isEmpty()) {
      throw new ToolException(String.join("; ", failures));
    }
    return answers;
  }

  /** Has the first broker take something. */
  String send(String method, String path, byte[] body) throws IOException {
    BrokerAddress broker = one();
    return done(broker, http.exchange(method, broker, path, body));
  }

  /** What the one broker says, as it says it. */
  HttpJson.Reply get(String path) throws IOException {
    return http.exchange("GET", one(), path, null);
  }

  /** As {@link #get}, for an answer that has to be 200. */
  String text(String path) throws IOException {
    return done(one(), get(path));
  }

  private BrokerAddress one() {
    if (brokers.size() > 1) {
      throw ToolException.usage(
          "this asks one broker, and there are " + brokers.size() + ": choose with --broker");
    }
    return brokers.get(0);
  }

  private static String done(BrokerAddress broker, HttpJson.Reply reply) {
    if (reply.status() == 200) {
      return reply.text();
    }
    JsonNode message = reply.json().path("message");
    String reason = message.isTextual() ? message.asText() : reply.text().strip();
    throw new ToolException(
        broker + ": " + (reason.isEmpty() ? "HTTP status " + reply.status() : reason));
  }
}
