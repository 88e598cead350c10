package io.holdfast.broker.auth;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.net.HttpJsonClient;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/**
 * Asks the configured auth servers, one after the other from a random start, until one answers
 * usably (contract §1.7). Never blocks; safe for use by any thread.
 */
public final class AuthClient extends Authority {
  private final AuthOptions options;
  private final HttpJsonClient http;

  /**
   * @param http its timeouts bound each query, its executor runs what follows
   * @param nanoClock monotonic, usually {@link System#nanoTime}; for the TTL
   */
  public AuthClient(AuthOptions options, HttpJsonClient http, LongSupplier nanoClock) {
    super(nanoClock);
    this.options = options;
    this.http = http;
  }

  @Override
  CompletableFuture<AuthState> query(AuthRequest request) {
    int start = ThreadLocalRandom.current().nextInt(options.addresses().size());
    return queryFrom(request, start, 0, "");
  }

  private CompletableFuture<AuthState> queryFrom(
      AuthRequest request, int start, int tried, String failures) {
    List<String> addresses = options.addresses();
    if (tried == addresses.size()) {
      return CompletableFuture.failedFuture(new AuthException(failures));
    }
    String address = addresses.get((start + tried) % addresses.size());
    long nowNs = nowNs();
    return ask(address, request)
        .thenApply(json -> AuthState.parse(json, nowNs))
        .exceptionallyCompose(
            failure -> {
              String text = "failed to auth against " + address + " - " + cause(failure);
              return queryFrom(
                  request, start, tried + 1, failures.isEmpty() ? text : failures + "; " + text);
            });
  }

  private CompletableFuture<JsonNode> ask(String address, AuthRequest request) {
    String endpoint = address.contains("://") ? address : "http://" + address + "/auth";
    return options.post()
        ? http.post(endpoint, request.body())
        : http.get(endpoint + "?" + request.query());
  }

  private static String cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    // No URL in it: the GET form's holds the secret.
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
