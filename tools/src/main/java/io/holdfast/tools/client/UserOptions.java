package io.holdfast.tools.client;

import io.holdfast.tools.cli.Settings;
import io.holdfast.tools.cli.Terminal;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.Console;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The options that say as whom a broker's HTTP API is reached. */
public final class UserOptions {
  private final Settings settings;

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

  /**
   * @param context with the settings that hold where no option is given
   */
  public UserOptions(ToolContext context) {
    settings = context.settings();
  }

  /**
   * The header's value, null for none: what the options say, and where they say nothing the
   * settings.
   *
   * @throws ToolException when they make no sense together
   */
  public String authorization() {
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
        : HttpAccess.basic(name, password(name));
  }

  private String password(String name) {
    String password = settings.get("password");
    if (password != null) {
      return password;
    }
    Console console = Terminal.console();
    char[] typed = console == null ? null : console.readPassword("Password of %s: ", name);
    if (typed == null) {
      throw ToolException.usage(
          "no password of " + name + ": --user NAME:PASSWORD or HOLDFAST_PASSWORD");
    }
    return new String(typed);
  }
}
