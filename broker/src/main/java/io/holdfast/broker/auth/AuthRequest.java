package io.holdfast.broker.auth;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Whose secret it is; the question to an auth server (contract §1.7).
 *
 * @param secret the AUTH command's body, any bytes
 * @param remoteIp the client's address without port; empty on a unix socket
 * @param tls whether the connection was upgraded to TLS
 * @param commonName CN of the client's certificate, or empty
 */
@SuppressWarnings("ArrayRecordComponent") // Copied in, never handed out, compared by content.
record AuthRequest(byte[] secret, String remoteIp, boolean tls, String commonName) {
  AuthRequest {
    secret = secret.clone();
  }

  /** The GET form's query string, keys in the order of the contract, form-encoded. */
  String query() {
    return "common_name="
        + escape(commonName.getBytes(StandardCharsets.UTF_8))
        + "&remote_ip="
        + escape(remoteIp.getBytes(StandardCharsets.UTF_8))
        + "&secret="
        + escape(secret)
        + "&tls="
        + tls;
  }

  /** The POST form's body: each value in a list. */
  Map<String, List<String>> body() {
    Map<String, List<String>> body = new TreeMap<>();
    body.put("common_name", List.of(commonName));
    body.put("remote_ip", List.of(remoteIp));
    body.put("secret", List.of(new String(secret, StandardCharsets.UTF_8)));
    body.put("tls", List.of(Boolean.toString(tls)));
    return body;
  }

  /** As Go's form encoding: Java's would lose bytes that are not UTF-8 and differs on * and ~. */
  private static String escape(byte[] bytes) {
    StringBuilder escaped = new StringBuilder(bytes.length + 16);
    for (byte b : bytes) {
      char c = (char) (b & 0xff);
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || "-_.~".indexOf(c) >= 0;
      if (plain) {
        escaped.append(c);
      } else if (c == ' ') {
        escaped.append('+');
      } else {
        escaped.append(String.format(Locale.ROOT, "%%%02X", (int) c));
      }
    }
    return escaped.toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AuthRequest that
        && Arrays.equals(secret, that.secret)
        && remoteIp.equals(that.remoteIp)
        && tls == that.tls
        && commonName.equals(that.commonName);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(secret) + remoteIp.hashCode();
  }

  /** Without the secret, so that no log shows it. */
  @Override
  public String toString() {
    return "AuthRequest[remoteIp=" + remoteIp + ", tls=" + tls + ", cn=" + commonName + "]";
  }
}
