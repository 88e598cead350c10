package io.holdfast.broker.tls;

import io.holdfast.broker.config.TlsVersion;
import java.nio.file.Path;

/**
 * The TLS flags of contract §8.
 *
 * @param cert PEM file: the server's certificate, then intermediates (tls-cert)
 * @param key PEM file with the private key (tls-key)
 * @param rootCaFile PEM file of authorities that clients' certificates are verified against; null
 *     for the JDK's (tls-root-ca-file)
 * @param clientAuth what is asked of clients (tls-client-auth-policy)
 * @param minVersion lowest version offered (tls-min-version)
 */
public record TlsOptions(
    Path cert, Path key, Path rootCaFile, ClientAuthPolicy clientAuth, TlsVersion minVersion) {

  /** tls-client-auth-policy. */
  public enum ClientAuthPolicy {
    /** No certificate is asked for: any value but the two below. */
    NONE,
    /** Any certificate will do; that the client has its key is proven. */
    REQUIRE,
    /** A certificate issued by an authority in tls-root-ca-file. */
    REQUIRE_VERIFY,
    /**
     * As {@link #REQUIRE_VERIFY}, without a word of which authorities: a client shows what it has,
     * and what is wrong with it can be said. Otherwise Java's shows nothing.
     */
    REQUIRE_VERIFY_UNNAMED;

    /** The policy of a flag's text. */
    public static ClientAuthPolicy parse(String text) {
      return switch (text) {
        case "require" -> REQUIRE;
        case "require-verify" -> REQUIRE_VERIFY;
        default -> NONE;
      };
    }
  }
}
