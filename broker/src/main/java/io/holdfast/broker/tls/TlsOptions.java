package io.holdfast.broker.tls;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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
    Path cert, Path key, Path rootCaFile, ClientAuthPolicy clientAuth, MinVersion minVersion) {

  /** tls-client-auth-policy. */
  public enum ClientAuthPolicy {
    /** No certificate is asked for: any value but the two below. */
    NONE,
    /** Any certificate will do; that the client has its key is proven. */
    REQUIRE,
    /** A certificate issued by an authority in tls-root-ca-file. */
    REQUIRE_VERIFY;

    /** The policy of a flag's text. */
    public static ClientAuthPolicy parse(String text) {
      return switch (text) {
        case "require" -> REQUIRE;
        case "require-verify" -> REQUIRE_VERIFY;
        default -> NONE;
      };
    }
  }

  /** tls-min-version, lowest first. */
  public enum MinVersion {
    TLS1_0("tls1.0", "TLSv1"),
    TLS1_1("tls1.1", "TLSv1.1"),
    TLS1_2("tls1.2", "TLSv1.2"),
    TLS1_3("tls1.3", "TLSv1.3");

    private final String flag;
    private final String protocol;

    MinVersion(String flag, String protocol) {
      this.flag = flag;
      this.protocol = protocol;
    }

    /**
     * The version of a flag's text.
     *
     * @throws IllegalArgumentException for anything but tls1.0 to tls1.3
     */
    public static MinVersion parse(String text) {
      for (MinVersion version : values()) {
        if (version.flag.equals(text)) {
          return version;
        }
      }
      throw new IllegalArgumentException("unknown tls-min-version " + text);
    }

    /** The flag's text, such as {@code tls1.2}. */
    public String flag() {
      return flag;
    }

    /** The JDK's name, such as {@code TLSv1.2}. */
    String protocol() {
      return protocol;
    }

    /** The JDK's names of this version and all above. */
    public String[] protocols() {
      List<String> names = new ArrayList<>();
      for (MinVersion version : values()) {
        if (version.compareTo(this) >= 0) {
          names.add(version.protocol);
        }
      }
      return names.toArray(String[]::new);
    }
  }
}
