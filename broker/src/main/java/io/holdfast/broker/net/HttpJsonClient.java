package io.holdfast.broker.net;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;

/**
 * Asks nsqlookupd and auth servers over HTTP (contract §1.7, §6): the Accept header they expect, a
 * 403 with {@code https_port} retried as https, answers parsed as JSON and bounded in size.
 *
 * <p>Never blocks: requests run on the JDK's client, whose selector thread is started by the first
 * request, and callbacks on the executor given. Safe for use by any thread.
 */
public final class HttpJsonClient {
  /** Longest answer accepted, in bytes; a longer one fails the request. */
  public static final int MAX_ANSWER_BYTES = 4 * 1024 * 1024;

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final long connectTimeoutMs;
  private final long requestTimeoutMs;
  private final Supplier<SSLContext> sslContext;
  private final SSLParameters sslParameters;
  private final Executor executor;

  /** Guarded by this; null until the first request, because it costs a thread. */
  private HttpClient client;

  /**
   * @param connectTimeoutMs limit for one connection attempt, in ms (http-client-connect-timeout)
   * @param requestTimeoutMs limit for one request with its answer, in ms
   *     (http-client-request-timeout)
   * @param sslContext trust for https, asked once at the first request; null means the JDK's
   *     default
   * @param sslParameters protocol versions for https; null means the JDK's default
   * @param executor where callbacks run; must not be an event loop
   */
  public HttpJsonClient(
      long connectTimeoutMs,
      long requestTimeoutMs,
      Supplier<SSLContext> sslContext,
      SSLParameters sslParameters,
      Executor executor) {
    this.connectTimeoutMs = connectTimeoutMs;
    this.requestTimeoutMs = requestTimeoutMs;
    this.sslContext = sslContext;
    this.sslParameters = sslParameters;
    this.executor = executor;
  }

  /**
   * GET, and the JSON of a 200 answer. Fails with an {@link IOException} for another status, bad
   * JSON or an answer too long, with a {@link java.util.concurrent.TimeoutException} or the
   * client's own exception otherwise.
   */
  public CompletableFuture<JsonNode> get(String url) {
    return send(url, null);
  }

  /** POST of a JSON object; otherwise like {@link #get}. */
  public CompletableFuture<JsonNode> post(String url, Map<String, List<String>> body) {
    try {
      return send(url, JSON.writeValueAsBytes(body));
    } catch (JsonProcessingException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private CompletableFuture<JsonNode> send(String url, byte[] body) {
    return exchange(url, body)
        .thenComposeAsync(
            answer -> {
              if (answer.statusCode() == 403 && !url.startsWith("https")) {
                return exchange(httpsUrl(url, answer.body()), body);
              }
              return CompletableFuture.completedFuture(answer);
            },
            executor)
        .thenApply(HttpJsonClient::parse);
  }

  private CompletableFuture<HttpResponse<byte[]>> exchange(String url, byte[] body) {
    HttpRequest request;
    HttpClient http;
    try {
      HttpRequest.Builder builder =
          HttpRequest.newBuilder(URI.create(url))
              .timeout(Duration.ofMillis(requestTimeoutMs))
              .header("Accept", "application/vnd.nsq; version=1.0");
      if (body != null) {
        builder
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
      }
      request = builder.build();
      http = client();
    } catch (IllegalArgumentException e) {
      // Without the cause: its text has the whole URL in it, which may hold a secret.
      return CompletableFuture.failedFuture(new HttpFailure("address is not a valid URL", null));
    }
    CompletableFuture<HttpResponse<byte[]>> sent =
        http.sendAsync(request, info -> new BoundedBody());
    // The request's own timeout ends with the headers; this one covers the body too. Cancelling the
    // original closes the connection of an answer that never ends.
    return sent.copy()
        .orTimeout(requestTimeoutMs, TimeUnit.MILLISECONDS)
        .whenCompleteAsync(
            (answer, failure) -> {
              if (failure != null) {
                sent.cancel(true);
              }
            },
            executor);
  }

  private synchronized HttpClient client() {
    if (client == null) {
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NORMAL)
              .connectTimeout(Duration.ofMillis(connectTimeoutMs))
              .executor(executor);
      SSLContext context = sslContext == null ? null : sslContext.get();
      if (context != null) {
        builder.sslContext(context);
      }
      if (sslParameters != null) {
        builder.sslParameters(sslParameters);
      }
      client = builder.build();
    }
    return client;
  }

  private static JsonNode parse(HttpResponse<byte[]> answer) {
    if (answer.statusCode() != 200) {
      throw new HttpFailure("got response " + answer.statusCode(), null);
    }
    try {
      return JSON.readTree(answer.body());
    } catch (IOException e) {
      throw new HttpFailure("answer is not JSON", e);
    }
  }

  private static String httpsUrl(String url, byte[] body) {
    int port;
    try {
      port = JSON.readTree(body).path("https_port").asInt();
    } catch (IOException e) {
      throw new HttpFailure("got response 403 without https_port", e);
    }
    if (port < 1 || port > 65535) {
      throw new HttpFailure("got response 403 without https_port", null);
    }
    URI uri = URI.create(url);
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    return "https://" + uri.getHost() + ":" + port + uri.getRawPath() + query;
  }

  /** A request that was answered, but not with what was asked for. */
  public static final class HttpFailure extends RuntimeException {
    private HttpFailure(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Collects a body up to {@link #MAX_ANSWER_BYTES}; the JDK calls it from one thread at a time.
   */
  private static final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {
    private final CompletableFuture<byte[]> result = new CompletableFuture<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Flow.Subscription subscription;

    @Override
    public CompletionStage<byte[]> getBody() {
      return result;
    }

    @Override
    public void onSubscribe(Flow.Subscription s) {
      subscription = s;
      s.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      for (ByteBuffer buffer : buffers) {
        if (bytes.size() + (long) buffer.remaining() > MAX_ANSWER_BYTES) {
          subscription.cancel();
          result.completeExceptionally(
              new IOException("answer is longer than " + MAX_ANSWER_BYTES + " bytes"));
          return;
        }
        byte[] piece = new byte[buffer.remaining()];
        buffer.get(piece);
        bytes.writeBytes(piece);
      }
    }

    @Override
    public void onError(Throwable failure) {
      result.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
      result.complete(bytes.toByteArray());
    }
  }
}
