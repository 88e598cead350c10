package io.holdfast.broker.auth;

import java.util.List;

/**
 * Which auth servers to ask and how (contract §8).
 *
 * @param addresses host:port, or a URL if it contains {@code ://} (auth-http-address); not empty
 * @param post whether to POST rather than GET (auth-http-request-method)
 */
public record AuthOptions(List<String> addresses, boolean post) {
  public AuthOptions {
    addresses = List.copyOf(addresses);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("no auth-http-address");
    }
  }
}
