package io.holdfast.broker.config;

import java.util.Optional;

/**
 * Turns command-line arguments, and the file they may name, into what is to be done (contract §8).
 */
public final class OptionsLoader {
  /** The protocol generation reported to clients, nsqd's version. */
  public static final String NSQD_VERSION = "1.3.0";

  private OptionsLoader() {}

  /**
   * Flag beats file beats default; lists are replaced, not merged.
   *
   * @param args as given to {@code main}
   * @return run, print or fail; never null, never throws
   */
  public static Parsed parse(String... args) {
    OptionsBuilder builder = Options.builder();
    FlagParser flags = new FlagParser(args, builder);
    try {
      flags.parse();
      if (flags.isHelp()) {
        return new Parsed.Print(HelpText.usage(), 0);
      }
      if (flags.isVersion()) {
        return new Parsed.Print(nsqdVersionLine() + "\n" + versionLine(), 0);
      }
      if (!flags.configFile().isEmpty()) {
        TomlFile.load(flags.configFile(), builder);
      }
    } catch (BadOptionException e) {
      return fail(e.getMessage(), e.exitCode());
    }
    Options options = builder.build();
    Optional<String> complaint = OptionsValidator.check(options);
    return complaint.isPresent()
        ? fail(complaint.get(), BadOptionException.BAD_REST)
        : new Parsed.Run(options);
  }

  /** Returns this build's version from the jar's manifest, {@code dev} outside a jar. */
  public static String version() {
    String version = OptionsLoader.class.getPackage().getImplementationVersion();
    return version == null ? "dev" : version;
  }

  /** Returns the line of nsqd's {@code --version}, which clients' harnesses parse. */
  public static String nsqdVersionLine() {
    return "nsqd v" + NSQD_VERSION + " (built w/java" + Runtime.version().feature() + ")";
  }

  /** Returns Holdfast's own version, with the JVM's. */
  public static String versionLine() {
    return "holdfast v" + version() + " (Java " + Runtime.version() + ")";
  }

  private static Parsed fail(String message, int exitCode) {
    return new Parsed.Fail(Parsed.Fail.PROGRAM + GoValues.oneLine(message), exitCode);
  }
}
