package io.holdfast.tools.admin;

import at.favre.lib.crypto.bcrypt.BCrypt;
import io.holdfast.tools.cli.ExitCode;
import io.holdfast.tools.cli.Terminal;
import io.holdfast.tools.cli.ToolContext;
import io.holdfast.tools.cli.ToolException;
import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The {@code password} command: a line for a broker's users file. */
@Command(
    name = "password",
    description = {
      "Makes a line for http_users_file.",
      "",
      "The password is the first line of standard input; on a terminal it is asked for twice. The"
          + " line goes to standard output and nothing else does."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  holdfast-tools password alice --role admin >> /etc/holdfast/users",
      "  holdfast-tools password backup --role read --token >> /etc/holdfast/users"
    })
public final class PasswordCommand implements Callable<Integer> {
  private static final Set<String> ROLES = Set.of("read", "publish", "admin");
  private static final String NAME = "[A-Za-z0-9._@-]{1,64}";
  private static final int COST = 10;

  /** What bcrypt looks at: 72 bytes with the one that ends it. */
  private static final int MAX_PASSWORD_BYTES = 71;

  private static final int TOKEN_BYTES = 32;

  private final ToolContext context;

  @Parameters(paramLabel = "NAME", description = "Who it is for.")
  private String name;

  @Option(
      names = "--role",
      required = true,
      paramLabel = "ROLE",
      description = "read, publish or admin.")
  private String role;

  @Option(
      names = "--token",
      description = "Make a bearer token instead, and print it to standard error.")
  private boolean token;

  /**
   * @param context streams
   */
  public PasswordCommand(ToolContext context) {
    this.context = context;
  }

  @Override
  public Integer call() throws IOException {
    if (!name.matches(NAME)) {
      throw ToolException.usage("name '" + name + "' is not valid: 1 to 64 of a-z A-Z 0-9 . _ @ -");
    }
    if (!ROLES.contains(role)) {
      throw ToolException.usage("role '" + role + "' is none of read, publish, admin");
    }
    context.out().println(name + ":" + (token ? tokenHash() : passwordHash()) + ":" + role);
    return ExitCode.OK;
  }

  private String tokenHash() {
    byte[] random = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(random);
    String made = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    context.err().println(made);
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(made.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  private String passwordHash() throws IOException {
    byte[] password = password().getBytes(StandardCharsets.UTF_8);
    if (password.length == 0) {
      throw ToolException.usage("the password is empty");
    }
    if (password.length > MAX_PASSWORD_BYTES) {
      throw ToolException.usage(
          "the password has "
              + password.length
              + " bytes, at most "
              + MAX_PASSWORD_BYTES
              + " count");
    }
    return new String(BCrypt.withDefaults().hash(COST, password), StandardCharsets.US_ASCII);
  }

  private String password() throws IOException {
    Console console = context.terminal() ? Terminal.console() : null;
    if (console == null) {
      String line =
          new BufferedReader(new InputStreamReader(context.in(), StandardCharsets.UTF_8))
              .readLine();
      return line == null ? "" : line;
    }
    char[] first = console.readPassword("Password of %s: ", name);
    char[] second = console.readPassword("Again: ");
    if (first == null || !Arrays.equals(first, second)) {
      throw ToolException.usage("the two are not the same");
    }
    return new String(first);
  }
}
