package io.holdfast.tools.client;

import io.holdfast.tools.cli.ToolException;
import picocli.CommandLine.Mixin;

/** The options that say as whom, and by which TLS, a broker's HTTP API is reached. */
public final class AccessOptions {
  @Mixin private UserOptions users;

  @Mixin private TlsOptions tls;

  /**
   * What the options say, and where they say nothing the settings.
   *
   * @throws ToolException when they make no sense together, or a file cannot be used
   */
  public HttpAccess access() {
    return new HttpAccess(tls.context(), users.authorization());
  }
}
