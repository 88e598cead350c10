package io.holdfast.tools.client;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import javax.net.ssl.SSLContext;

/**
 * How a broker's HTTP API is reached: in clear or by TLS, and as whom. Immutable.
 *
 * @param tls null for plain HTTP
 * @param authorization value of the header, null for none
 */
public record HttpAccess(SSLContext tls, String authorization) {
  /** Plain HTTP, nobody. */
  public static final HttpAccess OPEN = new HttpAccess(null, null);

  /** Returns {@code http} or {@code https}. */
  public String scheme() {
    return tls == null ? "http" : "https";
  }

  /** The header's value for a name and a password. */
  public static String basic(String user, String password) {
    byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(pair);
  }

  /** The header's value for a token. */
  public static String bearer(String token) {
    return "Bearer " + token;
  }
}
