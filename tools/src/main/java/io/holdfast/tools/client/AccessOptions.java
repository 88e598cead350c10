package io.holdfast.tools.client;

import io.holdfast.tools.ToolException;
import java.io.Console;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The options that say as whom, and by which TLS, a broker's HTTP API is reached. */
public final class AccessOptions {
  @Option(
      names = "--user",
      scope = ScopeType.INHERIT,
      paramLabel = "NAME[:PASSWORD]",
      description =
          "Log in as this user; without a password HOLDFAST_PASSWORD is taken, or asked for on a"
              + " terminal.")
  private String user;

  @Option(
      names = "--token",
      scope = ScopeType.INHERIT,
      paramLabel = "TOKEN",
      description = "Log in with this bearer token.")
  private String token;

  @Option(names = "--tls", scope = ScopeType.INHERIT, description = "Use HTTPS.")
  private boolean tls;

  @Option(
      names = "--tls-ca-file",
      scope = ScopeType.INHERIT,
      paramLabel = "FILE",
      description = "PEM file of the certificates to trust (default: Java's); implies --tls.")
  private Path caFile;

  @Option(
      names = "--tls-cert",
      scope = ScopeType.INHERIT,
      paramLabel = "FILE",
      description = "PEM file of a client certificate; implies --tls.")
  private Path certFile;

  @Option(
      names = "--tls-key",
      scope = ScopeType.INHERIT,
      paramLabel = "FILE",
      description = "PEM file of its key (PKCS#8).")
  private Path keyFile;

  /**
   * What the options say, and where they say nothing the settings.
   *
   * @throws ToolException when they make no sense together, or a file cannot be used
   */
  public HttpAccess access(Settings settings) {
    return new HttpAccess(tls(settings), authorization(settings));
  }

  private SSLContext tls(Settings settings) {
    Path ca = caFile != null ? caFile : path(settings.get("tls_ca_file"));
    Path cert = certFile != null ? certFile : path(settings.get("tls_cert"));
    Path key = keyFile != null ? keyFile : path(settings.get("tls_key"));
    boolean wanted = tls || ca != null || cert != null || Boolean.parseBoolean(settings.get("tls"));
    return wanted ? PemTls.context(ca, cert, key) : null;
  }

  private static Path path(String text) {
    return text == null || text.isEmpty() ? null : Path.of(text);
  }

  private String authorization(Settings settings) {
    if (user != null && token != null) {
      throw ToolException.usage("--user and --token exclude each other");
    }
    String bearer = token != null || user != null ? token : settings.get("token");
    if (bearer != null) {
      return HttpAccess.bearer(bearer);
    }
    String name = user != null ? user : settings.get("user");
    if (name == null) {
      return null;
    }
    int colon = name.indexOf(':');
    return colon >= 0
        ? HttpAccess.basic(name.substring(0, colon), name.substring(colon + 1))
        : HttpAccess.basic(name, password(name, settings));
  }

  private static String password(String name, Settings settings) {
    String password = settings.get("password");
    if (password != null) {
      return password;
    }
    Console console = System.console();
    char[] typed = console == null ? null : console.readPassword("Password of %s: ", name);
    if (typed == null) {
      throw ToolException.usage(
          "no password of " + name + ": --user NAME:PASSWORD or HOLDFAST_PASSWORD");
    }
    return new String(typed);
  }
}
