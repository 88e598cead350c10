package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/** GETs JSON from a broker or an nsqlookupd. Thread-safe. */
public final class HttpJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient client;
  private final Duration timeout;

  /**
   * @param timeout longest wait for a connection and for an answer, each
   */
  public HttpJson(Duration timeout) {
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder()
            .connectTimeout(timeout)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
  }

  /**
   * @param status HTTP status
   * @param json the body; a missing node when it is empty
   */
  public record Answer(int status, JsonNode json) {}

  /**
   * Gets a path.
   *
   * @param address who to ask
   * @param pathAndQuery already escaped, starts with a slash
   * @return whatever status came, with its body
   * @throws IOException when there is no answer or it is not JSON; the message names the address
   */
  public Answer get(BrokerAddress address, String pathAndQuery) throws IOException {
    HttpRequest request;
    try {
      request =
          HttpRequest.newBuilder(URI.create("http://" + address + pathAndQuery))
              .timeout(timeout)
              .header("Accept", "application/vnd.nsq; version=1.0")
              .build();
    } catch (IllegalArgumentException e) {
      throw new IOException(address + ": not an address", e);
    }
    HttpResponse<byte[]> response = send(address, request);
    try {
      return new Answer(response.statusCode(), JSON.readTree(response.body()));
    } catch (IOException e) {
      throw new IOException(address + ": not JSON (HTTP status " + response.statusCode() + ")", e);
    }
  }

  private HttpResponse<byte[]> send(BrokerAddress address, HttpRequest request) throws IOException {
    try {
      return client.send(request, BodyHandlers.ofByteArray());
    } catch (ConnectException e) {
      throw new IOException(address + ": no connection", e);
    } catch (java.net.http.HttpTimeoutException e) {
      throw new IOException(address + ": no answer within " + timeout.toMillis() + " ms", e);
    } catch (IOException e) {
      throw new IOException(address + ": no HTTP answer; is this its HTTP address?", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }
}
