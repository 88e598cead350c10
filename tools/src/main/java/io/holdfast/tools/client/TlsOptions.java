package io.holdfast.tools.client;

import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The options that say by which TLS a broker is reached, over HTTP or TCP. */
public final class TlsOptions {
  private final Settings settings;

  @Option(
      names = "--tls",
      scope = ScopeType.INHERIT,
      description = "Use TLS (over HTTP: HTTPS); --tls=false against a setting.")
  private Boolean tls;

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
   * @param context with the settings that hold where no option is given
   */
  public TlsOptions(ToolContext context) {
    settings = context.settings();
  }

  /**
   * What the options say, and where they say nothing the settings.
   *
   * @return null for no TLS
   * @throws ToolException when they make no sense together, or a file cannot be used
   */
  public SSLContext context() {
    boolean given = caFile != null || certFile != null || keyFile != null;
    if (given && Boolean.FALSE.equals(tls)) {
      throw ToolException.usage("--tls-ca-file, --tls-cert and --tls-key need TLS");
    }
    Path ca = caFile != null ? caFile : path("tls_ca_file");
    // A pair: the key of one place does not fit the certificate of another.
    boolean pairGiven = certFile != null || keyFile != null;
    Path cert = pairGiven ? certFile : path("tls_cert");
    Path key = pairGiven ? keyFile : path("tls_key");
    return wanted(given, ca != null || cert != null) ? PemTls.context(ca, cert, key) : null;
  }

  private boolean wanted(boolean given, boolean files) {
    if (tls != null) {
      return tls;
    }
    Boolean set = settings.flag("tls");
    return given || (set == null ? files : set);
  }

  private Path path(String name) {
    String text = settings.get(name);
    return text == null ? null : Path.of(text);
  }
}
