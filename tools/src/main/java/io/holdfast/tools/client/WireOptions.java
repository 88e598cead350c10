package io.holdfast.tools.client;

import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say by what, and as whom, a broker's TCP port is reached. */
public final class WireOptions {
  private final Settings settings;

  @Mixin private TlsOptions tls;

  @Option(names = "--snappy", description = "Compress both directions with snappy.")
  private boolean snappy;

  @Option(names = "--deflate", description = "Compress both directions with deflate.")
  private boolean deflate;

  @Option(
      names = "--auth-secret",
      paramLabel = "SECRET",
      description =
          "What AUTH says to a broker that wants it (default: HOLDFAST_AUTH_SECRET, which other"
              + " users of this machine cannot see).")
  private String authSecret;

  /**
   * @param context with the settings that hold where no option is given
   */
  public WireOptions(ToolContext context) {
    settings = context.settings();
  }

  /**
   * What the options say, and where they say nothing the settings.
   *
   * @throws ToolException when they make no sense together, or a file cannot be used
   */
  public Wire wire() {
    if (snappy && deflate) {
      throw ToolException.usage("--snappy and --deflate exclude each other");
    }
    if (authSecret != null && authSecret.isEmpty()) {
      throw ToolException.usage("--auth-secret is empty");
    }
    Wire.Compression compression =
        snappy
            ? Wire.Compression.SNAPPY
            : deflate ? Wire.Compression.DEFLATE : Wire.Compression.NONE;
    return new Wire(
        tls.context(), compression, authSecret != null ? authSecret : settings.get("auth_secret"));
  }
}
