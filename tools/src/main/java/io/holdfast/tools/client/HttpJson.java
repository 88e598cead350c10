package io.holdfast.tools.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** Requests to the HTTP API of a broker or an nsqlookupd. Thread-safe. */
public final class HttpJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Time for a whole answer, in times of the wait for its beginning. */
  private static final int WHOLE_ANSWERS = 5;

  private final HttpClient client;
  private final Duration timeout;
  private final HttpAccess access;

  /**
   * In clear, as nobody.
   *
   * @param timeout longest wait for a connection and for an answer, each
   */
  public HttpJson(Duration timeout) {
    this(timeout, HttpAccess.OPEN);
  }

  /**
   * @param timeout longest wait for a connection and for an answer, each
   * @param access as whom
   */
  public HttpJson(Duration timeout, HttpAccess access) {
    this.timeout = timeout;
    this.access = access;
    HttpClient.Builder builder =
        HttpClient.newBuilder().connectTimeout(timeout).version(HttpClient.Version.HTTP_1_1);
    if (access.tls() != null) {
      builder.sslContext(access.tls());
    }
    this.client = builder.build();
  }

  /** An answer as it came. */
  @SuppressWarnings("ArrayRecordComponent") // shown, never compared
  public record Reply(int status, byte[] body) {
    /** The body as text. */
    public String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    /** The body as JSON; a missing node when it is none. */
    public JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        return MissingNode.getInstance(); // the caller shows the text
      }
    }
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
    Reply reply = exchange("GET", address, pathAndQuery, null);
    try {
      return new Answer(reply.status(), JSON.readTree(reply.body()));
    } catch (IOException e) {
      throw new IOException(address + ": not JSON (HTTP status " + reply.status() + ")", e);
    }
  }

  /**
   * Sends a request.
   *
   * @param pathAndQuery already escaped, starts with a slash
   * @param body null for none
   * @return whatever status came, with its body
   * @throws IOException when there is no answer; the message names the address
   */
  public Reply exchange(String method, BrokerAddress address, String pathAndQuery, byte[] body)
      throws IOException {
    HttpRequest request;
    try {
      HttpRequest.Builder builder =
          HttpRequest.newBuilder(URI.create(access.scheme() + "://" + address + pathAndQuery))
              .timeout(timeout)
              .method(
                  method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body))
              .header("Accept", "application/vnd.nsq; version=1.0");
      if (access.authorization() != null) {
        builder.header("Authorization", access.authorization());
      }
      request = builder.build();
    } catch (IllegalArgumentException e) {
      throw new IOException(address + ": not an address", e);
    }
    HttpResponse<byte[]> response = send(address, request);
    return new Reply(response.statusCode(), response.body());
  }

  private HttpResponse<byte[]> send(BrokerAddress address, HttpRequest request) throws IOException {
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request, head -> new BoundedBody());
    try {
      return answer.get(WHOLE_ANSWERS * timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException(address + ": " + reason(e.getCause()), e.getCause());
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new IOException(address + ": the answer does not end", e);
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  private String reason(Throwable failure) {
    if (failure instanceof HttpConnectTimeoutException || failure instanceof ConnectException) {
      return "no connection";
    }
    if (failure instanceof HttpTimeoutException) {
      return "no answer within " + timeout.toMillis() + " ms";
    }
    if (failure instanceof SSLException) {
      return "TLS failed: " + failure.getMessage();
    }
    return failure instanceof BoundedBody.TooLargeException
        ? failure.getMessage()
        : "no HTTP answer; is this its HTTP address?";
  }
}
